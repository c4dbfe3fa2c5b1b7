"""Shifts of traffic that never were: what both versions answered, look by look, and what others would say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from mlops.statistics.betting import goal, reaches_goal
from mlops.statistics.rates import Look, Planned, tosses, worse

ALPHA = 0.05
SHARES = (0.05,) * 10 + (0.25,) * 10 + (0.5,) * 10
REQUESTS = 400
"""A look: 12,000 in all."""
PLAN = tuple(Planned(REQUESTS, share) for share in SHARES)


@dataclass(frozen=True)
class World:
    """``rate``: how often the old version fails; ``ratio`` times as often the new one. ``drifts``: it walks.
    ``bursts``: in one look of ten it is tenfold, for both. ``extended``: as many looks more than were planned."""

    name: str
    rate: float
    ratio: float = 1.0
    drifts: bool = False
    bursts: bool = False
    extended: int = 0

    def shift(self, chances: np.random.Generator) -> list[Look]:
        return next(self.shifts(chances, 1))

    def shifts(self, chances: np.random.Generator, count: int) -> Iterator[list[Look]]:
        """All are drawn at once."""
        shares = np.array([*SHARES, *([SHARES[-1]] * self.extended)])
        size = count, len(shares)
        rates = np.full(size, self.rate)
        if self.drifts:
            rates = np.minimum(0.3, rates * np.exp(np.cumsum(chances.normal(0, 0.3, size), axis=1)))
        if self.bursts:
            rates = np.minimum(0.5, rates * np.where(chances.random(size) < 0.1, 10, 1))
        new = chances.binomial(REQUESTS, shares, size)
        hits = chances.binomial(new, np.minimum(1, rates * self.ratio)), chances.binomial(REQUESTS - new, rates)
        for counts in zip(new.tolist(), hits[0].tolist(), hits[1].tolist(), strict=True):
            yield [Look(n, mine, REQUESTS - n, other) for n, mine, other in zip(*counts, strict=True)]


Judge = Callable[[Sequence[Look]], int | None]
"""After how many looks the new version is rolled back, None where it is not."""


def ours(looks: Sequence[Look]) -> int | None:
    return _first(evidence >= goal(ALPHA) for evidence in worse(looks, PLAN, alpha=ALPHA))


def z_test_at_each_look(looks: Sequence[Look]) -> int | None:
    return _first(p < ALPHA for p in _p_values(looks))


def bonferroni(looks: Sequence[Look]) -> int | None:
    return _first(p < ALPHA / len(looks) for p in _p_values(looks))


def one_look_at_the_end(looks: Sequence[Look]) -> int | None:
    return len(looks) if _p_values(looks)[-1] < ALPHA else None


def kayenta(looks: Sequence[Look]) -> int | None:
    """Mann-Whitney over the looks' rates, once, at the end."""
    new = [look.new_hits / look.new_requests for look in looks if look.new_requests]
    old = [look.old_hits / look.old_requests for look in looks if look.old_requests]
    return len(looks) if scipy.stats.mannwhitneyu(new, old, alternative="greater").pvalue < ALPHA else None


def _p_values(looks: Sequence[Look]) -> list[float]:
    table = np.cumsum([[look.new_requests, look.new_hits, look.old_requests, look.old_hits] for look in looks], axis=0)
    new, new_hits, old, old_hits = table.T.astype(float)
    pooled = (new_hits + old_hits) / (new + old)
    error = np.sqrt(np.maximum(pooled * (1 - pooled) * (1 / np.maximum(new, 1) + 1 / np.maximum(old, 1)), 1e-12))
    deviates = (new_hits / np.maximum(new, 1) - old_hits / np.maximum(old, 1)) / error
    return [float(p) for p in scipy.stats.norm.sf(deviates)]


def _first(found: Iterable[bool]) -> int | None:
    return next((number for number, yes in enumerate(found, 1) if yes), None)


def share_rolled_back(world: World, shifts: int, seed: int = 0) -> float:
    """In which share of the shifts ours rolls back: what :func:`rolled_back` says, without when, in less time."""
    drawn = world.shifts(np.random.default_rng(seed), shifts)
    return sum(reaches_goal(tosses(looks, PLAN), ALPHA) for looks in drawn) / shifts


def rolled_back(world: World, judge: Judge, shifts: int, seed: int = 0) -> tuple[float, float | None]:
    """In which share of the shifts, and after how many requests at the median."""
    found = [judge(looks) for looks in world.shifts(np.random.default_rng(seed), shifts)]
    at = [number * REQUESTS for number in found if number is not None]
    return len(at) / shifts, float(np.median(at)) if at else None
