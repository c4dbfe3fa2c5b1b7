"""Metrics of an execution's training steps as curves, thinned to what a picture shows."""

from __future__ import annotations

import math

from mlops.deploy.executions.curves import Curves
from mlops.deploy.executions.following import ExecutionState
from mlops.emit.plots.scales import said_number
from mlops.emit.plots.thinned import Thinned
from mlops.ir.dataclass import dataclass
from mlops.use_cases.connecting import Connected


@dataclass(frozen=True, slots=True)
class Curve:
    """``values`` by ``numbers``, one of ``every``; None where a value is no number. The others are of all values."""

    step: str
    metric: str
    count: int
    every: int
    numbers: tuple[float, ...]
    values: tuple[float | None, ...]
    first: str
    last: str
    least: str
    most: str


@dataclass(slots=True)
class _Seen:
    thinned: Thinned
    first: float
    last: float
    least: float
    most: float
    count: int = 0

    def add(self, value: float) -> None:
        self.count += 1
        self.thinned.add((float(self.count), value))
        self.last = value
        if math.isfinite(value):
            self.least = value if not math.isfinite(self.least) else min(self.least, value)
            self.most = value if not math.isfinite(self.most) else max(self.most, value)


def curves(connected: Connected, state: ExecutionState) -> tuple[Curve, ...]:
    """In the order of the steps and of what they print."""
    reader, found = Curves(connected.account), dict[tuple[str, str], _Seen]()
    for step in state.steps:
        for item in reader.since(step):
            seen = found.get((step.name, item.metric))
            if seen is None:
                seen = found[step.name, item.metric] = _Seen(Thinned(), *(item.value,) * 4)
            seen.add(item.value)
    return tuple(_curve(step, metric, seen) for (step, metric), seen in found.items())


def _curve(step: str, metric: str, seen: _Seen) -> Curve:
    points = seen.thinned.points
    return Curve(
        step=step,
        metric=metric,
        count=seen.count,
        every=seen.thinned.every,
        numbers=tuple(x for x, _ in points),
        values=tuple(y if math.isfinite(y) else None for _, y in points),
        first=said_number(seen.first),
        last=said_number(seen.last),
        least=said_number(seen.least),
        most=said_number(seen.most),
    )
