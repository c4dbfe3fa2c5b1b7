"""What an application of EMR Serverless may have, and the limits of what it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_RELEASE = re.compile(r"emr-(?P<major>\d+)\..*")
_AMOUNT = re.compile(r"(?P<number>\d+)\s?[A-Za-z]*")
_WORKERS: Mapping[str, tuple[str, ...]] = {"SPARK": ("Driver", "Executor"), "HIVE": ("HiveDriver", "TezTask")}
_CAPACITY: Mapping[str, tuple[str, ...]] = {
    "SPARK": ("DRIVER", "EXECUTOR"),
    "HIVE": ("HIVEDRIVER", "DRIVER", "TEZTASK"),
}
"""Of the keys, in capitals and without the underscores that some write."""
_MEMORY: Mapping[int, tuple[int, int]] = {1: (2, 8), 2: (4, 16), 4: (8, 30), 8: (16, 60), 16: (32, 120)}
"""GB of memory that a worker of so many vCPUs may have."""
_DISK = (20, 200)
_LOGGED = ("SPARK_DRIVER", "SPARK_EXECUTOR", "HIVE_DRIVER", "TEZ_TASK")
_FILES = ("STDOUT", "STDERR", "HIVE_LOG", "TEZ_AM", "SYSTEM_LOGS")
_WEEK = 10_080


@rule(
    "X949",
    "serverless-application-workers",
    Severity.ERROR,
    source="EMR Serverless API: CreateApplication; EMR Serverless guide: worker configurations",
)
def serverless_application_workers(subject: Subject) -> Iterator[Fault]:
    """An application of EMR Serverless with workers of another engine or of a size that there is not, that begins with
    more than it may have, with images both for all workers and for each or for some of them alone, or with a queue of
    its own before release 7.0.

    Bad:  "initialCapacity": {"Driver": {"workerConfiguration": {"cpu": "4vCPU", "memory": "64GB"}}}
    Good: "initialCapacity": {"Driver": {"workerConfiguration": {"cpu": "4vCPU", "memory": "16GB"}}}
    """
    for placed, arguments in subject.of_type("EMRServerless"):
        at, config = f"{placed.pointer}/Arguments/ApplicationConfig", arguments.get("ApplicationConfig")
        if not isinstance(config, Mapping):
            continue
        release = literal(subject, config.get("releaseLabel"))
        match = _RELEASE.fullmatch(release) if isinstance(release, str) else None
        if match is not None and int(match["major"]) < 7 and config.get("schedulerConfiguration") is not None:
            message = f"schedulerConfiguration wants release 7.0 at least, and this is {release}"
            yield Fault(f"{at}/schedulerConfiguration", message, "name a newer release, or remove it", placed)
        image = config.get("imageConfiguration")
        if isinstance(image, Mapping) and not image.get("imageUri"):
            message = "an application is made with an image, or without imageConfiguration"
            yield Fault(f"{at}/imageConfiguration/imageUri", message, "add it", placed)
        kind = literal(subject, config.get("type"))
        yield from _workers(at, config, kind.upper() if isinstance(kind, str) else None, placed)


def _workers(at: str, config: Mapping[str, Value], kind: str | None, placed: Placed) -> Iterator[Fault]:
    capacity, specified = config.get("initialCapacity"), config.get("workerTypeSpecifications")
    known = _CAPACITY.get(kind or "", ())
    for name, item in capacity.items() if isinstance(capacity, Mapping) else ():
        where = f"{at}/initialCapacity{pointer(name)}"
        if known and name.replace("_", "").upper() not in known:
            yield Fault(where, f"an application of {kind} has no workers {name!r}", _one_of(kind), placed)
        size = get(item, "workerConfiguration")
        cpu, memory = _amount(get(size, "cpu")), _amount(get(size, "memory"))
        if cpu is not None and cpu not in _MEMORY:
            message = f"a worker has no {shown(get(size, 'cpu'))}"
            yield Fault(f"{where}/workerConfiguration/cpu", message, "1, 2, 4, 8 or 16 vCPU", placed)
        elif cpu is not None and memory is not None and not _MEMORY[cpu][0] <= memory <= _MEMORY[cpu][1]:
            least, most = _MEMORY[cpu]
            message = f"a worker of {cpu} vCPU has {least} to {most} GB, not {shown(get(size, 'memory'))}"
            yield Fault(f"{where}/workerConfiguration/memory", message, "change one of them", placed)
        disk = _amount(get(size, "disk"))
        if disk is not None and get(size, "diskType") in (None, "STANDARD") and not _DISK[0] <= disk <= _DISK[1]:
            message = f"a worker has a disk of {_DISK[0]} to {_DISK[1]} GB, not {shown(get(size, 'disk'))}"
            help_text = "change it, or choose SHUFFLE_OPTIMIZED"
            yield Fault(f"{where}/workerConfiguration/disk", message, help_text, placed)
    for unit in ("cpu", "memory"):
        begun, allowed = _together(capacity, unit), _amount(get(config, "maximumCapacity", unit))
        if begun is not None and allowed is not None and begun > allowed:
            message = f"the application begins with {begun} of {unit}, and may have {allowed}"
            yield Fault(f"{at}/maximumCapacity/{unit}", message, "raise it, or begin with less", placed)
    if isinstance(specified, Mapping) and specified:
        where, wanted = f"{at}/workerTypeSpecifications", _WORKERS.get(kind or "", ())
        names = {name.replace("_", "").lower() for name in specified}
        missing = [name for name in wanted if name.lower() not in names]
        if missing:
            message = f"an image for some workers wants one for all, and {missing[0]} has none"
            yield Fault(where, message, f"add {missing[0]}", placed)
        if get(config, "imageConfiguration", "imageUri") is not None:
            message = "imageConfiguration is for all workers, and workerTypeSpecifications has one for each"
            yield Fault(where, message, "keep one of them", placed)


def _together(capacity: Value, unit: str) -> int | None:
    total = 0
    for item in capacity.values() if isinstance(capacity, Mapping) else ():
        each, count = _amount(get(item, "workerConfiguration", unit)), get(item, "workerCount")
        if each is None or not isinstance(count, int):
            return None
        total += each * count
    return total


def _one_of(kind: str | None) -> str:
    return f"one of {', '.join(_WORKERS[kind or 'SPARK'])}"


def _amount(text: Value) -> int | None:
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    return int(match["number"]) if match is not None else None


@rule("X950", "serverless-job-limits", Severity.WARNING, source="EMR Serverless API: StartJobRun, RetryPolicy")
def serverless_job_limits(subject: Subject) -> Iterator[Fault]:
    """A batch of EMR Serverless has no timeout or one of more than seven days, which releases from 7.11 on refuse, or
    tries again as only streams do; or (an error) it logs workers or files that there are not.

    Bad:  "executionTimeoutMinutes": 0
    Good: "executionTimeoutMinutes": 720
    """
    for placed, arguments in subject.of_type("EMRServerless"):
        at, job = f"{placed.pointer}/Arguments/JobConfig", arguments.get("JobConfig")
        if get(job, "mode") in (None, "BATCH"):
            minutes = literal(subject, get(job, "executionTimeoutMinutes"))
            if isinstance(minutes, int) and not isinstance(minutes, bool) and (minutes == 0 or minutes > _WEEK):
                message = f"a batch runs for {_WEEK:,} minutes at most, not for {minutes or 'ever'}"
                yield Fault(f"{at}/executionTimeoutMinutes", message, f"at most {_WEEK}", placed)
            if get(job, "retryPolicy", "maxFailedAttemptsPerHour") is not None:
                where = f"{at}/retryPolicy/maxFailedAttemptsPerHour"
                yield Fault(where, "attempts by the hour are for streams only", "write maxAttempts", placed)
        logs = ("configurationOverrides", "monitoringConfiguration", "cloudWatchLoggingConfiguration", "logTypes")
        types = get(job, *logs)
        for name, files in types.items() if isinstance(types, Mapping) else ():
            where = f"{at}{pointer(*logs, name)}"
            for index, file in enumerate(files if isinstance(files, tuple) else ()):
                if isinstance(file, str) and file not in _FILES:
                    message, help_text = f"there is no log {file!r}", f"one of {', '.join(_FILES)}"
                    yield Fault(f"{where}/{index}", message, help_text, placed, severity=Severity.ERROR)
            if name not in _LOGGED:
                message = f"there are no workers {name!r} whose logs are kept"
                yield Fault(where, message, f"one of {', '.join(_LOGGED)}", placed, severity=Severity.ERROR)
