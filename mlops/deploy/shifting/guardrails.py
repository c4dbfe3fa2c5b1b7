"""A course as SageMaker's deployment guardrails express it, or why they cannot.

They know one canary, equal steps, all at once, and rolling batches (API reference: TrafficRoutingConfig,
RollingUpdatePolicy; guide: deployment-guardrails). Their numbers are whole, and have bounds that the service checks
beside what botocore's model says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mlops.ir.duration import said
from mlops.ir.shift import Course, Stage

LONGEST_WAIT = 3600
SHORTEST_LIMIT, LONGEST_LIMIT = 600, 28_800
"""MaximumExecutionTimeoutInSeconds."""
STARTING_SECONDS = 1800
"""What a fleet may take to come up, beside the waiting: an assumption, since the service documents no time."""
MOST_ALARMS = 10


class Inexpressible(Exception):
    """Its text is a clause: why guardrails cannot do it."""


def deployment_config(course: Course, count: int | None, alarms: Sequence[str] = ()) -> dict[str, Any]:
    """``count`` instances serve, None where nobody counts any. Raises Inexpressible."""
    policy = _rolling(course, count) if course.releases else _blue_green(course, count)
    if len(alarms) > MOST_ALARMS:
        raise Inexpressible(f"they watch at most {MOST_ALARMS} alarms, and there are {len(alarms)}")
    rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {**policy, **rollback}


def _blue_green(course: Course, count: int | None) -> dict[str, Any]:
    *before, last = course.stages
    routing: dict[str, Any]
    if not before:
        routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    else:
        interval = _wait(_same(before))
        step = _percent(before[0].share)
        if len(before) == 1 and step <= 50:
            _countable(step, count, 50)
            routing = {"Type": "CANARY", "WaitIntervalInSeconds": interval, "CanarySize": _size(step)}
        elif len(before) == 1:
            raise Inexpressible(f"their canary has at most 50 percent, and this one {step}")
        elif _is_linear(course.stages):
            if not 10 <= step <= 50:
                raise Inexpressible(f"their steps are 10 to 50 percent, and these are {step}")
            _countable(step, count, 50)
            routing = {"Type": "LINEAR", "WaitIntervalInSeconds": interval, "LinearStepSize": _size(step)}
        else:
            raise Inexpressible("they know one canary or equal steps, and no others")
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": _wait(last.bake),
            "MaximumExecutionTimeoutInSeconds": _limit(course.stages),
        }
    }


def _rolling(course: Course, count: int | None) -> dict[str, Any]:
    batch = _percent(course.stages[0].share)
    if not _is_linear(course.stages) or not 5 <= batch <= 50:
        raise Inexpressible(f"their batches are equal, of 5 to 50 percent, and these are of {batch}")
    _countable(batch, count, 50)
    return {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": _size(batch),
            "WaitIntervalInSeconds": _wait(_same(course.stages)),
            "MaximumExecutionTimeoutInSeconds": _limit(course.stages),
        }
    }


def _is_linear(stages: Sequence[Stage]) -> bool:
    step = stages[0].share
    return all(math.isclose(stage.share, min(100.0, step * number)) for number, stage in enumerate(stages, 1))


def _same(stages: Sequence[Stage]) -> float:
    bakes = {stage.bake for stage in stages}
    if len(bakes) > 1:
        raise Inexpressible(f"they wait equally long after each step, and not {' and '.join(map(said, sorted(bakes)))}")
    return bakes.pop()


def _percent(share: float) -> int:
    if share != int(share):
        raise Inexpressible(f"they count whole percent, and not {share:g}")
    return int(share)


def _wait(seconds: float) -> int:
    if seconds != int(seconds) or seconds > LONGEST_WAIT:
        raise Inexpressible(f"they wait whole seconds, at most {said(LONGEST_WAIT)}, and not {said(seconds)}")
    return int(seconds)


def _limit(stages: Sequence[Stage]) -> int:
    """Larger than all waiting, which the service demands."""
    waiting = math.ceil(sum(stage.bake for stage in stages))
    if waiting >= LONGEST_LIMIT:
        raise Inexpressible(f"they take at most {said(LONGEST_LIMIT)} in all, and this waits {said(waiting)}")
    return max(SHORTEST_LIMIT, min(LONGEST_LIMIT, waiting + STARTING_SECONDS))


def _countable(percent: int, count: int | None, most: int) -> None:
    """A share is a number of instances here, at least one, and at most ``most`` percent of them. How the service rounds
    a share is unknown; it is rounded up here, so that nothing is sent that may be refused."""
    if count is not None and math.ceil(count * percent / 100) * 100 > most * count:
        counted = "1 instance" if count == 1 else f"{count} instances"
        raise Inexpressible(f"of {counted} none can be the first {percent} percent: at most {most} percent go at once")


def _size(percent: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": percent}
