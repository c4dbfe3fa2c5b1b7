"""Bets on tosses whose chance is known under the hypothesis.

Two bettors share the stake. The *planner* knows how many tosses are still to come and stakes so that wealth reaches the
goal by then with the highest probability: it hedges a digital option, as in A. Shafer and Vovk, "Game-Theoretic
Foundations for Probability and Finance" (2019), 17.3, and never needs the plan to be right to stay fair, for each bet
is. The *roamer* holds a mixture of likelihood ratios (H. Robbins, "Statistical methods related to the law of the
iterated logarithm", 1970), has no plan, and is what goes on when a stage is extended.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import NamedTuple

PLANNER = 0.8
"""Its part of the stake. Measured (``tests/statistics``): at half as many errors again the two find more than either
alone does within the same error bound, and a gross fault as fast as the roamer."""
RATIOS = {1.2: 0.20, 1.5: 0.30, 2.0: 0.20, 3.0: 0.12, 5.0: 0.08, 10.0: 0.06, 50.0: 0.04}
"""What the roamer holds: how many times as often, with which part of its stake."""
_SHARE_AT_RISK = 0.9
"""Of its wealth that the planner bets at most, so that no toss ruins it."""
_NORMAL = NormalDist()
_LEAST = 1e-12
_PLANNERS = math.log(PLANNER)
_ROAMERS = [math.log((1 - PLANNER) * part) for part in RATIOS.values()]
_HELD = [(ratio, math.log(ratio)) for ratio in RATIOS]
_ALL = 1e-9
"""What rounding may add to the wealth of all, which have one stake together."""


class Tosses(NamedTuple):
    """A look: ``ones`` of ``tosses``, each of which is one with a probability of at most ``chance`` under the
    hypothesis, given all before. ``ahead`` is how much information the planner expects from this look on: the sum of
    ``chance * (1 - chance)`` of all tosses of it and of the looks to come; 0 where nobody knows. Both were known before
    the look."""

    ones: int
    tosses: int
    chance: float
    ahead: float = 0.0


def log_wealth(looks: Sequence[Tosses], alpha: float) -> tuple[float, ...]:
    """After each look; there is enough against the hypothesis when it reaches :func:`goal`."""
    return tuple(_together(planner, roamers) for planner, roamers in _played(looks, alpha))


def reaches_goal(looks: Sequence[Tosses], alpha: float) -> bool:
    """Whether :func:`log_wealth` ever does, in half the time."""
    enough = goal(alpha)
    # The parts of the stake add up to one, so all together are no richer than the one that made most of its own.
    worth_adding = enough - _ALL
    return any(
        (planner >= worth_adding or max(roamers) >= worth_adding) and _together(planner, roamers) >= enough
        for planner, roamers in _played(looks, alpha)
    )


def _played(looks: Sequence[Tosses], alpha: float) -> Iterator[tuple[float, list[float]]]:
    """The logarithms of what the planner and each roamer made of their stakes, after each look."""
    planner, roamers = 0.0, [0.0] * len(RATIOS)
    for look in looks:
        ones, tosses, chance, ahead = look
        # Where all tosses fall on one side whoever is right there is nothing to bet on.
        if tosses and 0 < chance < 1:
            others = tosses - ones
            if ahead > 0:
                bet = _planned(planner, look, alpha * PLANNER)
                planner += ones * math.log1p(bet * (1 - chance)) + others * math.log1p(-bet * chance)
            # Each holds ``ratio * chance / whole`` on a one, and the rest, ``(1 - chance) / whole``, on another toss.
            roamers = [
                made + (ones * log - tosses * math.log(ratio * chance + 1 - chance))
                for made, (ratio, log) in zip(roamers, _HELD, strict=True)
            ]
        yield planner, roamers


def still_to_come(planned: Sequence[float], looks: int) -> list[float]:
    """At each of so many looks, what it and all after it are planned to have; nothing beyond the plan.

    >>> still_to_come([1, 2, 4], 4)
    [7.0, 6.0, 4.0, 0.0]
    """
    left = [0.0]
    for amount in reversed(planned):
        left.append(left[-1] + amount)
    return [left[max(0, len(planned) - number)] for number in range(looks)]


def goal(alpha: float) -> float:
    """As :func:`log_wealth` is."""
    return -math.log(alpha)


def _planned(log_stake: float, look: Tosses, alpha: float) -> float:
    """How much of its wealth the planner bets on each toss, per unit of surprise. Its wealth is what the option is
    worth, so the option's delta is the bet."""
    if log_stake >= -math.log(alpha):
        return 0.0
    at = _NORMAL.inv_cdf(min(max(math.exp(log_stake) * alpha, _LEAST), 1 - _LEAST))
    bet = _NORMAL.pdf(at) / (_NORMAL.cdf(at) * math.sqrt(look.ahead))
    return min(bet, _SHARE_AT_RISK / look.chance)


def _together(planner: float, roamers: Sequence[float]) -> float:
    terms: list[float] = [_PLANNERS + planner, *map(operator.add, _ROAMERS, roamers)]
    most = max(terms)
    return most + math.log(sum([math.exp(term - most) for term in terms]))
