"""What a comparison can find, before it begins: how many requests it takes, with which power, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import NormalDist

from mlops.statistics.betting import PLANNER, reaches_goal
from mlops.statistics.rates import Look, Planned, chance, tosses

_NORMAL = NormalDist()


def power(
    planned: Sequence[Planned],
    *,
    usual: float,
    ratio: float,
    times: float = 1.0,
    alpha: float = 0.05,
    tries: int = 300,
    seed: int = 0,
) -> float:
    """The probability that a version which does it ``ratio`` times as often as the old one, that does it ``usual``, is
    found to be more than ``times`` as bad within the plan. Played ``tries`` times, for no formula knows both bettors;
    the standard error is at most three hundredths."""
    chances = Random(seed)  # noqa: S311 - a simulation, and the same one each time
    found = 0
    for _ in range(tries):
        looks = []
        for item in planned:
            new = round(item.requests * item.share)
            old = round(item.requests) - new
            hits = _binomial(chances, new, min(1.0, usual * ratio)), _binomial(chances, old, usual)
            looks.append(Look(new, hits[0], old, hits[1]))
        found += reaches_goal(tosses(looks, planned, times=times, usual=usual), alpha)
    return found / tries


def _binomial(chances: Random, count: int, chance: float) -> int:
    """By the gaps between ones, so in as many steps as there are of them."""
    if chance >= 1:
        return count
    if chance <= 0:
        return 0
    ones, at, gap = 0, 0, math.log1p(-chance)
    while True:
        at += int(math.log(1.0 - chances.random()) / gap) + 1
        if at > count:
            return ones
        ones += 1


def requests_needed(
    share: float, *, usual: float, ratio: float, times: float = 1.0, alpha: float = 0.05, wanted: float = 0.8
) -> float:
    """How many requests, of which ``share`` go to the new version, find it with the ``wanted`` power; infinite where
    there is nothing to find."""
    expected, real = chance(share, times), chance(share, ratio)
    if real <= expected or usual <= 0:
        return math.inf
    deviates = _NORMAL.inv_cdf(1 - alpha * PLANNER) + _NORMAL.inv_cdf(wanted)
    hits = deviates**2 * expected * (1 - expected) / (real - expected) ** 2
    return hits / (usual * (1 - share + share * ratio))
