"""How the next values are chosen: one module per strategy, found by its name in lower case.

A module has ``search(space, settings) -> Search``. The modules do not import each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib import import_module
from importlib.util import find_spec
from random import Random
from typing import Any, Protocol, cast

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import StepFailed
from mlops.run.tuning.space import Space, Values
from mlops.run.tuning.trial import Trial

_MOST_DRAWS = 50
_MOST_LISTED = 100_000


@dataclass(frozen=True, slots=True)
class Settings:
    """``seed`` decides all that is drawn. ``jobs`` is how many are to be tried in all; None for no limit. ``config`` is
    the strategy's own part of StrategyConfig, ``static`` the hyperparameters that are not tuned."""

    seed: str
    jobs: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    static: Values = field(default_factory=dict)

    def random(self, *what: object) -> Random:
        """Always the same for the same."""
        return Random("/".join(map(str, (self.seed, *what))))  # noqa: S311


class Search(Protocol):
    """A strategy at work on one TrainingJobDefinition. ``trials`` are those of this definition in the order of their
    numbers, and before them those of earlier tuning jobs that it learns from; some may still run."""

    def ask(self, number: int, trials: Sequence[Trial]) -> Values | None:
        """What trial ``number`` is to try; None where nothing is left."""

    def is_over(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        """Whether a trial that runs has shown enough: it is stopped then."""

    @property
    def watches(self) -> bool:
        """It wants to know of each value of the objective while a trial runs."""


def search(strategy: str, space: Space, settings: Settings) -> Search:
    """``strategy`` is HyperParameterTuningJobConfig.Strategy. Raises :class:`StepFailed`."""
    name = strategy.lower()
    if not name.isidentifier() or find_spec(f"{__name__}.{name}") is None:
        raise StepFailed(f"a tuning by the strategy {strategy} cannot run on this machine")
    return cast("Search", import_module(f"{__name__}.{name}").search(space, settings))


def drawn(space: Space, random: Random, trials: Sequence[Trial]) -> Values | None:
    """Values at random that were not tried yet, None where all were."""
    tried = [trial.values for trial in trials]
    values = space.at(iter([random.random() for _ in space.dimensions]))
    for _ in range(_MOST_DRAWS):
        if values not in tried:
            return values
        values = space.at(iter([random.random() for _ in space.dimensions]))
    left = [values for values in space.combinations(_MOST_LISTED) if values not in tried]
    return random.choice(left) if left else None
