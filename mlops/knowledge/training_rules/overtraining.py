"""Neither loss gets better any more: Debugger's Overtraining, its ``patience_train``, ``patience_validation`` and
``delta``."""

from __future__ import annotations

import math

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Seen, Watch, below


@dataclass(frozen=True, slots=True)
class Overtraining:
    """For ``patience_validation`` values the validation loss was not ``delta`` better than its best, nor the training
    loss for ``patience_train``."""

    train: str
    validation: str
    patience_train: int = 5
    patience_validation: int = 10
    delta: float = 0.01

    @property
    def metrics(self) -> tuple[str, ...]:
        return (self.train, self.validation)

    def wrong(self) -> str | None:
        if self.train == self.validation:
            return "train and validation are the same metric"
        return (
            below("patience_train", self.patience_train, 1)
            or below("patience_validation", self.patience_validation, 1)
            or below("delta", self.delta, 0)
        )

    def watch(self) -> Watch:
        best = {self.train: math.inf, self.validation: math.inf}
        since = dict.fromkeys(best, 0)

        def see(seen: Seen) -> str | None:
            name = seen.metric
            if name not in best or not math.isfinite(seen.value):
                return None
            if seen.value < best[name] - self.delta:
                best[name], since[name] = seen.value, 0
            else:
                since[name] += 1
            if since[self.train] < self.patience_train or since[self.validation] < self.patience_validation:
                return None
            return (
                f"{self.validation} was {best[self.validation]:g} {since[self.validation]} values ago and {self.train} "
                f"{best[self.train]:g} {since[self.train]} values ago, and neither was {self.delta:g} better since"
            )

        return see


RULE = Overtraining
