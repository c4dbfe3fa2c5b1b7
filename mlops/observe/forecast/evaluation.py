"""A model held against those who only repeat: the last value, and the value a season ago. A forecast without this says
nothing (Hyndman and Koehler, Another Look at Measures of Forecast Accuracy, 2006)."""

from __future__ import annotations

import numpy as np

from mlops.ir.dataclass import dataclass
from mlops.observe.forecast.linear import solve
from mlops.observe.forecast.model import FEWEST, Settings, Solver, fit
from mlops.observe.forecast.series import Numbers, Series

ORIGINS = 5
"""From how many places it is forecast."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Root mean squared errors over ``steps`` ahead of values that the model had not seen, in the metric's units.
    ``seasonal`` is None where there is no season."""

    steps: int
    origins: int
    model: float
    naive: float
    seasonal: float | None

    @property
    def best_other(self) -> float:
        return self.naive if self.seasonal is None else min(self.naive, self.seasonal)

    @property
    def is_better(self) -> bool:
        return self.model < self.best_other


def evaluated(
    series: Series, settings: Settings, periods: tuple[float, ...], steps: int, solver: Solver = solve
) -> Evaluation | None:
    """None where the series is too short to leave something out. ``periods`` in seconds are those of the model, which
    is fitted anew to what lies before each origin."""
    length = len(series)
    steps = min(steps, length // 4)
    wanted = max(FEWEST, 2 * int(max(periods, default=0.0) / series.step) + 2)
    origins = [length - steps * (i + 1) for i in range(ORIGINS) if length - steps * (i + 1) >= wanted]
    if steps < 1 or not origins:
        return None
    squares: dict[str, list[float]] = {"model": [], "naive": [], "seasonal": []}
    told = 0
    for origin in origins:
        known = series.until(origin)
        if len(known.known) < FEWEST:
            continue
        told += 1
        truth = series.values[origin : origin + steps]
        made = fit(known, Settings(periods, settings.trend, settings.ridge), solver).ahead(steps)
        _add(squares["model"], truth, np.array([step.expected for step in made]))
        last = known.values[known.known.astype(int)[-1]]
        _add(squares["naive"], truth, np.full(steps, last))
        if periods:
            period = round(max(periods) / series.step)
            before = known.values[origin - period :]
            _add(squares["seasonal"], truth, before[np.arange(steps) % period])
    if not squares["model"]:
        return None
    root = {name: float(np.sqrt(np.mean(values))) for name, values in squares.items() if values}
    return Evaluation(steps, told, root["model"], root["naive"], root.get("seasonal"))


def _add(squares: list[float], truth: Numbers, said: Numbers) -> None:
    errors = (truth - said) ** 2
    squares += [float(error) for error in errors if np.isfinite(error)]
