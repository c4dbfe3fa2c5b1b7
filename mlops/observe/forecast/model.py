"""A model of one metric: fitted, told in words and numbers, held against those who only repeat, and carried on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol

import numpy as np

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.observe.forecast import seasons as seasons_
from mlops.observe.forecast.anomalies import FAR, Anomaly, spread_of
from mlops.observe.forecast.design import DAY, Design, Season, most_waves
from mlops.observe.forecast.linear import Line, measured, quantile, robustly, solve
from mlops.observe.forecast.series import Numbers, Series

FEWEST = 12
"""Values that a model wants."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``periods`` in seconds; None has them found. ``ridge`` is the weight of the squares of standardised coefficients;
    0 is plain least squares."""

    periods: Sequence[float] | None = None
    trend: bool = True
    ridge: float = 0.0


@dataclass(frozen=True, slots=True)
class Coefficient:
    """In the metric's units, with its standard error."""

    name: str
    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Ahead:
    """``low`` and ``high`` hold the value with ``share``, if it goes on as it did."""

    time: float
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class Model:
    """``periods`` are in seconds."""

    series: Series
    settings: Settings
    design: Design
    line: Line

    @property
    def periods(self) -> tuple[float, ...]:
        return tuple(season.period * self.series.step for season in self.design.seasons)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        told = zip(self.design.names, self.line.coefficients, self.line.errors, strict=True)
        return tuple(Coefficient(name, float(value), float(error)) for name, value, error in told)

    @property
    def swings(self) -> tuple[float, ...]:
        """How far each season goes from its middle, at most; of :attr:`periods`."""
        told = []
        for season in self.design.seasons:
            one = Design((season,), False, self.design.per_day)
            columns = one.columns(np.linspace(0, season.period, 200))[:, 1:]
            own = [i for i, name in enumerate(self.design.names) if name in one.names[1:]]
            told.append(float(np.abs(columns @ self.line.coefficients[own]).max()))
        return tuple(told)

    @cached_property
    def _residuals(self) -> Numbers:
        positions = self.series.known
        values = self.series.values[positions.astype(int)]
        rest: Numbers = values - self.design.columns(positions) @ self.line.coefficients
        return rest

    def anomalies(self, far: float = FAR) -> tuple[Anomaly, ...]:
        """Values of the series that the model does not explain. It is fitted anew so that they do not bend it."""
        positions = self.series.known
        values = self.series.values[positions.astype(int)]
        columns = self.design.columns(positions)
        expected = columns @ robustly(columns, values, ridge=self.settings.ridge)
        spread = spread_of(values - expected, columns.shape[1])
        # Where all but a few lie on the line exactly, what is off by rounding is no anomaly.
        spread = max(spread, 1e-9 * (1.0 + float(np.abs(values).max())))
        distances = (values - expected) / spread
        return tuple(
            Anomaly(
                int(positions[i]),
                self.series.at(float(positions[i])),
                float(values[i]),
                float(expected[i]),
                float(distances[i]),
            )
            for i in np.flatnonzero(np.abs(distances) > far)
        )

    def ahead(self, steps: int, share: float = 0.95) -> tuple[Ahead, ...]:
        """The next ``steps`` values. What the last value was off fades as residuals follow each other; the interval
        holds what residuals do and what is not known of the coefficients."""
        length = len(self.series)
        positions: Numbers = np.arange(length, length + steps, dtype=np.float64)
        columns = self.design.columns(positions)
        expected = columns @ self.line.coefficients
        follows = max(0.0, self.line.following)
        known = self.series.known
        distance = positions - known[-1]
        expected = expected + self._residuals[-1] * follows**distance
        own = self.line.spread**2 * (1 - follows ** (2 * distance))
        unsure = np.einsum("ij,jk,ik->i", columns, self.line.covariance, columns)
        width = quantile(0.5 + share / 2, self.line.left) * np.sqrt(np.maximum(own + unsure, 0.0))
        return tuple(
            Ahead(
                self.series.at(float(positions[i])),
                float(expected[i]),
                float(expected[i] - width[i]),
                float(expected[i] + width[i]),
            )
            for i in range(steps)
        )


PLAIN = Settings()


class Solver(Protocol):
    """Finds the coefficients of columns, the first of which is the level."""

    def __call__(self, columns: Numbers, values: Numbers, *, ridge: float) -> Numbers: ...


def fit(series: Series, settings: Settings = PLAIN, solver: Solver = solve) -> Model:
    """
    Raises:
        UsageError: too few values, or a period that the series does not hold twice.
    """
    positions = series.known
    if len(positions) < FEWEST:
        raise UsageError(
            f"{len(positions)} values are too few to forecast from", hint=f"it takes {FEWEST}; look back for longer"
        )
    if settings.periods is None:
        periods = seasons_.found(series)
    else:
        periods = tuple(_in_steps(series, period) for period in settings.periods)
    values = series.values[positions.astype(int)]
    design = Design((), settings.trend, DAY / series.step)
    for period in periods:
        design = _with(design, period, positions, values)
    columns = design.columns(positions)
    coefficients = solver(columns, values, ridge=settings.ridge)
    return Model(series, settings, design, measured(columns, values, coefficients, positions))


def _in_steps(series: Series, seconds: float) -> float:
    period = seconds / series.step
    if period < 2 or period * 2 > len(series):
        raise UsageError(
            f"a season of {seconds:g} s cannot be seen in {len(series)} values that are {series.step:g} s apart",
            hint="it takes two of its periods, and two values in each",
        )
    return period


def _with(design: Design, period: float, positions: Numbers, values: Numbers) -> Design:
    """With as many waves of the period as pay for themselves (Schwarz, Estimating the Dimension of a Model, 1978)."""
    most = replace(design, seasons=(*design.seasons, Season(period, most_waves(period))))
    columns = most.columns(positions)
    count, width = columns.shape
    # What each column explains beyond those before it: one decomposition for all numbers of waves.
    normal = columns.T @ columns
    normal += 1e-10 * np.trace(normal) / width * np.eye(width)
    explained = np.cumsum(np.linalg.solve(np.linalg.cholesky(normal), columns.T @ values) ** 2)
    fewest = width - 2 * (most_waves(period) - 1)
    sizes = [size for size in range(fewest, width + 1, 2) if size * 2 <= count] or [fewest]
    total = float(values @ values)

    def cost(size: int) -> float:
        rest = max(total - float(explained[size - 1]), 1e-12 * total, 1e-300)
        return float(count * math.log(rest / count) + size * math.log(count))

    best = min(sizes, key=cost)
    return replace(design, seasons=(*design.seasons, Season(period, (best - fewest) // 2 + 1)))
