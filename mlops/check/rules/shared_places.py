"""What steps or executions share although each was meant to have its own: checkpoints, and what a cache keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold
from mlops.check.graph import exclude_each_other
from mlops.check.jobs import TRAINING
from mlops.check.properties import echoed
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Value
from mlops.ir.members import get


@rule(
    "X845",
    "shared-checkpoints",
    Severity.WARNING,
    source="AWS docs: model-checkpoints: a job begins with what is there",
)
def shared_checkpoints(subject: Subject) -> Iterator[Fault]:
    """Two trainings keep their checkpoints in one place: each begins with those of the other, or loses its own.

    Bad:  "CheckpointConfig": {"S3Uri": "s3://acme/checkpoints"} of two steps
    Good: "s3://acme/checkpoints/small" and "s3://acme/checkpoints/large"
    """
    seen: dict[object, Placed] = {}
    for job in subject.jobs[TRAINING]:
        value = get(job.request, "CheckpointConfig", "S3Uri")
        if value is None:
            continue
        text = fold(subject, value)
        key = text.rstrip("/") if text is not None else value if isinstance(value, Ref) else None
        first = seen.setdefault(key, job.placed) if key is not None else job.placed
        if first is not job.placed and not exclude_each_other(first, job.placed):
            message = f"{first.step.name!r} keeps its checkpoints there too"
            yield Fault(f"{job.at}/CheckpointConfig/S3Uri", message, "give each a place of its own", job.placed)


@rule(
    "X846",
    "cache-of-what-changes",
    Severity.WARNING,
    source="AWS docs: pipelines-caching, pipelines-default-keys: arguments are compared, and never what lies in S3",
)
def cache_of_what_changes(subject: Subject) -> Iterator[Fault]:
    """A step with a cache reads what another step, which has none, writes to the same place in every execution: the
    cache finds the same arguments, and serves what was made of older data.

    Bad:  a cached Training of an output at "s3://acme/train" of a Processing without a cache
    Good: the output at {"Std:Join": {"On": "/", "Values": ["s3://acme", {"Get": "Execution.PipelineExecutionId"}]}}
    """
    cached = {
        placed.pointer: tuple(f"{placed.pointer}/Arguments/{key.replace('.', '/')}/" for key in step_type.cache_keys)
        for placed in subject.placed
        if _is_cached(placed) and (step_type := subject.type_of(placed.step)) is not None
    }
    told: set[tuple[str, str]] = set()
    for reading in subject.readings if cached else ():
        path, site = reading.path, reading.site
        keys = cached.get(site.placed.pointer) if site.placed is not None else None
        producer = subject.by_name.get(path.name) if path.root == "Steps" and keys is not None else None
        if producer is None or site.placed is None or keys is None or not site.at.startswith(keys):
            continue
        if path.segments[-1:] != ("S3Uri",) or path.segments[:1] != ("ProcessingOutputConfig",):
            continue
        value = echoed(subject, site.expression) if isinstance(site.expression, Ref) else None
        key = (site.placed.pointer, producer.step.name)
        if _is_cached(producer) or not _is_fixed(value) or key in told:
            continue
        told.add(key)
        message = (
            f"{producer.step.name!r} writes it to the same place each time, and the cache compares the place alone"
        )
        help_text = f"join Execution.PipelineExecutionId into the place, or give {producer.step.name} a cache too"
        yield Fault(f"{site.at}/Get", message, help_text, site.placed)


def _is_cached(placed: Placed) -> bool:
    config = placed.step.members.get("CacheConfig")
    return isinstance(config, Mapping) and config.get("Enabled") is True


def _is_fixed(value: Value) -> bool:
    """A literal: what a parameter says may be another each time."""
    if isinstance(value, Join):
        return all(_is_fixed(item) for item in value.values)
    return isinstance(value, str | int) and not isinstance(value, Ref | JsonGet)
