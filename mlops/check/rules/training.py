"""What the members of a training job must agree on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.instances import accelerator, has_local_storage
from mlops.check.jobs import TRAINING
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Unknown, Value
from mlops.ir.members import get
from mlops.ir.values import Expression

_DAYS_28 = 28 * 86400
_DEFAULT_LIMIT = 5 * 86400


def _number(value: Value) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


@rule(
    "X750",
    "spot-times",
    Severity.ERROR,
    source="CreateTrainingJob API: StoppingCondition and EnableManagedSpotTraining",
)
def spot_times(subject: Subject) -> Iterator[Fault]:
    """Spot training wants MaxWaitTimeInSeconds, at least as long as MaxRuntimeInSeconds; other training has none.

    Bad:  "EnableManagedSpotTraining": true, "StoppingCondition": {"MaxRuntimeInSeconds": 3600}
    Good: the same with "MaxWaitTimeInSeconds": 7200
    """
    for at, job, placed in subject.jobs[TRAINING]:
        said = job.get("EnableManagedSpotTraining", False)
        spot, condition = literal(subject, said), job.get("StoppingCondition")
        if not isinstance(condition, Mapping) or not isinstance(spot, bool):
            continue
        # By a parameter it may be either: then only what is wrong with the default, and what is wrong with both.
        severity = None if isinstance(said, bool) else Severity.WARNING
        here = f"{at}/StoppingCondition/MaxWaitTimeInSeconds"
        wait, runtime = condition.get("MaxWaitTimeInSeconds"), condition.get("MaxRuntimeInSeconds")
        if spot and wait is None:
            help_text = "add it, at least as long as MaxRuntimeInSeconds"
            yield Fault(here, "spot training without MaxWaitTimeInSeconds", help_text, placed, severity=severity)
        elif spot is said is False and wait is not None and not isinstance(wait, Unknown):
            help_text = "remove it, or set EnableManagedSpotTraining"
            yield Fault(here, "MaxWaitTimeInSeconds without spot training", help_text, placed)
        wait_number, runtime_number = _number(literal(subject, wait)), _number(literal(subject, runtime))
        compared = spot or severity is not None
        if compared and wait_number is not None and runtime_number is not None and wait_number < runtime_number:
            message = f"MaxWaitTimeInSeconds {wait_number} is less than MaxRuntimeInSeconds {runtime_number}"
            help_text = f"it counts waiting and running together: set it to {runtime_number} or more"
            yield Fault(here, message, help_text, placed)


@rule(
    "X751", "long-spot-without-checkpoint", Severity.WARNING, source="a public incident: agentcore-public-stack PR#1025"
)
def long_spot_without_checkpoint(subject: Subject) -> Iterator[Fault]:
    """Spot training of many hours without checkpoints begins anew at each interruption.

    Bad:  spot training of 24 hours without CheckpointConfig
    Good: "CheckpointConfig": {"S3Uri": "s3://acme/checkpoints"}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        runtime = _number(get(job, "StoppingCondition", "MaxRuntimeInSeconds"))
        long = runtime is not None and runtime >= 12 * 3600
        if long and job.get("EnableManagedSpotTraining") is True and job.get("CheckpointConfig") is None:
            message = "long spot training without CheckpointConfig"
            yield Fault(f"{at}/CheckpointConfig", message, "write checkpoints", placed)


@rule(
    "X752",
    "warm-pool-with-spot",
    Severity.ERROR,
    source="AWS docs: train-warm-pools, considerations: neither spot instances nor heterogeneous clusters",
)
def warm_pool_with_spot(subject: Subject) -> Iterator[Fault]:
    """A warm pool (KeepAlivePeriodInSeconds) is kept of on-demand instances of one type only: not of spot instances,
    nor of instance groups. Where a parameter's default asks for spot it is a warning.

    Bad:  "KeepAlivePeriodInSeconds": 600 with "EnableManagedSpotTraining": true
    Good: one of the two
    """
    for at, job, placed in subject.jobs[TRAINING]:
        keep = get(job, "ResourceConfig", "KeepAlivePeriodInSeconds")
        if keep is None or literal(subject, keep) == 0:
            continue
        spot = job.get("EnableManagedSpotTraining")
        if literal(subject, spot) is True:
            message = "spot training and a warm pool exclude each other"
            certain = spot is True and not isinstance(keep, Expression)
            severity = None if certain else Severity.WARNING
            yield Fault(f"{at}/EnableManagedSpotTraining", message, "keep one of them", placed, severity=severity)
        if get(job, "ResourceConfig", "InstanceGroups") is not None:
            message = "instance groups and a warm pool exclude each other"
            where = f"{at}/ResourceConfig/KeepAlivePeriodInSeconds"
            yield Fault(where, message, "remove it, or use instances of one type", placed)


@rule("X753", "training-code-source", Severity.ERROR, source="CreateTrainingJob API: AlgorithmSpecification")
def training_code_source(subject: Subject) -> Iterator[Fault]:
    """A training job has a TrainingImage or an AlgorithmName: one of both, unless it is serverless.

    Bad:  {"TrainingInputMode": "File"}
    Good: {"TrainingInputMode": "File", "TrainingImage": "..."}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        spec = job.get("AlgorithmSpecification")
        if job.get("ServerlessJobConfig") is not None:
            continue
        if placed.step.type == "Training" and spec is None:
            message = "the job has neither AlgorithmSpecification nor ServerlessJobConfig, so nothing runs"
            yield Fault(f"{at}/AlgorithmSpecification", message, "add it, with a TrainingImage", placed)
        if not isinstance(spec, Mapping):
            continue
        given = [name for name in ("TrainingImage", "AlgorithmName") if spec.get(name) is not None]
        here = f"{at}/AlgorithmSpecification"
        if len(given) == 2:
            yield Fault(
                f"{here}/AlgorithmName", "TrainingImage and AlgorithmName exclude each other", "keep one", placed
            )
        elif not given:
            yield Fault(f"{here}/TrainingImage", "neither TrainingImage nor AlgorithmName", "add one", placed)


@rule("X754", "channel-source", Severity.ERROR, source="CreateTrainingJob API: DataSource")
def channel_source(subject: Subject) -> Iterator[Fault]:
    """A channel reads from exactly one source.

    Bad:  "DataSource": {"S3DataSource": {...}, "FileSystemDataSource": {...}}
    Good: "DataSource": {"S3DataSource": {...}}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for where, channel in entries(job, "InputDataConfig"):
            source = channel.get("DataSource")
            if not isinstance(source, Mapping):
                continue
            given = [name for name in source if source[name] is not None]
            if len(given) != 1:
                here = f"{at}{where}/DataSource"
                path = f"{here}/{given[0]}" if given else f"{here}/S3DataSource"
                message = f"the channel has {' and '.join(given) or 'no source'}, one is wanted"
                yield Fault(path, message, None, placed)


@rule("X755", "duplicate-channel", Severity.ERROR, source="CreateTrainingJob API: channel names are directories")
def duplicate_channel(subject: Subject) -> Iterator[Fault]:
    """Two channels of a job, two metrics or two instance groups have one name. For metrics it is a warning.

    Bad:  two channels "train"
    Good: "train" and "validation"
    """
    lists = (
        (("InputDataConfig",), "ChannelName", None),
        (("ResourceConfig", "InstanceGroups"), "InstanceGroupName", None),
        (("AlgorithmSpecification", "MetricDefinitions"), "Name", Severity.WARNING),
    )
    for at, job, placed in subject.jobs[TRAINING]:
        for members, key, severity in lists:
            seen: set[str] = set()
            for where, item in entries(job, *members):
                name = item.get(key)
                if isinstance(name, str):
                    if name in seen:
                        message = f"{key} {name!r} stands twice in {members[-1]}"
                        yield Fault(f"{at}{where}/{key}", message, "rename one", placed, severity=severity)
                    seen.add(name)


@rule(
    "X756",
    "mixed-input-modes",
    Severity.ERROR,
    source="'Cannot use both Pipe and FastFile TrainingInputMode on the same Training Job'",
)
def mixed_input_modes(subject: Subject) -> Iterator[Fault]:
    """A training job reads one channel by Pipe and another by FastFile.

    Bad:  "InputMode": "Pipe" and "InputMode": "FastFile"
    Good: one of the two for all channels
    """
    for at, job, placed in subject.jobs[TRAINING]:
        default = get(job, "AlgorithmSpecification", "TrainingInputMode")
        modes: set[object] = set()
        for where, channel in entries(job, "InputDataConfig"):
            mode = channel.get("InputMode", default)
            if mode in ("Pipe", "FastFile"):
                modes.add(mode)
                if len(modes) == 2:
                    message = "Pipe and FastFile channels in one job"
                    yield Fault(f"{at}{where}/InputMode", message, "use one of the two", placed)
                    break


@rule("X765", "unknown-instance-group", Severity.ERROR, source="CreateTrainingJob API: S3DataSource.InstanceGroupNames")
def unknown_instance_group(subject: Subject) -> Iterator[Fault]:
    """A channel is for an instance group that the job does not have.

    Bad:  "InstanceGroupNames": ["feeder"] with InstanceGroups "feeders"
    Good: both the same
    """
    for at, job, placed in subject.jobs[TRAINING]:
        groups = [item.get("InstanceGroupName") for _, item in entries(job, "ResourceConfig", "InstanceGroups")]
        if not all(isinstance(name, str) for name in groups):
            continue
        for where, channel in entries(job, "InputDataConfig"):
            wanted = get(channel, "DataSource", "S3DataSource", "InstanceGroupNames")
            for index, name in enumerate(wanted if isinstance(wanted, tuple) else ()):
                if isinstance(name, str) and name not in groups:
                    here = f"{at}{where}/DataSource/S3DataSource/InstanceGroupNames/{index}"
                    there = ", ".join(map(str, groups))
                    yield Fault(
                        here,
                        f"the job has no instance group {name!r}",
                        f"it has {there}" if there else "declare it in ResourceConfig/InstanceGroups",
                        placed,
                    )


@rule("X757", "file-system-without-vpc", Severity.ERROR, source="CreateTrainingJob API: EFS and FSx want a VPC")
def file_system_without_vpc(subject: Subject) -> Iterator[Fault]:
    """A channel reads from a file system, and the job is in no VPC.

    Bad:  FileSystemDataSource without VpcConfig
    Good: the same with VpcConfig
    """
    for at, job, placed in subject.jobs[TRAINING]:
        used = any(
            get(item, "DataSource", "FileSystemDataSource") is not None for _, item in entries(job, "InputDataConfig")
        )
        if used and job.get("VpcConfig") is None:
            yield Fault(f"{at}/VpcConfig", "a file system is reached in a VPC only", "add VpcConfig", placed)


@rule("X758", "instances", Severity.ERROR, source="CreateTrainingJob API: ResourceConfig")
def instances(subject: Subject) -> Iterator[Fault]:
    """A job's instances: InstanceGroups or InstanceType with InstanceCount, not both, and at least one; only a
    serverless job has none.

    Bad:  {"InstanceType": "ml.m5.xlarge", "InstanceGroups": [...]}
    Good: {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        config = job.get("ResourceConfig")
        here = f"{at}/ResourceConfig"
        others = ("ServerlessJobConfig", "HyperParameterTuningResourceConfig")
        elsewhere = any(job.get(name) is not None for name in others)
        if config is None and not elsewhere:
            yield Fault(here, "the job has no ResourceConfig", "add InstanceType and InstanceCount", placed)
        if not isinstance(config, Mapping):
            continue
        if config.get("InstanceGroups") is None and config.get("InstancePreferences") is None and not elsewhere:
            for name in ("InstanceType", "InstanceCount"):
                if name not in config:
                    yield Fault(f"{here}/{name}", f"ResourceConfig has no {name}", f"add {name}", placed)
        if config.get("InstanceGroups") is not None:
            for name in ("InstanceType", "InstanceCount"):
                if config.get(name) is not None:
                    yield Fault(f"{here}/{name}", f"{name} and InstanceGroups exclude each other", "keep one", placed)
            for where, group in entries(config, "InstanceGroups"):
                if group.get("InstanceCount") == 0 and not isinstance(group["InstanceCount"], bool):
                    yield Fault(f"{here}{where}/InstanceCount", "a group without instances", "at least 1", placed)
            continue
        count = config.get("InstanceCount")
        if literal(subject, count) == 0 and not isinstance(literal(subject, count), bool):
            path = getattr(count, "path", None) if isinstance(count, Expression) else None
            declared = subject.parameters.get(path.name) if path else None
            where = f"{declared.at}/DefaultValue" if declared else f"{here}/InstanceCount"
            owner = declared.parameter.where if declared else None
            yield Fault(where, "no instance to train on", "at least 1", placed, owner, None)


@rule(
    "X759",
    "volume-key-on-local-storage",
    Severity.ERROR,
    source="CreateTrainingJob API: VolumeKmsKeyId is refused for instances with local storage",
)
def volume_key_on_local_storage(subject: Subject) -> Iterator[Fault]:
    """VolumeKmsKeyId with an instance type that has its own disks, which cannot be encrypted with that key.

    Bad:  "InstanceType": "ml.g5.xlarge", "VolumeKmsKeyId": "alias/ml"
    Good: "InstanceType": "ml.g5.xlarge"
    """
    for machine in subject.machines:
        if machine.settings.get("VolumeKmsKeyId") is None:
            continue
        groups = [group.get("InstanceType") for _, group in entries(machine.settings, "InstanceGroups")]
        kinds = [literal(subject, kind) for kind in (machine.type, *groups)]
        local = [kind for kind in kinds if isinstance(kind, str) and has_local_storage(kind)]
        if local:
            message = f"{local[0]} has local disks, VolumeKmsKeyId cannot encrypt them"
            yield Fault(f"{machine.at}/VolumeKmsKeyId", message, "remove it", machine.placed)


@rule("X760", "long-runtime", Severity.ERROR, source="AWS docs: 28 days at most; 432,000 s is the default quota")
def long_runtime(subject: Subject) -> Iterator[Fault]:
    """MaxRuntimeInSeconds over 28 days, or (a warning) over the default quota of five days.

    Bad:  "MaxRuntimeInSeconds": 2592000
    Good: "MaxRuntimeInSeconds": 86400
    """
    for at, job, placed in subject.jobs[TRAINING]:
        runtime = _number(literal(subject, get(job, "StoppingCondition", "MaxRuntimeInSeconds")))
        if runtime is None or runtime <= _DEFAULT_LIMIT:
            continue
        here = f"{at}/StoppingCondition/MaxRuntimeInSeconds"
        if runtime > _DAYS_28:
            yield Fault(here, f"{runtime} s is more than 28 days", "a job runs at most 28 days", placed)
        else:
            message = f"{runtime} s is more than the default quota of {_DEFAULT_LIMIT} s"
            yield Fault(here, message, "ask for a higher quota", placed, severity=Severity.WARNING)


_FIRST_GROUP = re.compile(r"(?<!\\)\((?:\?P<\w+>)?(?!\?)([^()]*)\)")
_MAY_BE_NUMBER = re.compile(r"[\d.\\\[]")
"""A digit, a point, a class or an escape, by which a group may take a number."""


@rule(
    "X761",
    "metric-regex",
    Severity.ERROR,
    source="CreateTrainingJob API: MetricDefinition; the value is the first group",
)
def metric_regex(subject: Subject) -> Iterator[Fault]:
    """A metric's regular expression does not compile, or (a warning) has no group to take the value from, or a first
    one that takes a word.

    Bad:  "Regex": "loss=[0-9.]+"
    Good: "Regex": "loss=([0-9.]+)"
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for where, item in entries(job, "AlgorithmSpecification", "MetricDefinitions"):
            text = item.get("Regex")
            if not isinstance(text, str) or len(text) > 500:
                continue
            try:
                groups = re.compile(text).groups
            except (re.error, OverflowError, RecursionError) as error:
                yield Fault(
                    f"{at}{where}/Regex",
                    f"the expression does not compile: {error}",
                    "Python's re has to read it, e.g. loss=(.*)",
                    placed,
                )
                continue
            first = _FIRST_GROUP.search(text)
            if groups > 1 and first is not None and not _MAY_BE_NUMBER.search(first[1]):
                message = f"the value is the first group, and ({first[1]}) is no number"
                help_text = f"write (?:{first[1]})"
                yield Fault(f"{at}{where}/Regex", message, help_text, placed, severity=Severity.WARNING)
            if not groups:
                message = "the expression has no group, so the metric has no value"
                help_text = "put ( ) around the number"
                yield Fault(f"{at}{where}/Regex", message, help_text, placed, severity=Severity.WARNING)


@rule(
    "X762",
    "augmented-manifest-attributes",
    Severity.WARNING,
    source="CreateTrainingJob API: S3DataSource.AttributeNames",
)
def augmented_manifest_attributes(subject: Subject) -> Iterator[Fault]:
    """An augmented manifest without the names of the attributes to read, or such names for another kind of data.

    Bad:  "S3DataType": "AugmentedManifestFile"
    Good: the same with "AttributeNames": ["source-ref", "label"]
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for where, channel in entries(job, "InputDataConfig"):
            source = get(channel, "DataSource", "S3DataSource")
            if get(source, "S3DataType") == "AugmentedManifestFile" and not get(source, "AttributeNames"):
                here = f"{at}{where}/DataSource/S3DataSource/AttributeNames"
                yield Fault(here, "an augmented manifest wants AttributeNames", "add them", placed)
            elif get(source, "AttributeNames") and get(source, "S3DataType") in ("S3Prefix", "ManifestFile"):
                here = f"{at}{where}/DataSource/S3DataSource/AttributeNames"
                message = "AttributeNames are read from an augmented manifest only"
                yield Fault(here, message, "remove them, or write AugmentedManifestFile", placed)


@rule("X763", "script-mode", Severity.WARNING, source="sagemaker-training-toolkit: sagemaker_submit_directory")
def script_mode(subject: Subject) -> Iterator[Fault]:
    """Script mode names a program but no source archive in S3, so the container has nothing to run; or one that the
    container may not fetch, or a folder in its place.

    Bad:  {"sagemaker_program": "train.py", "sagemaker_submit_directory": "./src"}
    Good: {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://acme/code/sourcedir.tar.gz"}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for member in ("HyperParameters", "StaticHyperParameters"):
            values = job.get(member)
            if not isinstance(values, Mapping) or "sagemaker_program" not in values:
                continue
            here = f"{at}/{member}/sagemaker_submit_directory"
            folder = values.get("sagemaker_submit_directory")
            if folder is None:
                channels = [item.get("ChannelName") for _, item in entries(job, "InputDataConfig")]
                environment = get(job, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY")
                if environment is None and not any(isinstance(name, str) and "code" in name for name in channels):
                    yield Fault(here, "sagemaker_program without sagemaker_submit_directory", "add it", placed)
                continue
            text = folder.strip('"') if isinstance(folder, str) else None
            if text is not None and not text.startswith(("s3://", "https://", "/opt/ml/")):
                yield Fault(here, f"{text!r} is on the author's machine", "upload the sources", placed)
            elif text is not None and text.startswith("s3://") and text.endswith("/"):
                message = f"{text!r} is a folder, and the container unpacks an archive"
                yield Fault(here, message, f"e.g. {text}sourcedir.tar.gz", placed)
            elif text is not None and text.startswith("s3://") and job.get("EnableNetworkIsolation") is True:
                message = "the container fetches its sources from S3, and network isolation forbids it"
                help_text = "bring them by a channel: /opt/ml/input/data/code/sourcedir.tar.gz"
                yield Fault(here, message, help_text, placed)


@rule(
    "X764", "container-contract", Severity.WARNING, source="AWS docs: training containers; the official SDK's templates"
)
def container_contract(subject: Subject) -> Iterator[Fault]:
    """Checkpoints inside the directory of the model, the output or the input, or an init program as a training
    entrypoint.

    Bad:  "CheckpointConfig": {"S3Uri": "s3://acme/checkpoints", "LocalPath": "/opt/ml/model"}
    Good: "CheckpointConfig": {"S3Uri": "s3://acme/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        path = get(job, "CheckpointConfig", "LocalPath")
        if isinstance(path, str) and (path.rstrip("/") + "/").startswith(("/opt/ml/model/", "/opt/ml/output/")):
            message = f"checkpoints in {path} become part of the model or output"
            yield Fault(f"{at}/CheckpointConfig/LocalPath", message, "use /opt/ml/checkpoints", placed)
        elif isinstance(path, str) and (path.rstrip("/") + "/").startswith("/opt/ml/input/"):
            message = f"{path} is where the job's input is put"
            yield Fault(f"{at}/CheckpointConfig/LocalPath", message, "use /opt/ml/checkpoints", placed)
        elif isinstance(path, str) and not path.startswith("/"):
            message = f"{path} is no path from the container's root"
            yield Fault(f"{at}/CheckpointConfig/LocalPath", message, "use /opt/ml/checkpoints", placed)
        entrypoint = get(job, "AlgorithmSpecification", "ContainerEntrypoint")
        first = entrypoint[0] if isinstance(entrypoint, tuple) and entrypoint else None
        if isinstance(first, str) and first.rpartition("/")[2] in ("tini", "dumb-init"):
            here = f"{at}/AlgorithmSpecification/ContainerEntrypoint/0"
            yield Fault(here, f"{first} as the entrypoint of a training container", "start the program itself", placed)


@rule(
    "X767",
    "channel-needs-pipe",
    Severity.WARNING,
    source="CreateTrainingJob API: Channel.CompressionType, Channel.RecordWrapperType, S3DataSource.S3DataType",
)
def channel_needs_pipe(subject: Subject) -> Iterator[Fault]:
    """A channel asks for what only Pipe mode does (unpack Gzip, wrap in RecordIO, augmented manifests) in another
    mode, or to wrap what is RecordIO already; or a file system for Pipe. That, and an augmented manifest outside of
    Pipe, is an error.

    Bad:  "InputMode": "File", "CompressionType": "Gzip"
    Good: "InputMode": "Pipe", "CompressionType": "Gzip"
    """
    for at, job, placed in subject.jobs[TRAINING]:
        default = get(job, "AlgorithmSpecification", "TrainingInputMode")
        for where, channel in entries(job, "InputDataConfig"):
            mode = channel.get("InputMode", default)
            here = f"{at}{where}"
            if mode == "Pipe" and get(channel, "DataSource", "FileSystemDataSource") is not None:
                yield Fault(
                    f"{here}/InputMode",
                    "a file system is mounted, it cannot be piped",
                    "write File",
                    placed,
                    severity=Severity.ERROR,
                )
            if mode == "Pipe" and channel.get("RecordWrapperType") == "RecordIO" and _is_wrapped(channel):
                message = f"the records are {shown(channel['ContentType'])} already, and are wrapped again"
                yield Fault(f"{here}/RecordWrapperType", message, "remove it", placed)
            if mode == "Pipe" and channel.get("ContentType") == _MODEL:
                message = "a model to train on is read as a file"
                yield Fault(f"{here}/InputMode", message, "write File", placed)
            if mode not in ("File", "FastFile"):
                continue
            for name, value in (("CompressionType", "Gzip"), ("RecordWrapperType", "RecordIO")):
                if channel.get(name) == value:
                    message = f"{name} {value} has an effect in Pipe mode only, this channel is read by {mode}"
                    yield Fault(f"{here}/{name}", message, f"remove {name}, or read by Pipe", placed)
            kind = get(channel, "DataSource", "S3DataSource", "S3DataType")
            if mode == "FastFile" and kind == "ManifestFile":
                place = f"{here}/DataSource/S3DataSource/S3DataType"
                message = "FastFile mounts a prefix, it does not read a manifest"
                yield Fault(place, message, "use S3Prefix, or read by File", placed)
            if kind == "AugmentedManifestFile":
                message = f"an augmented manifest can be read in Pipe mode only, this channel is read by {mode}"
                place = f"{here}/DataSource/S3DataSource/S3DataType"
                yield Fault(place, message, 'set "InputMode": "Pipe"', placed, severity=Severity.ERROR)


_MODEL = "application/x-sagemaker-model"


def _is_wrapped(channel: Mapping[str, Value]) -> bool:
    content = channel.get("ContentType")
    return isinstance(content, str) and "recordio" in content.lower()


_DATA_PARALLEL = re.compile(r"ml\.(p3\.16xlarge|p3dn\.24xlarge|p4d\.24xlarge|p4de\.24xlarge)")
_MANY_HOSTS = ("sagemaker_parameter_server_enabled", "sagemaker_multi_worker_mirrored_strategy_enabled")


@rule(
    "X766",
    "distribution-without-machines",
    Severity.WARNING,
    source="official SDK's fw_utils: instance types of smdistributed; sagemaker-training-toolkit",
)
def distribution_without_machines(subject: Subject) -> Iterator[Fault]:
    """A job is told to distribute itself over machines that it does not have: a parameter server or mirrored workers on
    one instance, SageMaker's data parallel library or torch's launcher on instances that they do not support, or
    instance groups that the job does not declare.

    Bad:  "sagemaker_parameter_server_enabled": "true", "InstanceCount": 1
    Good: "sagemaker_parameter_server_enabled": "true", "InstanceCount": 2
    """
    for at, job, placed in subject.jobs[TRAINING]:
        config = job.get("ResourceConfig")
        count = literal(subject, get(config, "InstanceCount"))
        kind = literal(subject, get(config, "InstanceType"))
        for member in ("HyperParameters", "StaticHyperParameters"):
            values = job.get(member)
            if not isinstance(values, Mapping):
                continue
            on = {name for name, value in values.items() if str(value).strip('"').lower() == "true"}
            for name in _MANY_HOSTS:
                if name in on and count == 1:
                    message = f"{name} with one instance: there is nothing to distribute over"
                    yield Fault(f"{at}/{member}/{name}", message, "raise InstanceCount, or remove it", placed)
            name = "sagemaker_torch_distributed_enabled"
            if name in on and isinstance(kind, str) and accelerator(kind) == "cpu":
                message = f"torch's launcher takes GPUs or Trainium here, and {kind} has neither"
                yield Fault(f"{at}/{member}/{name}", message, "e.g. ml.g5.2xlarge, or remove it", placed)
            name = "sagemaker_distributed_dataparallel_enabled"
            if name in on and isinstance(kind, str) and not _DATA_PARALLEL.fullmatch(kind):
                message = f"SageMaker's data parallel library does not run on {kind}"
                yield Fault(f"{at}/{member}/{name}", message, "e.g. ml.p4d.24xlarge", placed)


@rule(
    "X768",
    "over-default-quota",
    Severity.WARNING,
    source="AWS docs: 20 instances per training job by default; EBS volumes of at most 16 TiB",
)
def over_default_quota(subject: Subject) -> Iterator[Fault]:
    """A job asks for more than an account has unless it asked for more: over 20 instances, or a volume over 16,384 GB.

    Bad:  "InstanceCount": 64
    Good: "InstanceCount": 16
    """
    for at, job, placed in subject.jobs[TRAINING]:
        config = job.get("ResourceConfig")
        for name, limit, what in (("InstanceCount", 20, "instances per job"), ("VolumeSizeInGB", 16384, "GB")):
            value = _number(literal(subject, get(config, name)))
            if value is not None and value > limit:
                message = f"{name} is {shown(value)}, the default quota is {limit} {what}"
                yield Fault(f"{at}/ResourceConfig/{name}", message, "lower it, or ask Service Quotas for more", placed)


@rule("X769", "subnets-for-groups", Severity.ERROR, source="EC2 resource names: subnet-... and sg-...")
def subnets_for_groups(subject: Subject) -> Iterator[Fault]:
    """VpcConfig has security groups where subnets belong, or the other way round; or (a warning) names in place of ids.

    Bad:  {"Subnets": ["sg-0a1"], "SecurityGroupIds": ["subnet-0b2"]}
    Good: {"Subnets": ["subnet-0b2"], "SecurityGroupIds": ["sg-0a1"]}
    """
    for at, text, placed in subject.texts:
        container, _, member = at.rpartition("/")[0].rpartition("/")
        begins = _IDS.get(member) if container.endswith("VpcConfig") else None
        if begins is None:
            continue
        if not text.startswith(("sg-", "subnet-")):
            if not _ID.fullmatch(text):
                continue  # told of the request's shape
            message = f"{shown(text)} is no id of {'a subnet' if member == 'Subnets' else 'a security group'}"
            yield Fault(at, message, f"ids begin with {begins}", placed, severity=Severity.WARNING)
        elif (member == "Subnets" and text.startswith("sg-")) or (
            member == "SecurityGroupIds" and text.startswith("subnet-")
        ):
            what = "a security group" if text.startswith("sg-") else "a subnet"
            yield Fault(at, f"{shown(text)} is {what}, and stands in {member}", "swap the two lists", placed)


_ID = re.compile(r"[-0-9a-zA-Z]+")
_IDS = {"Subnets": "subnet-", "SecurityGroupIds": "sg-"}
