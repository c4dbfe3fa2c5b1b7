"""Values at random, none of them twice."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ir.dataclass import dataclass
from mlops.run.tuning.space import Space, Values
from mlops.run.tuning.strategies import Settings, drawn
from mlops.run.tuning.trial import Trial


@dataclass(frozen=True, slots=True)
class RandomSearch:
    space: Space
    settings: Settings
    watches: bool = False

    def ask(self, number: int, trials: Sequence[Trial]) -> Values | None:
        return drawn(self.space, self.settings.random(number), trials)

    def is_over(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        return False


def search(space: Space, settings: Settings) -> RandomSearch:
    return RandomSearch(space, settings)
