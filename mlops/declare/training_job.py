"""What one training job is made of, for Training and for Tuning: its algorithm, channels, machines and safeguards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from mlops.declare.members import strings, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import ModelReference, Reference, lower
from mlops.declare.shipped import mlops_secrets
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    Count,
    Data,
    Environment,
    Flag,
    JobSettings,
    Text,
    environment,
    has_secrets,
    usable_names,
)
from mlops.ir import Unknown, Value

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
    unknown: dict[str, Value] = {"sagemaker_program": Unknown()}
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
        message = f"{step.name}: there is no {start!r} in {code}"
        misuse("D052", message, step=step.name, where=step.where)
    if has_secrets(variables) and isinstance(resolved, Mapping):
        files = tuple(sorted((*files, (RESOLVER.name, RESOLVER))))
        start, resolved = RESOLVER.name, {**resolved, mlops_secrets.ENTRY: start}
    asset = lowering.asset_of(files, step=step, archive=SOURCE_ARCHIVE)
    return {"sagemaker_program": start, "sagemaker_submit_directory": asset.uri}, resolved


def hyperparameters(values: Mapping[str, Any], script: Mapping[str, Value]) -> Value:
    """The author's, and those by which the toolkit finds the script; None where there are none."""
    return {**strings(values), **script} or None


def metric_definitions(metrics: Mapping[str, Text]) -> Value:
    return tuple({"Name": name, "Regex": lower(regex)} for name, regex in metrics.items()) or None


def channels(lowering: Lowering, step: Step, given: Mapping[str, Source | Channel]) -> Value:
    """InputDataConfig, or None."""
    return tuple(_channel(lowering, step, name, item) for name, item in given.items()) or None


def _channel(lowering: Lowering, step: Step, name: str, given: Source | Channel) -> Value:
    settings = given if isinstance(given, Channel) else Channel(given)
    return without_none(
        {
            "ChannelName": name,
            "DataSource": _data_source(lowering, step, settings),
            "ContentType": lower(settings.content_type),
            "CompressionType": settings.compression,
            "RecordWrapperType": settings.record_wrapper,
            "InputMode": settings.mode,
            "ShuffleConfig": None if settings.shuffle_seed is None else {"Seed": lower(settings.shuffle_seed)},
        }
    )


def _data_source(lowering: Lowering, step: Step, settings: Channel) -> Value:
    source = settings.source
    if isinstance(source, FileSystem):
        return {
            "FileSystemDataSource": {
                "FileSystemId": lower(source.id),
                "FileSystemAccessMode": source.access,
                "FileSystemType": source.type,
                "DirectoryPath": lower(source.path),
            }
        }
    if isinstance(source, RegisteredDataset):
        return {"DatasetSource": {"DatasetArn": lower(source.arn)}}
    return {
        "S3DataSource": without_none(
            {
                "S3DataType": settings.kind,
                "S3Uri": lowering.data(source, step=step),
                "S3DataDistributionType": settings.distribution,
                "AttributeNames": lower(tuple(settings.attributes)) or None,
                "InstanceGroupNames": lower(tuple(settings.groups)) or None,
                "ModelAccessConfig": None
                if settings.accept_eula is None
                else {"AcceptEula": lower(settings.accept_eula)},
                "HubAccessConfig": None
                if settings.hub_content is None
                else {"HubContentArn": lower(settings.hub_content)},
            }
        )
    }


def machines(
    lowering: Lowering,
    job: JobSettings,
    *,
    instance: Value,
    count: Count,
    volume: Count | None,
    groups: Mapping[str, InstanceGroup],
    keep_alive: Count | None,
    plan: Text | None = None,
) -> Value:
    """ResourceConfig. Groups stand for the one type and count of a job whose machines are all alike."""
    alike: dict[str, Value] = {"InstanceType": instance, "InstanceCount": lower(count)}
    listed = tuple(
        {"InstanceGroupName": name, "InstanceType": lower(group.instance), "InstanceCount": lower(group.count)}
        for name, group in groups.items()
    )
    return without_none(
        {
            **({"InstanceGroups": listed} if listed else alike),
            "VolumeSizeInGB": lower(volume),
            "VolumeKmsKeyId": job.volume_kms_key(lowering),
            "KeepAlivePeriodInSeconds": lower(keep_alive),
            "TrainingPlanArn": lower(plan),
        }
    )


def stopping(
    max_runtime: Count | None, *, spot: Flag | None, max_wait: Count | None, max_pending: Count | None = None
) -> Value:
    """StoppingCondition. Spot machines have to be waited for, at least as long as the job may run."""
    wait = max_runtime if max_wait is None and spot is not None and spot is not False else max_wait
    return (
        without_none(
            {
                "MaxRuntimeInSeconds": lower(max_runtime),
                "MaxWaitTimeInSeconds": lower(wait),
                "MaxPendingTimeInSeconds": lower(max_pending),
            }
        )
        or None
    )


def checkpoint(given: Text | Checkpoint | None) -> Value:
    if given is None:
        return None
    settings = given if isinstance(given, Checkpoint) else Checkpoint(given)
    return without_none({"S3Uri": lower(settings.uri), "LocalPath": lower(settings.path)})


def attempts(given: Count | None) -> Value:
    """RetryStrategy: SageMaker itself starts the job anew after an internal server error."""
    return None if given is None else {"MaximumRetryAttempts": lower(given)}


def debug_hook(hook: DebugHook | None) -> Value:
    if hook is None:
        return None
    collections = hook.collections or {}
    listed = tuple(
        without_none({"CollectionName": name, "CollectionParameters": lower(dict(parameters)) or None})
        for name, parameters in collections.items()
    )
    return without_none(
        {
            "S3OutputPath": lower(hook.to),
            "LocalPath": lower(hook.path),
            "HookParameters": lower(hook.parameters),
            "CollectionConfigurations": None if hook.collections is None else listed,
        }
    )


def rules(given: Mapping[str, Rule]) -> Value:
    """DebugRuleConfigurations and ProfilerRuleConfigurations have the same shape; None where there are none."""
    return (
        tuple(
            without_none(
                {
                    "RuleConfigurationName": name,
                    "RuleEvaluatorImage": lower(rule.image),
                    "RuleParameters": lower(rule.parameters),
                    "InstanceType": lower(rule.instance),
                    "VolumeSizeInGB": lower(rule.volume),
                    "LocalPath": lower(rule.path),
                    "S3OutputPath": lower(rule.to),
                }
            )
            for name, rule in given.items()
        )
        or None
    )


def profiler(given: Profiler | None) -> Value:
    if given is None:
        return None
    return without_none(
        {
            "S3OutputPath": lower(given.to),
            "ProfilingIntervalInMilliseconds": lower(given.interval),
            "ProfilingParameters": lower(given.parameters),
            "DisableProfiler": lower(given.disabled),
        }
    )


def tensorboard(given: Text | TensorBoard | None) -> Value:
    if given is None:
        return None
    settings = given if isinstance(given, TensorBoard) else TensorBoard(given)
    return without_none({"S3OutputPath": lower(settings.to), "LocalPath": lower(settings.path)})


def words(given: Sequence[str | Reference] | None) -> Value:
    """Words of a command line, or None."""
    return None if not given else lower(tuple(given))
