"""Settings of training jobs that only some values make sense for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold, literal
from mlops.check.instances import accelerator
from mlops.check.jobs import PROCESSING, TRAINING
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.members import get
from mlops.ir.values import pointer

_INTERVALS = (100, 200, 500, 1000, 5000, 60000)


@rule(
    "X789",
    "file-system-directory",
    Severity.ERROR,
    source="CreateTrainingJob API: FileSystemDataSource.DirectoryPath, the full path",
)
def file_system_directory(subject: Subject) -> Iterator[Fault]:
    """A channel reads a directory of a file system by a path that does not begin at the file system's root. An empty
    default of a parameter stands for what an execution is given.

    Bad:  "DirectoryPath": "fsx/train"
    Good: "DirectoryPath": "/fsx/train"
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for where, channel in entries(job, "InputDataConfig"):
            given = get(channel, "DataSource", "FileSystemDataSource", "DirectoryPath")
            path = literal(subject, given)
            if isinstance(path, str) and not path.startswith("/") and (path or given == path):
                here = f"{at}{where}/DataSource/FileSystemDataSource/DirectoryPath"
                yield Fault(here, f"{shown(path)} is no full path", f'write "/{path}"', placed)


@rule("X899", "profiling-interval", Severity.ERROR, source="botocore: ProfilerConfig.ProfilingIntervalInMilliseconds")
def profiling_interval(subject: Subject) -> Iterator[Fault]:
    """The profiler is asked for an interval that it does not have: 100, 200, 500, 1000, 5000 or 60000 milliseconds.

    Bad:  "ProfilingIntervalInMilliseconds": 300
    Good: "ProfilingIntervalInMilliseconds": 500
    """
    for at, job, placed in subject.jobs[TRAINING]:
        found = literal(subject, get(job, "ProfilerConfig", "ProfilingIntervalInMilliseconds"))
        if isinstance(found, int) and not isinstance(found, bool) and found not in _INTERVALS:
            here = f"{at}/ProfilerConfig/ProfilingIntervalInMilliseconds"
            yield Fault(here, f"{shown(found)} ms is no interval of the profiler", "e.g. 500", placed)


@rule("X868", "pending-time-of-cpus", Severity.WARNING, source="StoppingCondition API: MaxPendingTimeInSeconds")
def pending_time_of_cpus(subject: Subject) -> Iterator[Fault]:
    """A limit on how long a job waits for its instances, on instances without accelerators: it has no effect there.

    Bad:  "MaxPendingTimeInSeconds": 7200 on ml.m5.xlarge
    Good: "MaxPendingTimeInSeconds": 7200 on ml.g5.xlarge
    """
    for at, job, placed in subject.jobs[TRAINING]:
        kind = literal(subject, get(job, "ResourceConfig", "InstanceType"))
        if get(job, "StoppingCondition", "MaxPendingTimeInSeconds") is None or not isinstance(kind, str):
            continue
        if accelerator(kind) == "cpu" and get(job, "ResourceConfig", "InstancePreferences") is None:
            here = f"{at}/StoppingCondition/MaxPendingTimeInSeconds"
            yield Fault(
                here,
                f"{here.rpartition('/')[2]} has no effect on {kind}, which has no accelerator",
                "remove it",
                placed,
            )


_FRAMEWORK_PROFILES = ("DetailedProfilingConfig", "PythonProfilingConfig", "DataLoaderProfilingConfig")


@rule(
    "X941",
    "profiler-settings",
    Severity.WARNING,
    source="botocore: ProfilerConfig.ProfilingParameters; official SDK's estimator: none beside disable_profiler",
)
def profiler_settings(subject: Subject) -> Iterator[Fault]:
    """The profiler is off and has settings or rules all the same, or is told to profile in a way that it does not know
    or that is no JSON.

    Bad:  "ProfilerConfig": {"DisableProfiler": true, "S3OutputPath": "s3://acme/profiles"}
    Good: "ProfilerConfig": {"DisableProfiler": true}
    """
    for at, job, placed in subject.jobs[TRAINING]:
        config = job.get("ProfilerConfig")
        if not isinstance(config, Mapping):
            continue
        here = f"{at}/ProfilerConfig"
        if literal(subject, config.get("DisableProfiler")) is True:
            for name in config.keys() - {"DisableProfiler"}:
                yield Fault(f"{here}/{name}", f"the profiler is off, {name} has no effect", "remove it", placed)
            if job.get("ProfilerRuleConfigurations"):
                where, message = f"{at}/ProfilerRuleConfigurations", "the profiler is off, its rules find nothing"
                yield Fault(where, message, "remove them, or set DisableProfiler to false", placed)
        parameters = config.get("ProfilingParameters")
        for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
            where = f"{here}/ProfilingParameters{pointer(name)}"
            if name not in _FRAMEWORK_PROFILES and name != "LocalPath":
                help_text = did_you_mean(name, _FRAMEWORK_PROFILES) or f"one of {', '.join(_FRAMEWORK_PROFILES)}"
                yield Fault(where, f"the profiler has no option {name!r}", help_text, placed)
            elif isinstance(value, str) and name != "LocalPath" and not _is_object(value):
                yield Fault(where, f"{shown(value)} is no object in JSON", 'e.g. "{\\"StartStep\\": 5}"', placed)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


_ONE_FILE = (
    ".csv", ".json", ".jsonl", ".parquet", ".libsvm", ".svm", ".txt", ".rec", ".tfrecord", ".tfrecords", ".gz", ".zip",
    ".pkl", ".npy", ".npz", ".h5", ".tsv",
)  # fmt: skip


@rule(
    "X942",
    "shards-of-one-file",
    Severity.WARNING,
    source="botocore: S3DataSource.S3DataDistributionType, 'some nodes won't get any data'",
)
def shards_of_one_file(subject: Subject) -> Iterator[Fault]:
    """A job on several instances shares one file out among them: all but one of them get nothing.

    Bad:  "S3DataDistributionType": "ShardedByS3Key" for s3://acme/train.csv on two instances
    Good: the same for s3://acme/train/
    """
    for kind, channels, source in (
        (TRAINING, ("InputDataConfig",), ("DataSource", "S3DataSource")),
        (PROCESSING, ("ProcessingInputs",), ("S3Input",)),
    ):
        for job in subject.jobs[kind]:
            count = literal(subject, get(job.request, *kind.machines, "InstanceCount"))
            if not isinstance(count, int) or count < 2:
                continue
            for where, item in entries(job.request, *channels):
                data = get(item, *source)
                uri = fold(subject, get(data, "S3Uri")) or ""
                # What a manifest lists may be many files.
                is_one = get(data, "S3DataType") == "S3Prefix" and uri.lower().endswith(_ONE_FILE)
                if is_one and get(data, "S3DataDistributionType") == "ShardedByS3Key":
                    at = f"{job.at}{where}{pointer(*source)}/S3DataDistributionType"
                    message = f"{count} instances share one file, and one of them gets it"
                    yield Fault(at, message, "use FullyReplicated, or a prefix of several files", job.placed)


@rule("X943", "training-plan", Severity.WARNING, source="AWS docs: training plans reserve accelerated instances")
def training_plan(subject: Subject) -> Iterator[Fault]:
    """A job takes reserved capacity by a training plan, and asks for spot capacity or for instances without
    accelerators, which no plan reserves.

    Bad:  "TrainingPlanArn" on ml.m5.xlarge
    Good: "TrainingPlanArn" on ml.p5.48xlarge
    """
    for at, job, placed in subject.jobs[TRAINING]:
        config = job.get("ResourceConfig")
        if get(config, "TrainingPlanArn") is None:
            continue
        kind = literal(subject, get(config, "InstanceType"))
        if literal(subject, job.get("EnableManagedSpotTraining")) is True:
            message = "a training plan is capacity that is reserved, and spot capacity is none"
            yield Fault(f"{at}/EnableManagedSpotTraining", message, "keep one of them", placed)
        if isinstance(kind, str) and accelerator(kind) == "cpu":
            message = f"{kind} has no accelerator, and training plans reserve those that have"
            yield Fault(f"{at}/ResourceConfig/InstanceType", message, "name the plan's instance type", placed)
