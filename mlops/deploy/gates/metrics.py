"""Numbers of the version's reports against limits. A number that no report has is refused, never passed over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement

_KEYS = ("at_least", "at_most")


def read(raw: Any) -> Mapping[str, Mapping[str, float]]:
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError("give limits by the name of a number, for example { accuracy = { at_least = 0.9 } }")
    for name, limits in raw.items():
        if not isinstance(limits, Mapping) or not limits or not set(limits) <= set(_KEYS):
            raise ValueError(f"{name}: give at_least, at_most or both")
        for key, value in limits.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{name}: {key} = {value!r} is no number")
            if not math.isfinite(value):
                raise ValueError(f"{name}: {key} = {value!r} is no limit")
        if limits.get("at_least", -math.inf) > limits.get("at_most", math.inf):
            raise ValueError(f"{name}: at_least is above at_most: no number is both")
    return raw


def judge(settings: Mapping[str, Mapping[str, float]], asked: Asked) -> Judgement:
    there = asked.metrics()
    passes, told = True, []
    for name, limits in settings.items():
        value = there.get(name)
        if value is None:
            known = ", ".join(sorted(there)) or "none"
            return Judgement(False, f"no report has a number {name}; they have: {known}")
        low, high = limits.get("at_least"), limits.get("at_most")
        if low is not None and not value >= low:
            passes = False
            told.append(f"{name} is {value:g}, and at least {low:g} is wanted")
        elif high is not None and not value <= high:
            passes = False
            told.append(f"{name} is {value:g}, and at most {high:g} is wanted")
        else:
            told.append(f"{name} is {value:g}")
    return Judgement(passes, "; ".join(told))


GATE = Gate("metrics", "numbers of the version's reports against limits", read, judge)
