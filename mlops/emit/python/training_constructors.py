"""What the constructors of training take, in a job of its own, of a notebook, or of many that a tuning tries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    by_name,
    choice,
    count,
    data,
    flag,
    json_map,
    mixed_list,
    named_records,
    nested,
    number,
    objects,
    record,
    string_map,
    text,
    word,
)
from mlops.emit.python.expressions import DATA, FLOAT, INTEGER, MODEL, STRING, literal
from mlops.emit.python.job_arguments import TAGS, job, network, role
from mlops.emit.python.source import Items, Node, Text, call, dictionary, listing, string
from mlops.emit.python.telling import one
from mlops.ir import Value
from mlops.ir.fields import Missing

_ALGORITHM = "AlgorithmSpecification"
_S3 = "DataSource.S3DataSource"
_FILES = "DataSource.FileSystemDataSource"

_FORM = (
    text("content_type", "ContentType"),
    choice("mode", "InputMode", ("FastFile", "Pipe"), "File", absent="None"),
    choice("compression", "CompressionType", ("None", "Gzip")),
    choice("record_wrapper", "RecordWrapperType", ("None", "RecordIO")),
    count("shuffle_seed", "ShuffleConfig.Seed"),
)
"""What a channel says of its data, wherever they lie."""

_S3_CHANNEL = (
    data("source", f"{_S3}.S3Uri", model=True),
    choice("distribution", f"{_S3}.S3DataDistributionType", ("ShardedByS3Key",), "FullyReplicated", absent="None"),
    choice("kind", f"{_S3}.S3DataType", ("ManifestFile", "AugmentedManifestFile", "Converse"), "S3Prefix"),
    mixed_list("attributes", f"{_S3}.AttributeNames"),
    mixed_list("groups", f"{_S3}.InstanceGroupNames"),
    flag("accept_eula", f"{_S3}.ModelAccessConfig.AcceptEula"),
    text("hub_content", f"{_S3}.HubAccessConfig.HubContentArn"),
    *_FORM,
)
_FILE_SYSTEM = (
    text("id", "FileSystemId"),
    text("path", "DirectoryPath"),
    choice("type", "FileSystemType", ("FSxLustre",), "EFS"),
    choice("access", "FileSystemAccessMode", ("rw",), "ro"),
)
_FILES_CHANNEL = (nested("source", _FILES, "FileSystem", _FILE_SYSTEM), *_FORM)
_REGISTERED_CHANNEL = (
    nested("source", "DataSource.DatasetSource", "RegisteredDataset", (text("arn", "DatasetArn"),)),
    *_FORM,
)
_SOURCES = {
    "S3DataSource": _S3_CHANNEL,
    "FileSystemDataSource": _FILES_CHANNEL,
    "DatasetSource": _REGISTERED_CHANNEL,
}


def _channels(facts: Facts) -> Node | None:
    named = by_name(objects(facts.at("InputDataConfig")), "ChannelName")
    if not named:
        return None
    written: dict[str, Node] = {}
    for name, item in named.items():
        where = item.get("DataSource")
        kind = next(iter(where)) if isinstance(where, Mapping) and len(where) == 1 else None
        rest = {member: value for member, value in item.items() if member != "ChannelName"}
        node = record("Channel", rest, facts, _SOURCES[kind]) if kind in _SOURCES else None
        if not isinstance(node, Items) or not node.items or node.items[0][0]:
            return None
        written[name] = node.items[0][1] if len(node.items) == 1 and _is_plain(rest, node, facts) else node
    return dictionary(written.items())


def _is_plain(channel: Mapping[str, Value], node: Items, facts: Facts) -> bool:
    """The source alone says it; a model as a channel wants to be said."""
    uri = facts.inside(channel).at(f"{_S3}.S3Uri")
    if isinstance(uri, Missing):
        return True
    plain = one(uri, facts.scope, (DATA, STRING))
    return plain is not None and plain.flat() == node.items[0][1].flat()


def _metrics(facts: Facts) -> Node | None:
    named = by_name(objects(facts.at(f"{_ALGORITHM}.MetricDefinitions")), "Name")
    if not named or not all(isinstance(item.get("Regex"), str) for item in named.values()):
        return None
    return dictionary((name, Text(string(str(item["Regex"])))) for name, item in named.items())


_GROUP = (text("instance", "InstanceType"), count("count", "InstanceCount", 1))
_RULE = (
    text("image", "RuleEvaluatorImage"),
    string_map("parameters", "RuleParameters"),
    text("instance", "InstanceType"),
    count("volume", "VolumeSizeInGB"),
    text("path", "LocalPath"),
    text("to", "S3OutputPath"),
)


def _checkpoints(facts: Facts) -> Node | None:
    given = facts.at("CheckpointConfig")
    if isinstance(given, Mapping) and set(given) == {"S3Uri"}:
        return one(given["S3Uri"], facts.scope, (STRING,))
    return record("Checkpoint", given, facts, (text("uri", "S3Uri"), text("path", "LocalPath")))


def _tensorboard(facts: Facts) -> Node | None:
    given = facts.at("TensorBoardOutputConfig")
    if isinstance(given, Mapping) and set(given) == {"S3OutputPath"}:
        return one(given["S3OutputPath"], facts.scope, (STRING,))
    return record("TensorBoard", given, facts, (text("to", "S3OutputPath"), text("path", "LocalPath")))


_COLLECTION = {"CollectionName", "CollectionParameters"}


def _collections(facts: Facts) -> Node | None:
    listed = facts.at("CollectionConfigurations")
    named = by_name(objects(listed), "CollectionName")
    if not isinstance(listed, tuple) or named is None or len(named) != len(listed):
        return None
    if not all(set(item) <= _COLLECTION for item in named.values()):
        return None
    parameters = string_map("parameters", "CollectionParameters")
    return dictionary((name, parameters.writer(facts.inside(item)) or dictionary(())) for name, item in named.items())


_HOOK = (
    text("to", "S3OutputPath"),
    Argument("collections", _collections, "CollectionConfigurations"),
    string_map("parameters", "HookParameters"),
    text("path", "LocalPath"),
)
_PROFILER = (
    text("to", "S3OutputPath"),
    count("interval", "ProfilingIntervalInMilliseconds"),
    string_map("parameters", "ProfilingParameters"),
    flag("disabled", "DisableProfiler"),
)

_JOB = (
    text("image", f"{_ALGORITHM}.TrainingImage"),
    text("algorithm", f"{_ALGORITHM}.AlgorithmName"),
    Argument("channels", _channels, "InputDataConfig"),
    choice("input_mode", f"{_ALGORITHM}.TrainingInputMode", ("FastFile", "Pipe"), "File"),
    json_map("hyperparameters", "HyperParameters"),
    Argument("metrics", _metrics, f"{_ALGORITHM}.MetricDefinitions"),
    string_map("environment", "Environment"),
    text("instance", "ResourceConfig.InstanceType"),
    count("count", "ResourceConfig.InstanceCount", 1),
    named_records("groups", "ResourceConfig.InstanceGroups", "InstanceGroupName", "InstanceGroup", _GROUP),
    count("volume", "ResourceConfig.VolumeSizeInGB", 30, absent="None"),
    count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", 3600, absent="None"),
    flag("spot", "EnableManagedSpotTraining"),
    count("max_wait", "StoppingCondition.MaxWaitTimeInSeconds"),
    Argument("checkpoints", _checkpoints, "CheckpointConfig"),
    count("keep_alive", "ResourceConfig.KeepAlivePeriodInSeconds"),
    count("job_attempts", "RetryStrategy.MaximumRetryAttempts"),
    choice("compression", "OutputDataConfig.CompressionType", ("GZIP", "NONE"), "GZIP", absent="None"),
)
"""What a Training and each job of a Tuning take."""

_SECURITY = job("", "OutputDataConfig.KmsKeyId", "ResourceConfig.VolumeKmsKeyId")

TRAINING = Constructor(
    "Training",
    required=(),
    arguments=(
        *_JOB,
        count("max_pending", "StoppingCondition.MaxPendingTimeInSeconds"),
        text("to", "OutputDataConfig.S3OutputPath"),
        mixed_list("command", f"{_ALGORITHM}.ContainerEntrypoint"),
        mixed_list("args", f"{_ALGORITHM}.ContainerArguments"),
        nested("debug_hook", "DebugHookConfig", "DebugHook", _HOOK),
        named_records("debug_rules", "DebugRuleConfigurations", "RuleConfigurationName", "Rule", _RULE),
        nested("profiler", "ProfilerConfig", "Profiler", _PROFILER),
        named_records("profiler_rules", "ProfilerRuleConfigurations", "RuleConfigurationName", "Rule", _RULE),
        Argument("tensorboard", _tensorboard, "TensorBoardOutputConfig"),
        flag("infra_check", "InfraCheckConfig.EnableInfraCheck"),
        flag("remote_debug", "RemoteDebugConfig.EnableRemoteDebug"),
        flag("session_tag_chaining", "SessionChainingConfig.EnableSessionTagChaining"),
        *_SECURITY,
    ),
    properties={"ModelArtifacts.S3ModelArtifacts": ("model", MODEL)},
)

SCHEDULER = "amazon_sagemaker_scheduler"
"""The entry point that makes a notebook job of a training job."""

_NOTEBOOK_VARIABLES = (
    "AWS_DEFAULT_REGION",
    "SM_JOB_DEF_VERSION",
    "SM_ENV_NAME",
    "SM_SKIP_EFS_SIMULATION",
    "SM_EXECUTION_INPUT_PATH",
    "SM_KERNEL_NAME",
    "SM_INPUT_NOTEBOOK_NAME",
    "SM_OUTPUT_NOTEBOOK_NAME",
    "SM_INIT_SCRIPT",
)
_STUDIO_TAGS = (
    "sagemaker:name",
    "sagemaker:notebook-name",
    "sagemaker:notebook-job-origin",
    "sagemaker:is-studio-archived",
)


def _own_variables(facts: Facts) -> Node | None:
    given = facts.at("Environment")
    listed: Mapping[str, Value] = given if isinstance(given, Mapping) else {}
    own = {key: value for key, value in listed.items() if key not in _NOTEBOOK_VARIABLES}
    return string_map("environment", "own").writer(facts.inside({"own": own}))


def _studio_name(facts: Facts) -> Node | None:
    """The name that Studio shows, which stands in a tag, or else the job's."""
    for tag in objects(facts.at("Tags")):
        if tag.get("Key") == "sagemaker:name" and isinstance(tag.get("Value"), str):
            return literal(str(tag["Value"]))
    return text("job", "TrainingJobName").writer(facts)


def _own_tags(facts: Facts) -> Node | None:
    own = tuple(tag for tag in objects(facts.at("Tags")) if tag.get("Key") not in _STUDIO_TAGS)
    return TAGS.writer(facts.inside({"Tags": own}))


def _encryption(facts: Facts) -> Node | None:
    """Encrypted is what a notebook job is where nothing is said."""
    given = dict(facts.step.arguments) if isinstance(facts.step.arguments, Mapping) else {}
    if given.get("EnableInterContainerTrafficEncryption") is True:
        del given["EnableInterContainerTrafficEncryption"]
    return network("").writer(facts.inside(given))


NOTEBOOK = Constructor(
    "NotebookJob",
    required=("notebook", "image", "source"),
    arguments=(
        word("notebook", "Environment.SM_INPUT_NOTEBOOK_NAME"),
        text("image", f"{_ALGORITHM}.TrainingImage"),
        word("kernel", "Environment.SM_KERNEL_NAME", "python3"),
        string_map("parameters", "HyperParameters"),
        Argument("environment", _own_variables, ""),
        word("script", "Environment.SM_INIT_SCRIPT"),
        data("source", "InputDataConfig.0.DataSource.S3DataSource.S3Uri"),
        text("to", "OutputDataConfig.S3OutputPath"),
        Argument("job", _studio_name, ""),
        text("instance", "ResourceConfig.InstanceType"),
        count("volume", "ResourceConfig.VolumeSizeInGB", 30),
        count("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", 172800),
        count("attempts", "RetryStrategy.MaximumRetryAttempts", 1),
        role(),
        Argument("network", _encryption, ""),
        text("kms_key", "OutputDataConfig.KmsKeyId"),
        text("volume_kms_key", "ResourceConfig.VolumeKmsKeyId"),
        Argument("tags", _own_tags, ""),
    ),
    properties={"OutputDataConfig.S3OutputPath": ("output", DATA), "TrainingJobName": ("job_name", STRING)},
)


_CONFIGURATION = "HyperParameterTuningJobConfig"
_RANGES = {"IntegerParameterRanges": "IntegerRange", "ContinuousParameterRanges": "ContinuousRange"}
_SCALES = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")


def _ranges(path: str) -> Argument:
    # Owns nothing: what it leaves out, such as a kind with no ranges, is said beside it.
    return Argument("ranges", lambda facts: _listed_ranges(facts.at(path), facts), "")


def _listed_ranges(found: Value | Missing, facts: Facts) -> Node | None:
    if not isinstance(found, Mapping):
        return None
    written: dict[str, Node] = {}
    for kind, listed in found.items():
        for item in listed if isinstance(listed, tuple) else ():
            node = _range(kind, item, facts)
            name = item.get("Name") if isinstance(item, Mapping) else None
            if node is None or not isinstance(name, str) or name in written:
                return None
            written[name] = node
    return dictionary(written.items()) if written else None


def _range(kind: str, item: Value, facts: Facts) -> Node | None:
    if not isinstance(item, Mapping):
        return None
    match item:
        case {"ValueHint": str(hint)} if kind == "AutoParameters":
            return call("AutoRange", [literal(_plain(hint))])
        case {"Values": tuple(values)} if kind == "CategoricalParameterRanges":
            choices = [literal(_plain(value)) for value in values if isinstance(value, str)]
            if len(choices) != len(values):
                return None
            return call("CategoricalRange", [listing(choices)])
        case {"MinValue": str(low), "MaxValue": str(high)} if kind in _RANGES:
            bounds = [_plain(low), _plain(high)]
            wanted = int if kind == "IntegerParameterRanges" else (int, float)
            if not all(isinstance(bound, wanted) for bound in bounds):
                return None
            scale = item.get("ScalingType")
            if scale is not None and scale not in _SCALES:
                return None
            said = {} if scale == "Auto" else {"scale": literal(str(scale)) if scale is not None else Text("None")}
            return call(_RANGES[kind], map(literal, bounds), said)
    return None


def _plain(value: str) -> int | float | str:
    """The number whose text this is."""
    for kind in (int, float):
        try:
            found = kind(value)
        except ValueError:
            continue
        if str(found) == value and found - found == 0:
            return found
    return value


def _objective(path: str) -> Argument:
    def writer(facts: Facts) -> Node | None:
        match facts.at(path):
            case {"Type": "Maximize" | "Minimize" as kind, "MetricName": metric}:
                written = one(metric, facts.scope, (STRING,))
                return None if written is None else call(str(kind), [written])
        return None

    return Argument("objective", writer, path)


_CHOICES = Argument(
    "instances",
    lambda facts: _instances(facts.at("HyperParameterTuningResourceConfig.InstanceConfigs"), facts),
    "HyperParameterTuningResourceConfig",
)
"""Machines to try one after the other; volume is theirs."""


def _instances(listed: Value | Missing, facts: Facts) -> Node | None:
    items = objects(listed)
    sized = [{key: value for key, value in item.items() if key != "VolumeSizeInGB"} for item in items]
    written = [record("InstanceGroup", item, facts, _GROUP) for item in sized]
    return listing(node for node in written if node is not None) if written and None not in written else None


def _training_job(definition: Mapping[str, Value], facts: Facts, more: Sequence[Argument]) -> Items:
    arguments = {**definition, "HyperParameters": definition.get("StaticHyperParameters")}
    inner = facts.inside(arguments)
    tried = inner.at("HyperParameterTuningResourceConfig.InstanceConfigs")
    volume = {"ResourceConfig": {"VolumeSizeInGB": objects(tried)[0].get("VolumeSizeInGB")}} if objects(tried) else {}
    inner = facts.inside({**arguments, **volume})
    written = {argument.name: argument.writer(inner) for argument in (*_JOB, _CHOICES, *more)}
    said = {name: node for name, node in written.items() if node is not None}
    return call("TrainingJob", (), said)


_ONE, _SEVERAL = "TrainingJobDefinition", "TrainingJobDefinitions"


def _tried(facts: Facts) -> Node | None:
    """What each trial runs; several by their names, each with ranges and an objective of its own."""
    definition = facts.at(_ONE)
    if isinstance(definition, Mapping):
        return _training_job(definition, facts, ())
    named = by_name(objects(facts.at(_SEVERAL)), "DefinitionName")
    if not named:
        return None
    own = (_ranges("HyperParameterRanges"), _objective("TuningObjective"))
    jobs = {name: _training_job(item, facts, own) for name, item in named.items()}
    return dictionary((name, _corrected(node, facts.corrections.get(name))) for name, node in jobs.items())


def _corrected(job: Items, correction: Node | None) -> Items:
    """What the job's arguments cannot say is merged into its definition."""
    if correction is None:
        return job
    return Items(job.opening, (*job.items, ("arguments=", correction)), job.closing)


def _of_the_job(argument: Callable[[str], Argument], path: str) -> Argument:
    """An argument that all jobs of the tuning have in common, from the first of them."""
    one_job, first = argument(f"{_ONE}.{path}"), argument(f"{_SEVERAL}.0.{path}")

    def writer(facts: Facts) -> Node | None:
        return one_job.writer(facts) or first.writer(facts)

    return Argument(one_job.name, writer, one_job.owns)


_LIMITS = f"{_CONFIGURATION}.ResourceLimits"
_CRITERIA = f"{_CONFIGURATION}.TuningJobCompletionCriteria"
_HYPERBAND = f"{_CONFIGURATION}.StrategyConfig.HyperbandStrategyConfig"


def _resources(facts: Facts) -> Node | None:
    bounds = [facts.at(f"{_HYPERBAND}.{member}") for member in ("MinResource", "MaxResource")]
    written = [None if isinstance(bound, Missing) else one(bound, facts.scope, (INTEGER,)) for bound in bounds]
    if any(node is None for node in written):
        return None
    return Items("(", tuple(("", node) for node in written if node is not None), ")")


def _convergence(facts: Facts) -> Node | None:
    given = facts.at(f"{_CRITERIA}.ConvergenceDetected.CompleteOnConvergence")
    return literal(given == "Enabled") if given in ("Enabled", "Disabled") else None


def _parents(facts: Facts) -> Node | None:
    listed = facts.at("WarmStartConfig.ParentHyperParameterTuningJobs")
    written = [one(item.get("HyperParameterTuningJobName"), facts.scope, (STRING,)) for item in objects(listed)]
    return listing(node for node in written if node is not None) if written and None not in written else None


def _autotune(facts: Facts) -> Node | None:
    return literal(True) if facts.at("Autotune.Mode") == "Enabled" else None


TUNING = Constructor(
    "Tuning",
    required=("job",),
    arguments=(
        Argument("job", _tried, _ONE),
        _ranges(f"{_CONFIGURATION}.ParameterRanges"),
        _objective(f"{_CONFIGURATION}.HyperParameterTuningJobObjective"),
        choice("strategy", f"{_CONFIGURATION}.Strategy", ("Random", "Hyperband", "Grid"), "Bayesian"),
        Argument("resources", _resources, f"{_CONFIGURATION}.StrategyConfig"),
        count("max_jobs", f"{_LIMITS}.MaxNumberOfTrainingJobs"),
        count("max_parallel", f"{_LIMITS}.MaxParallelTrainingJobs", 1),
        count("max_runtime", f"{_LIMITS}.MaxRuntimeInSeconds"),
        choice("early_stopping", f"{_CONFIGURATION}.TrainingJobEarlyStoppingType", ("Off", "Auto")),
        number("target", f"{_CRITERIA}.TargetObjectiveMetricValue"),
        count("patience", f"{_CRITERIA}.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving"),
        Argument("convergence", _convergence, f"{_CRITERIA}.ConvergenceDetected"),
        count("seed", f"{_CONFIGURATION}.RandomSeed"),
        Argument("parents", _parents, "WarmStartConfig.ParentHyperParameterTuningJobs"),
        choice("warm_start", "WarmStartConfig.WarmStartType", ("TransferLearning",)),
        Argument("autotune", _autotune, "Autotune"),
        _of_the_job(lambda path: text("to", path), "OutputDataConfig.S3OutputPath"),
        _of_the_job(lambda path: text("kms_key", path), "OutputDataConfig.KmsKeyId"),
        _of_the_job(lambda path: text("volume_kms_key", path), "ResourceConfig.VolumeKmsKeyId"),
        _of_the_job(role, "RoleArn"),
        replace(_of_the_job(network, ""), owns=""),
        TAGS,
    ),
    patterns=(
        (re.compile(r"TrainingJobSummaries\[([0-4]?[0-9])\]\.TrainingJobName"), "top({0}).job_name", STRING),
        (
            re.compile(r"TrainingJobSummaries\[([0-4]?[0-9])\]\.FinalHyperParameterTuningJobObjectiveMetric\.Value"),
            "top({0}).objective",
            FLOAT,
        ),
    ),
)
