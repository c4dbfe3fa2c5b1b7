"""Limits of numbers that the service's documentation has and the shapes of its requests have not: a table, so that a
sentence is a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_LIMITS: Mapping[str, Mapping[str, tuple[int, int | None]]] = {
    "PlacementSpecifications": {"InstanceCount": (1, None)},
    "ClusterConfig": {"StepConcurrencyLevel": (1, 256)},
    "SpotSpecification": {"TimeoutDurationMinutes": (5, 1440)},
    "SpotResizeSpecification": {"TimeoutDurationMinutes": (5, 10_080)},
    "OnDemandResizeSpecification": {"TimeoutDurationMinutes": (5, 10_080)},
    "InstanceTypeConfigs": {"WeightedCapacity": (1, None)},
    "VolumeSpecification": {"SizeInGB": (1, None), "Throughput": (125, 1000)},
    "EbsBlockDeviceConfigs": {"VolumesPerInstance": (1, None)},
    "schedulerConfiguration": {"queueTimeoutMinutes": (15, 720), "maxConcurrentRuns": (1, 1000)},
}
"""By the member that has the object, or whose list has it; then by the object's own member."""
_NAMES = frozenset({"SequenceLength", *(name for limits in _LIMITS.values() for name in limits)})
_LONGEST = 1024
_TOKENS = re.compile(r"(\d+)K")


@rule("X940", "documented-limit", Severity.ERROR, source="botocore's documentation of the members")
def documented_limit(subject: Subject) -> Iterator[Fault]:
    """A number beyond the limits that the documentation of its member tells.

    Bad:  "PlacementSpecifications": [{"InstanceCount": 0}]
    Good: "PlacementSpecifications": [{"InstanceCount": 1}]
    """
    for at, value, placed in subject.objects:
        if _NAMES.isdisjoint(value):
            continue
        for name, (low, high) in _LIMITS.get(_holder(at), {}).items():
            number = literal(subject, value.get(name))
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            if number < low or (high is not None and number > high):
                limits = f"at least {low:,}" if high is None else f"{low:,} to {high:,}"
                yield Fault(f"{at}/{name}", f"{name} is {shown(number)}, it can be {limits}", None, placed)
        tokens = literal(subject, value.get("SequenceLength"))
        match = _TOKENS.fullmatch(tokens) if isinstance(tokens, str) else None
        if match is not None and not 1 <= int(match[1]) <= _LONGEST:
            message = f"SequenceLength is {tokens}, it can be 1K to {_LONGEST}K"
            yield Fault(f"{at}/SequenceLength", message, 'e.g. "32K"', placed)


def _holder(at: str) -> str:
    start, _, last = at.rpartition("/")
    return start.rpartition("/")[2] if last.isdecimal() else last
