"""Every combination of the categories once, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import StepFailed
from mlops.run.tuning.space import Choice, Space, Values
from mlops.run.tuning.strategies import Settings
from mlops.run.tuning.trial import Trial


@dataclass(frozen=True, slots=True)
class GridSearch:
    combinations: tuple[Values, ...]
    watches: bool = False

    def ask(self, number: int, trials: Sequence[Trial]) -> Values | None:
        tried = [trial.values for trial in trials]
        return next((values for values in self.combinations if values not in tried), None)

    def is_over(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        return False


def search(space: Space, settings: Settings) -> GridSearch:
    """Raises :class:`StepFailed`."""
    numbers = [dimension.name for dimension in space.dimensions if not isinstance(dimension, Choice)]
    if numbers:
        raise StepFailed(f"a grid search takes categories only, and {', '.join(numbers)} has a range of numbers")
    return GridSearch(tuple(space.combinations(settings.jobs)))
