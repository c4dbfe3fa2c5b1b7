"""A metric that has become nothing, such as a gradient's norm: Debugger's VanishingGradient, its ``threshold``."""

from __future__ import annotations

import math

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Vanishing:
    """``values`` values in a row were, without their signs, below ``threshold``."""

    metric: str
    threshold: float = 0.0000001
    values: int = 3

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.metric,)

    def wrong(self) -> str | None:
        if not self.threshold > 0:
            return f"threshold = {self.threshold:g} has to be above 0"
        return below("values", self.values, 1)

    def watch(self) -> Watch:
        count = 0

        def see(seen: Seen) -> str | None:
            nonlocal count
            if seen.metric != self.metric or math.isnan(seen.value):
                return None
            count = count + 1 if abs(seen.value) < self.threshold else 0
            if count < self.values:
                return None
            return f"{self.metric} vanishes: it is {seen.value:g}, below {self.threshold:g} for {count} values"

        return see


RULE = Vanishing
