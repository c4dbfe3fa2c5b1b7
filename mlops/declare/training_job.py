"""What one training job is made of, for Training and for Tuning: its algorithm, channels, machines and safeguards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mlops.declare.members import record_of, strings, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import ModelReference, lower
from mlops.declare.shipped import mlops_secrets
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    VOLUME_GB,
    Count,
    Data,
    Environment,
    Flag,
    Text,
    environment,
    has_secrets,
    usable_names,
)
from mlops.ir import Unknown, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    JSON_MAP,
    MAP,
    REQUIRED,
    SOURCE,
    TEXT,
    TEXT_MAP,
    TEXTS,
    TRAINED,
    Field,
    Given,
    Missing,
    Of,
    Record,
    Said,
    Spoken,
    by_name,
    choice,
    hidden,
    made,
    named,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = [
    "Channel",
    "Checkpoint",
    "DebugHook",
    "FileSystem",
    "InstanceGroup",
    "Profiler",
    "RegisteredDataset",
    "Rule",
    "TensorBoard",
]

MAX_RUNTIME_SECONDS = 3600
"""A request must have a limit; this is the official SDK's where the author says nothing."""

SOURCE_ARCHIVE = "sourcedir.tar.gz"
RESOLVER = Path(mlops_secrets.__file__)

Mode: TypeAlias = Literal["File", "FastFile", "Pipe"]


@record
class FileSystem:
    """A folder of an EFS or FSx for Lustre file system as a channel; the job needs the network that reaches it."""

    id: Text
    path: Text
    type: Literal["EFS", "FSxLustre"] = "EFS"
    access: Literal["ro", "rw"] = "ro"


@record
class RegisteredDataset:
    """A data set that is registered with SageMaker, by its ARN."""

    arn: Text


@record
class Channel:
    """A channel with more to say than where its data come from; a model may be one, to train further.

    ``kind`` says what the URI names; an augmented manifest wants ``attributes`` and ``mode="Pipe"``. ``shuffle_seed``
    shuffles the order of objects. ``groups`` are the instance groups that get it. ``accept_eula`` and ``hub_content``
    are for data of a hub. None leaves a member out.
    """

    source: Data | ModelReference | FileSystem | RegisteredDataset
    content_type: Text | None = None
    distribution: Literal["FullyReplicated", "ShardedByS3Key"] | None = "FullyReplicated"
    mode: Mode | None = "File"
    kind: Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"] = "S3Prefix"
    compression: Literal["None", "Gzip"] | None = None
    record_wrapper: Literal["None", "RecordIO"] | None = None
    shuffle_seed: Count | None = None
    attributes: Sequence[Text] = ()
    groups: Sequence[Text] = ()
    accept_eula: Flag | None = None
    hub_content: Text | None = None


@record
class InstanceGroup:
    """Some of the machines of a job whose machines differ."""

    instance: Text
    count: Count = 1


@record
class Checkpoint:
    """Where checkpoints are kept while the job runs and found again when it starts anew."""

    uri: Text
    path: Text | None = None


@record
class DebugHook:
    """What SageMaker Debugger saves, per collection its parameters; ``to`` is an S3 URI. No ``collections`` at all
    are the service's own, ``{}`` is an empty list of them."""

    to: Text
    collections: Mapping[str, Mapping[str, Text]] | None = None
    parameters: Mapping[str, Text] | None = None
    path: Text | None = None


@record
class Rule:
    """A rule that watches the training, for the debugger (``debug_rules``) or the profiler (``profiler_rules``);
    ``image`` evaluates it. ``volume`` is in GB."""

    image: Text
    parameters: Mapping[str, Text] | None = None
    instance: Text | None = None
    volume: Count | None = None
    path: Text | None = None
    to: Text | None = None


@record
class Profiler:
    """What SageMaker's profiler measures; ``interval`` is in milliseconds: 100, 200, 500, 1000, 5000 or 60000."""

    to: Text | None = None
    interval: Count | None = None
    parameters: Mapping[str, Text] | None = None
    disabled: Flag | None = None


@record
class TensorBoard:
    """Where the files for TensorBoard go; ``path`` is the folder in the container."""

    to: Text
    path: Text | None = None


Source: TypeAlias = Data | FileSystem | RegisteredDataset


def check_channels(step: str, channels: Mapping[str, object]) -> None:
    usable_names(step, "channel", list(channels))


def script(
    lowering: Lowering, step: Step, code: str | None, entry: str | None, variables: Environment
) -> tuple[dict[str, Value], Value]:
    """The reserved hyperparameters by which the training toolkit finds the script, and the environment."""
    if code is None:
        return {}, environment(variables)
    unknown: dict[str, Value] = {"sagemaker_program": Unknown(), "sagemaker_submit_directory": Unknown()}
    resolved = environment(variables, resolved=True)
    source = lowering.source(code, step=step, what="code")
    files = source and lowering.files(source, step=step)
    if not source or not files:
        return unknown, resolved
    if source.is_dir() and not entry:
        message = f"{step.name}: code is a folder, so entry= has to say which file in it starts"
        misuse("D061", message, step=step.name, where=step.where)
        return unknown, resolved
    start = entry if source.is_dir() and entry else source.name
    if start not in dict(files):
        lowering.no_entry(start, code, dict(files), step)
    if has_secrets(variables) and isinstance(resolved, Mapping):
        files = tuple(sorted((*files, (RESOLVER.name, RESOLVER))))
        start, resolved = RESOLVER.name, {**resolved, mlops_secrets.ENTRY: start}
    asset = lowering.asset_of(files, step=step, archive=SOURCE_ARCHIVE)
    return {"sagemaker_program": start, "sagemaker_submit_directory": asset.uri}, resolved


def hyperparameters(values: Mapping[str, Any], script: Mapping[str, Value]) -> Value:
    """The author's, and those by which the toolkit finds the script; None where there are none."""
    return {**strings(values), **script} or None


def _metrics(given: Any, *_: object) -> Value:
    return tuple({"Name": name, "Regex": lower(regex)} for name, regex in (given.metrics or {}).items()) or None


def _said_metrics(given: Given) -> Spoken | None:
    found = named(given.at("AlgorithmSpecification.MetricDefinitions"), "Name")
    regexes = {name: item.get("Regex") for name, item in found.items()}
    if not all(isinstance(regex, str) for regex in regexes.values()):
        return None
    return {name: Said(regex) for name, regex in regexes.items()} or None


FILE_SYSTEM = Record(
    FileSystem,
    (
        Field("id", "FileSystemId", TEXT, REQUIRED),
        Field("access", "FileSystemAccessMode", choice("ro", "rw"), "ro"),
        Field("type", "FileSystemType", choice("EFS", "FSxLustre"), "EFS"),
        Field("path", "DirectoryPath", TEXT, REQUIRED),
    ),
)
DATASET = Record(RegisteredDataset, (Field("arn", "DatasetArn", TEXT, REQUIRED),))
MODE = choice("File", "FastFile", "Pipe")
_FORM = (
    Field("content_type", "ContentType", TEXT),
    Field("compression", "CompressionType", choice("None", "Gzip")),
    Field("record_wrapper", "RecordWrapperType", choice("None", "RecordIO")),
    Field("mode", "InputMode", MODE, "File", absent="None"),
    Field("shuffle_seed", "ShuffleConfig.Seed", COUNT),
)
"""What a channel says of its data, wherever they lie."""

_S3 = "DataSource.S3DataSource"
_KINDS = choice("S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse")
_DISTRIBUTION = choice("FullyReplicated", "ShardedByS3Key")
S3_CHANNEL = Record(
    Channel,
    (
        Field("kind", f"{_S3}.S3DataType", _KINDS, "S3Prefix"),
        Field("source", f"{_S3}.S3Uri", TRAINED, REQUIRED),
        Field("distribution", f"{_S3}.S3DataDistributionType", _DISTRIBUTION, "FullyReplicated", absent="None"),
        Field("attributes", f"{_S3}.AttributeNames", TEXTS, ()),
        Field("groups", f"{_S3}.InstanceGroupNames", TEXTS, ()),
        Field("accept_eula", f"{_S3}.ModelAccessConfig.AcceptEula", FLAG),
        Field("hub_content", f"{_S3}.HubAccessConfig.HubContentArn", TEXT),
        *_FORM,
    ),
)
FILES_CHANNEL = Record(
    Channel, (Field("source", "DataSource.FileSystemDataSource", made(FILE_SYSTEM), REQUIRED), *_FORM)
)
DATASET_CHANNEL = Record(Channel, (Field("source", "DataSource.DatasetSource", made(DATASET), REQUIRED), *_FORM))


def _channels(given: Any, lowering: Lowering, step: Step) -> Value:
    return tuple(_channel(name, item, lowering, step) for name, item in (given.channels or {}).items()) or None


def _channel(name: str, given: Source | Channel, lowering: Lowering, step: Step) -> Value:
    settings = given if isinstance(given, Channel) else Channel(given)
    form = S3_CHANNEL
    if isinstance(settings.source, FileSystem):
        form = FILES_CHANNEL
    elif isinstance(settings.source, RegisteredDataset):
        form = DATASET_CHANNEL
    return {"ChannelName": name, **record_of(settings, form, lowering, step)}


def _image(given: Any, lowering: Lowering, step: Step) -> Value:
    if given.image is None:
        return None
    return lowering.image(given.image, scope="training", instance=lowering.instance(given.instance), step=step)


def _script(given: Any, lowering: Lowering, step: Step) -> tuple[dict[str, Value], Value]:
    make = lambda: script(lowering, step, given.code, given.entry, given.environment or {})  # noqa: E731
    return lowering.once(given, make)


def _hyperparameters(given: Any, lowering: Lowering, step: Step) -> Value:
    """The author's, and those by which the toolkit finds the script."""
    return {**strings(given.hyperparameters or {}), **_script(given, lowering, step)[0]} or None


def _environment(given: Any, lowering: Lowering, step: Step) -> Value:
    """The author's, and the rules that watch a Training."""
    variables, rules = _script(given, lowering, step)[1], getattr(given, "rule_variables", {})
    return {**variables, **rules} if rules and isinstance(variables, Mapping) else variables or rules or None


def _instance(given: Any, lowering: Lowering, _: Step) -> Value:
    """Groups stand for the one type and count of a job whose machines are all alike."""
    return None if given.groups else lowering.instance(given.instance)


def _count(given: Any, *_: object) -> Value:
    return None if given.groups else lower(given.count)


def _max_wait(given: Any, *_: object) -> Value:
    """Spot machines have to be waited for, at least as long as the job may run."""
    is_spot = given.spot is not None and given.spot is not False
    return lower(given.max_runtime if given.max_wait is None and is_spot else given.max_wait)


GROUP = Record(
    InstanceGroup, (Field("instance", "InstanceType", TEXT, REQUIRED), Field("count", "InstanceCount", COUNT, 1))
)
CHECKPOINT = Record(Checkpoint, (Field("uri", "S3Uri", TEXT, REQUIRED), Field("path", "LocalPath", TEXT)))
TENSORBOARD = Record(TensorBoard, (Field("to", "S3OutputPath", TEXT, REQUIRED), Field("path", "LocalPath", TEXT)))
RULE = Record(
    Rule,
    (
        Field("image", "RuleEvaluatorImage", TEXT, REQUIRED),
        Field("parameters", "RuleParameters", TEXT_MAP, keeps="empty"),
        Field("instance", "InstanceType", TEXT),
        Field("volume", "VolumeSizeInGB", COUNT),
        Field("path", "LocalPath", TEXT),
        Field("to", "S3OutputPath", TEXT),
    ),
)
PROFILER = Record(
    Profiler,
    (
        Field("to", "S3OutputPath", TEXT),
        Field("interval", "ProfilingIntervalInMilliseconds", COUNT),
        Field("parameters", "ProfilingParameters", TEXT_MAP, keeps="empty"),
        Field("disabled", "DisableProfiler", FLAG),
    ),
)


def _collections(hook: DebugHook, *_: object) -> Value:
    if hook.collections is None:
        return None
    return tuple(
        without_none({"CollectionName": name, "CollectionParameters": lower(dict(parameters)) or None})
        for name, parameters in hook.collections.items()
    )


def _said_collections(given: Given) -> Spoken | None:
    listed = given.at("CollectionConfigurations")
    found = named(listed, "CollectionName")
    known = {"CollectionName", "CollectionParameters"}
    if isinstance(listed, Missing) or (listed and not found) or not all(set(item) <= known for item in found.values()):
        return None
    return {name: Of(TEXT_MAP, item.get("CollectionParameters", {})) for name, item in found.items()}


DEBUG_HOOK = Record(
    DebugHook,
    (
        Field("to", "S3OutputPath", TEXT, REQUIRED),
        Field("path", "LocalPath", TEXT),
        Field("parameters", "HookParameters", TEXT_MAP, keeps="empty"),
        Field("collections", "CollectionConfigurations", TEXT_MAP, to=_collections, said=_said_collections),
    ),
)

# What a Training and each job of a Tuning take, in the order of the document.

_ALGORITHM, _MACHINES = "AlgorithmSpecification", "ResourceConfig"
ALGORITHM = (
    Field("image", f"{_ALGORITHM}.TrainingImage", TEXT, to=_image),
    Field("algorithm", f"{_ALGORITHM}.AlgorithmName", TEXT),
    Field("input_mode", f"{_ALGORITHM}.TrainingInputMode", MODE, "File"),
    Field("metrics", f"{_ALGORITHM}.MetricDefinitions", TEXT_MAP, to=_metrics, said=_said_metrics),
)
CODE = (
    hidden("code", sdk=("source_dir", "entry_point", "source_code")),
    hidden("entry", sdk=("entry_point", "entry_script")),
)
HYPERPARAMETERS = Field("hyperparameters", "HyperParameters", JSON_MAP, to=_hyperparameters)
CHANNELS = Field(
    "channels",
    "InputDataConfig",
    by_name("ChannelName", S3_CHANNEL, FILES_CHANNEL, DATASET_CHANNEL, short=SOURCE.accepts),
    to=_channels,
    sdk=("inputs",),
)
COMPRESSION = Field("compression", "OutputDataConfig.CompressionType", choice("GZIP", "NONE"), "GZIP", absent="None")
VOLUME = Field("volume", f"{_MACHINES}.VolumeSizeInGB", COUNT, VOLUME_GB, absent="None", sdk=("volume_size",))
VOLUME_KMS_KEY = Field("volume_kms_key", f"{_MACHINES}.VolumeKmsKeyId", TEXT, otherwise="kms_key")
GROUPS = (
    Field("groups", f"{_MACHINES}.InstanceGroups", by_name("InstanceGroupName", GROUP)),
    Field("instance", f"{_MACHINES}.InstanceType", TEXT, otherwise="instance", to=_instance),
    Field("count", f"{_MACHINES}.InstanceCount", COUNT, 1, to=_count),
)
KEEP_ALIVE = Field("keep_alive", f"{_MACHINES}.KeepAlivePeriodInSeconds", COUNT)
LIMITS = (
    Field(
        "max_runtime",
        "StoppingCondition.MaxRuntimeInSeconds",
        COUNT,
        MAX_RUNTIME_SECONDS,
        absent="None",
        sdk=("max_run",),
    ),
    Field("max_wait", "StoppingCondition.MaxWaitTimeInSeconds", COUNT, to=_max_wait),
)
SAFEGUARDS = (
    Field("spot", "EnableManagedSpotTraining", FLAG, sdk=("use_spot_instances",)),
    Field("checkpoints", "CheckpointConfig", made(CHECKPOINT, short=TEXT.accepts), sdk=("checkpoint_s3_uri",)),
    Field("job_attempts", "RetryStrategy.MaximumRetryAttempts", COUNT),
    Field("environment", "Environment", MAP, to=_environment),
)
