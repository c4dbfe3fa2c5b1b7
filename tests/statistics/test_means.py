"""Does the new version earn less? Bounded values, whose means both drift."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
import scipy

from mlops.statistics import means
from mlops.statistics.betting import goal
from mlops.statistics.means import Bounds, Usual

ALPHA = 0.05
SHARES = (0.05,) * 4 + (0.25,) * 4 + (0.5,) * 4
REQUESTS = 300
PLAN = [(float(REQUESTS), share) for share in SHARES]


def found(*, less: float, shifts: int, seed: int, by: float = 0.0, spread: float = 15.0, drift: float = 20.0) -> float:
    """In which share of the shifts a version that earns ``less`` is found; what all earn swings with the hour."""
    chances, times = np.random.default_rng(seed), 0
    for _ in range(shifts):
        looks = []
        for hour, share in enumerate(SHARES):
            new = chances.random(REQUESTS) < share
            earned = np.clip(chances.normal(50 + drift * math.sin(hour), spread, REQUESTS), 0, 100).round(1)
            earned[new] = np.clip(earned[new] - less, 0, 100)
            looks.append(means.Look(Counter(earned[new].tolist()), Counter(earned[~new].tolist()), share))
        times += max(means.worse(looks, Bounds(0, 100), PLAN, by=by, alpha=ALPHA)) >= goal(ALPHA)
    return times / shifts


def at_most(shifts: int) -> float:
    return float(scipy.stats.binom.ppf(0.999, shifts, ALPHA)) / shifts


def test_what_earns_as_much_is_rolled_back_no_more_often_than_was_said() -> None:
    assert found(less=0, shifts=60, seed=1) <= at_most(60)


@pytest.mark.proof("verdicts")
@pytest.mark.parametrize(("less", "by", "drift"), [(0, 0, 20), (0, 0, 0), (4, 4, 20), (-4, -4, 20)])
def test_that_holds_in_three_hundred_shifts(less: float, by: float, drift: float) -> None:
    assert found(less=less, by=by, drift=drift, shifts=300, seed=2) <= at_most(300)


def test_what_earns_less_is_found_and_a_limit_lets_a_little_pass() -> None:
    assert found(less=6, shifts=20, seed=3) >= 0.9
    assert found(less=2, shifts=20, seed=4, by=4) <= 0.1
    assert found(less=-6, shifts=20, seed=5) <= 0.1


@pytest.mark.proof("verdicts")
@pytest.mark.parametrize("less", [2, 3, 4])
def test_the_power_is_what_was_told(less: float) -> None:
    """By a formula that knows no bettor: within five hundredths, and three standard errors."""
    told = means.power(PLAN, less, 15.0**2, alpha=ALPHA)
    assert found(less=less, shifts=150, seed=6, drift=0) >= told - 0.05 - 3 * math.sqrt(told * (1 - told) / 150)


def test_lower_can_be_better() -> None:
    looks = [means.Look({0.9: 100}, {0.1: 100}, 0.5)] * 3
    planned = [(200.0, 0.5)] * 3
    assert means.worse(looks, Bounds(0, 1), planned, lower_is_better=True)[-1] >= goal(ALPHA)
    assert means.worse(looks, Bounds(0, 1), planned)[-1] < 0
    assert means.worse(looks, Bounds(0, 1), planned, usual=Usual(0.5, 0.1))[-1] < 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: means.worse([means.Look({120.0: 1}, {}, 0.5)], Bounds(0, 100)), "120 is outside of its bounds"),
        (lambda: Bounds(1, 1), "the first has to be the lower one"),
        (lambda: Bounds(0, math.inf), "the first has to be the lower one"),
    ],
)
def test_what_cannot_be_bounded_is_refused(make: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("by", [0.0, 0.9, -0.9])
def test_no_stake_ruins(share: float, by: float) -> None:
    for new, old in (({1.0: 50}, {0.0: 50}), ({0.0: 50}, {1.0: 50}), ({1.0: 5}, {}), ({}, {1.0: 5})):
        wealth = means.worse([means.Look(new, old, share)] * 5, Bounds(0, 1), [(100.0, share)] * 5, by=by)
        assert all(math.isfinite(item) for item in wealth)


def test_what_a_plan_finds() -> None:
    smallest = means.smallest_found([(1000.0, 0.5)], 0.25)
    assert means.requests_needed(0.5, smallest, 0.25) == pytest.approx(1000)
    assert means.power([(1000.0, 0.5)], smallest, 0.25) == pytest.approx(0.8)
    assert means.smallest_found([(1000.0, 1.0)], 0.25) == math.inf
    assert means.power([(1000.0, 1.0)], 1.0, 0.25) == 0


def test_a_seen_value_counts_as_often_as_it_was_seen() -> None:
    def counted(values: Iterable[float]) -> Counter[float]:
        return Counter(values)

    once = means.worse([means.Look(counted([0.1, 0.1, 0.4]), counted([0.9]), 0.5)], Bounds(0, 1), [(4.0, 0.5)])
    assert once == means.worse([means.Look({0.1: 2, 0.4: 1}, {0.9: 1}, 0.5)], Bounds(0, 1), [(4.0, 0.5)])


def test_very_many_values_win_no_more_than_they_do_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And hardly less."""
    chances = np.random.default_rng(9)
    looks = [means.Look(Counter(chances.random(800) * 0.9), Counter(chances.random(800)), 0.5) for _ in range(3)]
    planned = [(1600.0, 0.5)] * 3
    fast = means.worse(looks, Bounds(0, 1), planned)
    monkeypatch.setattr(means, "_MOST_VALUES", 10_000)
    exact = means.worse(looks, Bounds(0, 1), planned)
    assert all(one <= other + 1e-3 for one, other in zip(fast, exact, strict=True))
    assert fast == pytest.approx(exact, abs=0.02)
    assert means._on_grid([(1.0, 2), (0.0, 1), (0.501, 4)]) == [(0.0, 1.0), (0.5, 3.0), (0.504, 1.0), (1.0, 2.0)]
