"""One training job of a search: what was tried, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.tuning.space import Values


@dataclass(frozen=True, slots=True)
class Goal:
    """The metric that is to become as small or as large as possible."""

    metric: str
    largest: bool

    def cost(self, value: float) -> float:
        """The smaller, the better."""
        return -value if self.largest else value


@dataclass(slots=True)
class Trial:
    """``number`` counts from 1 over the whole search, ``definition`` is the position of its TrainingJobDefinition.
    ``costs`` are those of the objective's values while it ran, as far as somebody looked, ``cost`` that of the last;
    None where there was none. ``told`` is its summary, in the words of ListTrainingJobsForHyperParameterTuningJob."""

    number: int
    definition: int
    values: Values
    costs: list[float] = field(default_factory=list)
    cost: float | None = None
    status: str = "InProgress"
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        return self.status == "InProgress"


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """Those that reached something, best first."""
    return sorted((trial for trial in trials if trial.cost is not None), key=lambda trial: (trial.cost, trial.number))
