"""A course as an inference component goes along it: its copies are replaced in equal batches, judged by alarms.

The service has that one form (API reference: InferenceComponentDeploymentConfig); weights and canaries are of variants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.deploy.shifting.guardrails import LONGEST_LIMIT, LONGEST_WAIT, MOST_ALARMS, SHORTEST_LIMIT, STARTING_SECONDS
from mlops.ir.duration import said
from mlops.ir.shift import Course

_LEAST, _MOST = 5, 50
"""Percent of the copies in a batch (API reference: InferenceComponentRollingUpdatePolicy)."""
_OF_ANOTHER_MODEL = frozenset({"Container", "ModelName"})


def deployment_config(course: Course, alarms: Sequence[str]) -> dict[str, Any] | None:
    """None for all at once, which the service does by itself. Raises ValueError with a clause."""
    if len(alarms) > MOST_ALARMS:
        raise ValueError(f"at most {MOST_ALARMS} alarms are watched, and there are {len(alarms)}")
    rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    step, bake = course.stages[0].share, course.stages[0].bake
    if len(course.stages) == 1 and not bake:
        if alarms:
            raise ValueError(f"its alarms are watched in batches of at most {_MOST} percent alone")
        return None
    equal = all(
        math.isclose(stage.share, min(100.0, step * number)) and stage.bake == bake
        for number, stage in enumerate(course.stages, 1)
    )
    if not course.releases or not equal:
        raise ValueError("an inference component goes in equal batches; take `rolling` or `all-at-once`")
    if step != int(step):
        raise ValueError(f"batches are whole percent, and not {step:g}")
    if not _LEAST <= step <= _MOST:
        raise ValueError(f"batches are of {_LEAST} to {_MOST} percent, and not {step:g}")
    if bake != int(bake) or bake > LONGEST_WAIT:
        raise ValueError(f"it waits whole seconds, at most {said(LONGEST_WAIT)}, and not {said(bake)}")
    waiting = math.ceil(bake * len(course.stages))
    if waiting >= LONGEST_LIMIT:
        raise ValueError(f"it takes at most {said(LONGEST_LIMIT)} in all, and this waits {said(waiting)}")
    limit = max(SHORTEST_LIMIT, min(LONGEST_LIMIT, waiting + STARTING_SECONDS))
    return {"RollingUpdatePolicy": _policy(int(step), int(bake), limit), **rollback}


def _policy(batch: int, wait: int, limit: int) -> dict[str, Any]:
    size = {"Type": "CAPACITY_PERCENT", "Value": batch}
    return {
        "MaximumBatchSize": size,
        "WaitIntervalInSeconds": wait,
        "MaximumExecutionTimeoutInSeconds": limit,
        # All the way back at once: what is worse is not to be left for as long as it took to come.
        "RollbackMaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 100},
    }


def specification(described: Mapping[str, Any], model: str) -> dict[str, Any]:
    """As it is, with another model: the container of a described one has members that a request has not."""
    kept = {name: value for name, value in described.items() if name not in _OF_ANOTHER_MODEL and value is not None}
    return {**kept, "ModelName": model}
