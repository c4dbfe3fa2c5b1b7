"""Numbers of the version's reports against those of the version that serves now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement

_BETTER = ("higher", "lower")


def read(raw: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError('name numbers, for example { accuracy = {}, loss = { better = "lower", by = 0.01 } }')
    for name, limits in raw.items():
        if not isinstance(limits, Mapping) or not set(limits) <= {"better", "by"}:
            raise ValueError(f"{name}: its keys are better and by")
        if limits.get("better", "higher") not in _BETTER:
            raise ValueError(f'{name}: better = {limits["better"]!r}; give "higher" or "lower"')
        by = limits.get("by", 0)
        if isinstance(by, bool) or not isinstance(by, int | float) or not 0 <= by < math.inf:
            raise ValueError(f"{name}: by = {by!r}: give how much worse it may be")
    return raw


def judge(settings: Mapping[str, Mapping[str, Any]], asked: Asked) -> Judgement:
    before = asked.serving_metrics()
    if before is None:
        return Judgement(True, "no version serves there yet")
    now = asked.metrics()
    passes, told = True, []
    for name, limits in settings.items():
        for whose, there in (("this version", now), ("the serving version", before)):
            if name not in there:
                known = ", ".join(sorted(there)) or "none"
                return Judgement(False, f"no report of {whose} has a number {name}; they have: {known}")
        worse = before[name] - now[name] if limits.get("better", "higher") == "higher" else now[name] - before[name]
        # A not-a-number is never not worse.
        good = worse <= limits.get("by", 0)
        passes = passes and good
        told.append(f"{name} is {now[name]:g}, {'and' if good else 'but'} what serves has {before[name]:g}")
    return Judgement(passes, "; ".join(told))


GATE = Gate("not-worse", "not worse than the version that serves", read, judge)
