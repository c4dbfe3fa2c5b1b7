"""Hyperband: many trials begin, and those that fall behind the others at the same point are stopped.

The resource is what the guide calls epochs: how often a trial has told its objective. A trial goes on beyond a rung
(MinResource times a power of three) if it is among the best third of those that have come as far, which is asynchronous
successive halving; a part of the trials is looked at later, by Hyperband's brackets, for what learns slowly.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ir.dataclass import dataclass
from mlops.knowledge.tuning import max_resource
from mlops.run.outcome import StepFailed
from mlops.run.tuning.space import Space, Values
from mlops.run.tuning.strategies import Settings, drawn
from mlops.run.tuning.trial import Trial

_REDUCED_BY = 3


@dataclass(frozen=True, slots=True)
class Hyperband:
    space: Space
    settings: Settings
    rungs: tuple[int, ...]
    most: int
    watches: bool = True

    def ask(self, number: int, trials: Sequence[Trial]) -> Values | None:
        return drawn(self.space, self.settings.random(number), trials)

    def is_over(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        reached = len(trial.costs)
        if reached >= self.most:
            return True
        passed = [rung for rung in self.rungs[self._bracket(trial) :] if rung <= reached]
        return any(self._is_behind(trial, rung, trials) for rung in passed)

    def _is_behind(self, trial: Trial, rung: int, trials: Sequence[Trial]) -> bool:
        there = sorted(other.costs[rung - 1] for other in trials if len(other.costs) >= rung)
        if len(there) < _REDUCED_BY:
            return False
        return trial.costs[rung - 1] > there[len(there) // _REDUCED_BY - 1]

    def _bracket(self, trial: Trial) -> int:
        """How many of the rungs it passes unseen. A bracket that looks later costs more, and has fewer trials."""
        last = len(self.rungs)
        shares = [_REDUCED_BY ** (last - number) / (last - number + 1) for number in range(last)]
        return self.settings.random("bracket", trial.number).choices(range(last), shares)[0]


def search(space: Space, settings: Settings) -> Hyperband:
    """Raises :class:`StepFailed`."""
    most = max_resource(settings.config, settings.static)
    if most is None:
        raise StepFailed("MaxResource parameter is not provided and could not be inferred")
    least = max(1, int(settings.config.get("MinResource") or 1))
    if least > most:
        raise StepFailed(f"MinResource {least} is above MaxResource {most}")
    rungs = [least]
    while rungs[-1] * _REDUCED_BY < most:
        rungs.append(rungs[-1] * _REDUCED_BY)
    return Hyperband(space, settings, tuple(rungs), most)
