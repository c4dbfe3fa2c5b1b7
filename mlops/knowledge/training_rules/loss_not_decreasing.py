"""A loss that does not fall: Debugger's LossNotDecreasing, its ``num_steps`` and ``diff_percent``.

Debugger compares two steps. Losses of single batches jump, so here the best of the last values is held against the best
before: a training that still finds better values now and then is left alone.
"""

from __future__ import annotations

import math
from collections import deque

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class LossNotDecreasing:
    """Of ``values`` values none was ``percent`` % better than the best before them."""

    metric: str
    values: int = 10
    percent: float = 0.1

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def wrong(self) -> str | None:
        if not self.percent < 100:
            return f"percent = {self.percent:g} has to be below 100"
        return below("values", self.values, 1) or below("percent", self.percent, 0)

    def watch(self) -> Watch:
        latest: deque[float] = deque()
        best = math.inf

        def see(seen: Seen) -> str | None:
            nonlocal best
            if seen.metric != self.metric or not math.isfinite(seen.value):
                return None
            latest.append(seen.value)
            if len(latest) > self.values:
                best = min(best, latest.popleft())
            wanted = best - abs(best) * self.percent / 100
            if best == math.inf or min(latest) < wanted:
                return None
            if best == 0 and max(latest) == 0:  # it cannot fall any more
                return None
            return (
                f"{self.metric} does not decrease: the best of the last {self.values} values is {min(latest):g}, "
                f"{best:g} was the best before"
            )

        return see


RULE = LossNotDecreasing
