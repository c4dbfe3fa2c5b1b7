"""Bayesian search: a Gaussian process over what was tried, and the values of which it expects the most.

Written out here, in plain Python: a tuning has tens of trials, for which this takes milliseconds, and a library for it
(optuna, with SQLAlchemy, Alembic and NumPy) takes longer to load than all the rest of a run.

Kernel: Matérn 5/2 with a length for each hyperparameter; lengths and noise are those under which what was seen is most
likely. Trials that still run count with what is expected of them, so that trials at the same time differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from operator import mul
from random import Random
from statistics import fmean, median, pstdev
from typing import TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.run.tuning.space import Choice, Space, Values
from mlops.run.tuning.strategies import Settings, drawn
from mlops.run.tuning.trial import Trial

_Point: TypeAlias = tuple[float, ...]
"""A place for each number, the index for each choice."""

_MOST_SEEN = 80
_FIRST_OF_ALL, _LEAST_FIRST = 4, 3
"""A quarter of all trials is spread evenly before anything is believed, at most twice as many as hyperparameters."""
_LENGTHS = (0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2)
_NOISES = (1e-5, 1e-3, 1e-2, 1e-1)
_USUAL_LENGTH, _SPREAD_OF_LENGTHS = math.log(0.5), 1.0
_CANDIDATES, _NEIGHBOURS, _LOOKED_AT = 200, 40, 3
_STEPS = (0.2, 0.05, 0.0125)
_SAME = 0.005
"""Nearer than that to what was tried nothing is learnt."""

_OUTLIER = 3.0
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
           107, 109, 113)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BayesianSearch:
    space: Space
    settings: Settings
    watches: bool = False

    def ask(self, number: int, trials: Sequence[Trial]) -> Values | None:
        random = self.settings.random(number)
        # An earlier tuning job may have tried something else.
        trials = [trial for trial in trials if self.space.holds(trial.values)]
        seen = [trial for trial in trials if not trial.runs]
        if sum(trial.cost is not None for trial in seen) < self._first():
            values = self._spread(sum(trial.number > 0 for trial in trials))
            return values if values not in [trial.values for trial in trials] else drawn(self.space, random, trials)
        model = _model(self.space, trials)
        known = [_point(self.space, trial.values) for trial in trials]
        tried = [trial.values for trial in trials]
        for point in _promising(self.space, model, random):
            values = self._values(point)
            if values not in tried and not any(_is_beside(point, other) for other in known):
                return values
        return drawn(self.space, random, trials)

    def is_over(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        return False

    def _first(self) -> int:
        most = 2 * len(self.space.dimensions) + 1
        return most if self.settings.jobs is None else max(_LEAST_FIRST, min(most, self.settings.jobs // _FIRST_OF_ALL))

    def _spread(self, position: int) -> Values:
        """Of Halton's sequence, shifted by the seed."""
        shifts = self.settings.random("spread")
        places = (
            (_radical_inverse(position + 1, prime) + shifts.random()) % 1.0
            for prime in _PRIMES[: len(self.space.dimensions)]
        )
        return self.space.at(places)

    def _values(self, point: _Point) -> Values:
        return {
            dimension.name: dimension.values[int(place)] if isinstance(dimension, Choice) else dimension.at(place)
            for dimension, place in zip(self.space.dimensions, point, strict=True)
        }


def search(space: Space, settings: Settings) -> BayesianSearch:
    return BayesianSearch(space, settings)


@dataclass(frozen=True, slots=True)
class _Process:
    """Costs are standardized: 0 is the mean, 1 the deviation of what was seen."""

    choices: tuple[bool, ...]
    points: tuple[_Point, ...]
    lengths: tuple[float, ...]
    factor: list[list[float]]
    weights: list[float]
    best: float
    leaders: tuple[_Point, ...]

    def expected(self, point: _Point) -> tuple[float, float]:
        """Mean and deviation."""
        near = [_kernel(_distance(point, other, self.lengths, self.choices)) for other in self.points]
        solved = _forward(self.factor, near)
        return sum(map(mul, near, self.weights)), math.sqrt(max(1.0 - sum(map(mul, solved, solved)), 1e-12))

    def improvement(self, point: _Point) -> float:
        mean, deviation = self.expected(point)
        better = (self.best - mean) / deviation
        return deviation * (better * _below(better) + math.exp(-better * better / 2) / math.sqrt(2 * math.pi))


def _model(space: Space, trials: Sequence[Trial]) -> _Process:
    choices = tuple(isinstance(dimension, Choice) for dimension in space.dimensions)
    costs = _costs(trials)
    seen = [(_point(space, trial.values), cost) for trial, cost in zip(trials, costs, strict=True) if cost is not None]
    known = sorted(seen, key=lambda item: item[1])
    if len(known) > _MOST_SEEN:  # the better half, and of the others those that lie evenly among them
        half = _MOST_SEEN // 2
        rest = known[half:]
        known = known[:half] + rest[:: max(1, math.ceil(len(rest) / half))]
    points, standard = tuple(point for point, _ in known), _standardized([cost for _, cost in known])
    lengths, noise = _likeliest(points, standard, choices)
    process = _fitted(points, standard, lengths, noise, choices)
    for trial in trials:
        if trial.runs:
            point = _point(space, trial.values)
            points, standard = (*points, point), [*standard, process.expected(point)[0]]
    return _fitted(points, standard, lengths, noise, choices) if len(points) > len(process.points) else process


def _costs(trials: Sequence[Trial]) -> list[float | None]:
    """What failed is as bad as the worst, and far outliers are drawn near: they would hide all else."""
    found = sorted(trial.cost for trial in trials if trial.cost is not None and not trial.runs)
    middle = median(found)
    spread = (median(found[len(found) // 2 :]) - middle) or (found[-1] - middle)
    most = middle + _OUTLIER * 2 * spread
    worst = min(found[-1], most)
    return [None if trial.runs else worst if trial.cost is None else min(trial.cost, most) for trial in trials]


def _standardized(costs: Sequence[float]) -> list[float]:
    mean, deviation = fmean(costs), pstdev(costs) or 1.0
    return [(cost - mean) / deviation for cost in costs]


def _point(space: Space, values: Values) -> _Point:
    """Of values that the space holds."""
    return tuple(
        float(dimension.values.index(values[dimension.name]))
        if isinstance(dimension, Choice)
        else dimension.place(values[dimension.name])
        for dimension in space.dimensions
    )


def _likeliest(
    points: Sequence[_Point], costs: Sequence[float], choices: Sequence[bool]
) -> tuple[tuple[float, ...], float]:
    """One length after the other, twice."""
    lengths, noise = [_LENGTHS[3]] * len(choices), _NOISES[1]

    def likelihood(lengths: Sequence[float], noise: float) -> float:
        return _likelihood(points, costs, lengths, noise, choices)

    for _ in range(2):
        for number in range(len(lengths)):
            lengths[number] = max(_LENGTHS, key=_of_length(likelihood, lengths, noise, number))
        noise = max(_NOISES, key=lambda given: likelihood(lengths, given))
    return tuple(lengths), noise


def _of_length(
    likelihood: Callable[[Sequence[float], float], float], lengths: Sequence[float], noise: float, number: int
) -> Callable[[float], float]:
    return lambda length: likelihood([*lengths[:number], length, *lengths[number + 1 :]], noise)


def _likelihood(
    points: Sequence[_Point], costs: Sequence[float], lengths: Sequence[float], noise: float, choices: Sequence[bool]
) -> float:
    """The logarithm, with what is usual of lengths."""
    factor = _cholesky(_covariance(points, lengths, noise, choices))
    solved = _forward(factor, costs)
    unusual = sum(((math.log(length) - _USUAL_LENGTH) / _SPREAD_OF_LENGTHS) ** 2 for length in lengths) / 2
    fit = sum(value * value for value in solved) / 2
    return -fit - sum(math.log(row[-1]) for row in factor) - unusual


def _fitted(
    points: tuple[_Point, ...],
    costs: Sequence[float],
    lengths: tuple[float, ...],
    noise: float,
    choices: tuple[bool, ...],
) -> _Process:
    factor = _cholesky(_covariance(points, lengths, noise, choices))
    weights = _backward(factor, _forward(factor, costs))
    order = sorted(range(len(points)), key=lambda index: costs[index])
    leaders = tuple(points[index] for index in order[:_LOOKED_AT])
    return _Process(choices, points, lengths, factor, weights, min(costs), leaders)


def _promising(space: Space, model: _Process, random: Random) -> Iterator[_Point]:
    """Best first: anywhere and beside the best that is known, then in smaller and smaller steps from there."""
    found = [_anywhere(space, random) for _ in range(_CANDIDATES)]
    found += [_beside(space, leader, _STEPS[1], random) for leader in model.leaders for _ in range(_NEIGHBOURS // 2)]
    best = sorted(found, key=model.improvement, reverse=True)[:_LOOKED_AT]
    for step in _STEPS:
        near = [_beside(space, point, step, random) for point in best for _ in range(_NEIGHBOURS // 2)]
        best = sorted([*best, *near], key=model.improvement, reverse=True)[:_LOOKED_AT]
    return iter([*best, *sorted(found, key=model.improvement, reverse=True)])


def _is_beside(one: _Point, other: _Point) -> bool:
    return all(abs(a - b) < _SAME for a, b in zip(one, other, strict=True))


def _anywhere(space: Space, random: Random) -> _Point:
    return tuple(
        float(random.randrange(len(dimension.values))) if isinstance(dimension, Choice) else random.random()
        for dimension in space.dimensions
    )


def _beside(space: Space, point: _Point, step: float, random: Random) -> _Point:
    """One hyperparameter at least is another."""
    changed = random.randrange(len(point))
    places = []
    for number, (dimension, place) in enumerate(zip(space.dimensions, point, strict=True)):
        if number != changed and random.random() < 0.5:
            places.append(place)
        elif isinstance(dimension, Choice):
            places.append(float(random.randrange(len(dimension.values))) if random.random() < step * 2 else place)
        else:
            places.append(min(max(place + random.gauss(0.0, step), 0.0), 1.0))
    return tuple(places)


def _distance(one: _Point, other: _Point, lengths: Sequence[float], choices: Sequence[bool]) -> float:
    total = 0.0
    for a, b, length, is_choice in zip(one, other, lengths, choices, strict=True):
        if a != b:
            apart = 1.0 if is_choice else a - b
            total += apart * apart / (length * length)
    return math.sqrt(5.0 * total)


def _kernel(distance: float) -> float:
    """Matérn 5/2."""
    return (1.0 + distance + distance * distance / 3.0) * math.exp(-distance)


def _covariance(
    points: Sequence[_Point], lengths: Sequence[float], noise: float, choices: Sequence[bool]
) -> list[list[float]]:
    """The lower triangle."""
    rows = [
        [_kernel(_distance(point, other, lengths, choices)) for other in points[:number]]
        for number, point in enumerate(points)
    ]
    for row in rows:
        row.append(1.0 + noise)
    return rows


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    factor: list[list[float]] = []
    for given in matrix:
        row: list[float] = []
        for number, above in enumerate(factor):
            row.append((given[number] - sum(map(mul, row, above))) / above[number])
        row.append(math.sqrt(max(given[-1] - sum(map(mul, row, row)), 1e-10)))
        factor.append(row)
    return factor


def _forward(factor: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    solved: list[float] = []
    for row, value in zip(factor, right, strict=True):
        solved.append((value - sum(map(mul, row, solved))) / row[-1])
    return solved


def _backward(factor: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    left = list(right)
    for number in reversed(range(len(factor))):
        left[number] /= factor[number][number]
        for column in range(number):
            left[column] -= factor[number][column] * left[number]
    return left


def _below(value: float) -> float:
    """Of a normal distribution."""
    return math.erfc(-value / math.sqrt(2)) / 2


def _radical_inverse(number: int, base: int) -> float:
    """
    >>> [_radical_inverse(number, 2) for number in (1, 2, 3)]
    [0.5, 0.25, 0.75]
    """
    found, share = 0.0, 1.0
    while number:
        share /= base
        number, digit = divmod(number, base)
        found += digit * share
    return found
