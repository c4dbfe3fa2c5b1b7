"""Does the new version earn less than the old one, by more than a limit? For what is measured on each request and lies
between two bounds: money, a rating, a score, whether somebody buys.

Requests are assigned by chance, so each value is turned into a guess of the difference that is right in the mean: what
the new version earned over its share, less what the old one did over its own (D. Horvitz, D. Thompson, 1952), both
taken from a middle that was known before. Each guess is bet on, with a stake that never lets wealth become negative
(I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024), shared between a
planner and roamers as in :mod:`mlops.statistics.betting`. Shares are the ones that were asked of the router, not those
that were counted; :mod:`mlops.statistics.split` says whether it kept them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from mlops.statistics.betting import PLANNER, goal, still_to_come

PARTS = (0.5, 0.25, 0.1, 0.05, 0.02, 0.01)
"""Of the highest stake that is allowed: what roamers bet, all with the same part of what there is."""
_SHARE_AT_RISK = 0.5
_USUAL_REQUESTS = 1000.0
"""As how many requests of the shift itself what was usual before it counts."""
_MOST_VALUES, _GRID = 500, 250
"""A look with more values than that is reckoned on so many steps."""
_NORMAL = NormalDist()
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Look:
    """Values of the requests since the look before, each with how often it was seen; ``share`` of them was to go to the
    new version."""

    new: Mapping[float, int]
    old: Mapping[float, int]
    share: float


@dataclass(frozen=True, slots=True)
class Bounds:
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"low = {self.low:g} and high = {self.high:g}: the first has to be the lower one")

    def part(self, value: float) -> float:
        """From 0 to 1. Raises ValueError outside the bounds, for nothing would be valid then."""
        if not self.low <= value <= self.high:
            raise ValueError(f"{value:g} is outside of its bounds, {self.low:g} to {self.high:g}")
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Usual:
    """Of both versions or of one, whatever it is taken from: only power depends on it."""

    mean: float
    variance: float


def worse(
    looks: Sequence[Look],
    bounds: Bounds,
    planned: Sequence[tuple[float, float]] = (),
    *,
    by: float = 0.0,
    lower_is_better: bool = False,
    alpha: float = 0.05,
    usual: Usual | None = None,
) -> tuple[float, ...]:
    """The log wealth after each look of whoever bets that the new version's mean is worse than the old one's by more
    than ``by`` (in the values' own unit; below 0 it has to be better by as much). ``planned``: how many requests each
    look of the whole is expected to have, and which share of them goes to the new version."""
    whole = bounds.high - bounds.low
    limit = by / whole
    planner, roamers = 0.0, [0.0] * len(PARTS)
    middle, spread, seen = 0.5, 0.25, 1.0
    if usual is not None:
        middle, spread = bounds.part(min(max(usual.mean, bounds.low), bounds.high)), usual.variance / whole**2
        middle, seen = 1 - middle if lower_is_better else middle, _USUAL_REQUESTS
    weighed = [requests / (share * (1 - share)) if 0 < share < 1 else 0.0 for requests, share in planned]
    wealths: list[float] = []
    for look, ahead in zip(looks, still_to_come(weighed, len(looks)), strict=True):
        new, old = (_parts(values, bounds, lower_is_better) for values in (look.new, look.old))
        if 0 < look.share < 1:
            losses = [(middle - value) / look.share - limit for value, _ in new]
            losses += [(value - middle) / (1 - look.share) - limit for value, _ in old]
            counts = [count for _, count in (*new, *old)]
            # No loss lies below this, so a stake of less than its inverse ruins nobody.
            deepest = limit + max((1 - middle) / look.share, middle / (1 - look.share))
            bet = _planned(planner, ahead * spread, alpha * PLANNER, 1 / deepest)
            planner += _won(losses, counts, bet)
            roamers = [log + _won(losses, counts, part / deepest) for log, part in zip(roamers, PARTS, strict=True)]
        both = [*new, *old]
        count = sum(times for _, times in both)
        if count:
            total = seen + count
            mean = (middle * seen + sum(value * times for value, times in both)) / total
            squares = spread * seen + sum(times * (value - mean) ** 2 for value, times in both)
            middle, spread, seen = mean, squares / total, total
        wealths.append(_together(planner, roamers))
    return tuple(wealths)


def requests_needed(share: float, effect: float, variance: float, *, alpha: float = 0.05, wanted: float = 0.8) -> float:
    """How many requests, of which ``share`` go to the new version, find a difference that lies ``effect`` beyond the
    limit with the ``wanted`` power."""
    deviates = _NORMAL.inv_cdf(1 - alpha * PLANNER) + _NORMAL.inv_cdf(wanted)
    return deviates**2 * variance / (share * (1 - share) * effect**2)


def smallest_found(
    planned: Sequence[tuple[float, float]], variance: float, *, alpha: float = 0.05, wanted: float = 0.8
) -> float:
    """How far beyond the limit a difference lies that the plan finds with the ``wanted`` power; infinite where no
    request could tell."""
    noise = sum(requests * variance / (share * (1 - share)) for requests, share in planned if 0 < share < 1)
    told = sum(requests for requests, share in planned if 0 < share < 1)
    deviates = _NORMAL.inv_cdf(1 - alpha * PLANNER) + _NORMAL.inv_cdf(wanted)
    return deviates * math.sqrt(noise) / told if told else math.inf


def power(planned: Sequence[tuple[float, float]], effect: float, variance: float, *, alpha: float = 0.05) -> float:
    """Of finding a difference that lies ``effect`` beyond the limit."""
    smallest = smallest_found(planned, variance, alpha=alpha, wanted=0.5)
    if math.isinf(smallest) or not smallest:
        return 0.0 if math.isinf(smallest) or effect <= 0 else 1.0
    return _NORMAL.cdf(_NORMAL.inv_cdf(1 - alpha * PLANNER) * (effect / smallest - 1))


def _parts(values: Mapping[float, int], bounds: Bounds, turned: bool) -> list[tuple[float, float]]:
    parts: list[tuple[float, float]] = [(bounds.part(value), count) for value, count in values.items()]
    if len(parts) > _MOST_VALUES:
        parts = _on_grid(parts)
    return [(1 - part, count) for part, count in parts] if turned else parts


def _on_grid(parts: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each value shared between the steps below and above it, so that the mean stays. The logarithm is concave, so
    nobody wins more by that, and what was valid stays valid."""
    shares = [0.0] * (_GRID + 2)
    for part, count in parts:
        below = int(part * _GRID)
        above = part * _GRID - below
        shares[below] += count * (1 - above)
        shares[below + 1] += count * above
    return [(step / _GRID, share) for step, share in enumerate(shares[: _GRID + 1]) if share]


def _won(losses: Sequence[float], counts: Sequence[float], bet: float) -> float:
    """The logarithm, of so many of each loss."""
    return math.fsum(map(operator.mul, counts, map(math.log1p, [bet * loss for loss in losses]))) if bet else 0.0


def _planned(log_stake: float, ahead: float, alpha: float, most: float) -> float:
    """Of an option whose delta is the bet, as in :mod:`mlops.statistics.betting`: ``ahead`` is the variance of all
    guesses that are to come."""
    if ahead <= 0 or log_stake >= goal(alpha):
        return 0.0
    at = _NORMAL.inv_cdf(min(max(math.exp(log_stake) * alpha, _LEAST), 1 - _LEAST))
    return min(_NORMAL.pdf(at) / (_NORMAL.cdf(at) * math.sqrt(ahead)), _SHARE_AT_RISK * most)


def _together(planner: float, roamers: Sequence[float]) -> float:
    terms = [math.log(PLANNER) + planner]
    terms += [math.log((1 - PLANNER) / len(PARTS)) + log for log in roamers]
    most = max(terms)
    return most + math.log(sum(math.exp(term - most) for term in terms))
