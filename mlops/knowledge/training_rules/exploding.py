"""A metric that grows out of all proportion. Debugger sees an explosion only when it has become infinite
(ExplodingTensor); a loss tells earlier."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Exploding:
    """``patience`` values in a row were, without their signs, more than ``factor`` times the median of the ``values``
    before them."""

    metric: str
    factor: float = 10.0
    values: int = 10
    patience: int = 3

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def wrong(self) -> str | None:
        if not self.factor > 1:
            return f"factor = {self.factor:g} has to be above 1"
        return below("values", self.values, 1) or below("patience", self.patience, 1)

    def watch(self) -> Watch:
        before: deque[float] = deque(maxlen=self.values)
        above: list[float] = []

        def see(seen: Seen) -> str | None:
            if seen.metric != self.metric or math.isnan(seen.value):
                return None
            size = abs(seen.value)
            usual = median(before) if len(before) == self.values else math.inf
            if not (usual > 0 and size > self.factor * usual):
                # What was above for a moment was none; nothing is a multiple of 0.
                before.extend(item for item in (*above, size) if math.isfinite(item))
                above.clear()
                return None
            above.append(size)
            if len(above) < self.patience:
                return None
            values = f"the {self.values} values before"
            return f"{self.metric} explodes: it is {seen.value:g}, and {usual:g} was the median of {values}"

        return see


RULE = Exploding
