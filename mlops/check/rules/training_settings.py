"""Settings of training jobs that only some values make sense for."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.expressions import literal
from mlops.check.instances import accelerator
from mlops.check.jobs import TRAINING
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.members import get

_INTERVALS = (100, 200, 500, 1000, 5000, 60000)


@rule(
    "X789",
    "file-system-directory",
    Severity.WARNING,
    source="CreateTrainingJob API: FileSystemDataSource.DirectoryPath, the full path",
)
def file_system_directory(subject: Subject) -> Iterator[Fault]:
    """A channel reads a directory of a file system by a path that does not begin at the file system's root.

    Bad:  "DirectoryPath": "fsx/train"
    Good: "DirectoryPath": "/fsx/train"
    """
    for at, job, placed in subject.jobs[TRAINING]:
        for where, channel in entries(job, "InputDataConfig"):
            path = literal(subject, get(channel, "DataSource", "FileSystemDataSource", "DirectoryPath"))
            if isinstance(path, str) and not path.startswith("/"):
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
            yield Fault(here, f"it has no effect on {kind}, which has no accelerator", "remove it", placed)
