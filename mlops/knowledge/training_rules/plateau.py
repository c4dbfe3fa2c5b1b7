"""A metric that does not change at all: Debugger's UnchangedTensor, its ``num_steps``, ``rtol`` and ``atol``."""

from __future__ import annotations

import math

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Plateau:
    """``values`` values in a row were the one before them, within ``absolute`` and ``relative`` to it."""

    metric: str
    values: int = 3
    relative: float = 0.00001
    absolute: float = 0.00000001

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def wrong(self) -> str | None:
        return (
            below("values", self.values, 1)
            or below("relative", self.relative, 0)
            or below("absolute", self.absolute, 0)
        )

    def watch(self) -> Watch:
        before = math.nan
        count = 0

        def see(seen: Seen) -> str | None:
            nonlocal before, count
            if seen.metric != self.metric or not math.isfinite(seen.value):
                return None
            # A comparison with nan is false.
            alike = abs(seen.value - before) <= self.absolute + self.relative * abs(before)
            count, before = (count + 1 if alike else 0), seen.value
            return f"{self.metric} stays {seen.value:g} for {count + 1} values" if count >= self.values else None

        return see


RULE = Plateau
