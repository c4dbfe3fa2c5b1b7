"""The kinds of job that step types state, by what an account calls them.

Asked for one kind, the step types that are loaded are looked through before all others are loaded; what cannot be the
name of a job loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlops.check import step_types
from mlops.check.own_step_types import own_step_types
from mlops.ir import JobKind, StepType


def by_name(name: str) -> JobKind | None:
    """E.g. TrainingJob."""
    return _found(lambda kind: kind.name == name) if name.endswith("Job") else None


def by_member(member: str) -> JobKind | None:
    """By the member of a step's Metadata."""
    return _found(lambda kind: kind.member == member) if member.endswith("Job") else None


def behind(metadata: Mapping[str, Any]) -> tuple[JobKind, str] | None:
    """The kind and the name of the job that a step's Metadata tells of: by a member of the kind's own, or as a check
    does."""
    for member, told in metadata.items():
        given = told if isinstance(told, Mapping) else {}
        arn = str(given.get("CheckJobArn") or given.get("Arn") or "")
        segment, _, name = arn.rpartition(":")[2].partition("/")
        kind = by_segment(segment) if "CheckJobArn" in given else by_member(member)
        if kind is not None and name:
            return kind, name
    return None


def by_segment(segment: str) -> JobKind | None:
    """By the beginning of an ARN's resource part, e.g. training-job."""
    return _found(lambda kind: kind.segment == segment) if segment.endswith("-job") else None


def by_log_group(group: str) -> JobKind | None:
    return _found(lambda kind: kind.log_group == group) if group.endswith("Jobs") else None


def all_kinds() -> tuple[JobKind, ...]:
    """By name."""
    return _sorted(_every())


def kinds_here() -> tuple[JobKind, ...]:
    """Those that run on this machine, by name."""
    return _sorted(found for found in _every() if found.action is not None)


def _sorted(types: Iterable[StepType]) -> tuple[JobKind, ...]:
    kinds = {found.job.name: found.job for found in types if found.job is not None}
    return tuple(kinds[name] for name in sorted(kinds))


def _found(wanted: Callable[[JobKind], bool]) -> JobKind | None:
    for types in (own_step_types().loaded, _every):
        for found in types():
            if found.job is not None and wanted(found.job):
                return found.job
    return None


def _every() -> Iterable[StepType]:
    return step_types().values()
