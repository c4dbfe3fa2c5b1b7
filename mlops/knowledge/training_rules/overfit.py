"""A validation loss far above the training loss: Debugger's Overfit, its ``ratio_threshold``, ``patience`` and
``start_step``."""

from __future__ import annotations

import math
from statistics import fmean

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Overfit:
    """More than ``patience`` times in a row the validation loss was above the mean training loss since the one before
    by more than ``ratio`` of it; the first ``start`` validation losses do not count."""

    train: str
    validation: str
    ratio: float = 0.1
    patience: int = 1
    start: int = 0

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.train, self.validation)

    def wrong(self) -> str | None:
        if self.train == self.validation:
            return "train and validation are the same metric"
        return below("ratio", self.ratio, 0) or below("patience", self.patience, 0) or below("start", self.start, 0)

    def watch(self) -> Watch:
        trained: list[float] = []
        count = exceeded = 0
        mean: float | None = None

        def see(seen: Seen) -> str | None:
            nonlocal count, exceeded, mean
            if not math.isfinite(seen.value) or seen.metric not in (self.train, self.validation):
                return None
            if seen.metric == self.train:
                trained.append(seen.value)
                return None
            if trained:
                mean = fmean(trained)
                trained.clear()
            count += 1
            if mean is None or count <= self.start:
                return None
            exceeded = exceeded + 1 if seen.value - mean > self.ratio * abs(mean) else 0
            if exceeded <= self.patience:
                return None
            losses = f"{self.validation} is {seen.value:g} and {self.train} {mean:g}"
            return f"{losses}, {exceeded} times in a row too far apart"

        return see


RULE = Overfit
