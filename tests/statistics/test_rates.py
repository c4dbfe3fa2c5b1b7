"""A look at any time: no more false rollbacks than was said, whatever both versions go through, and power."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from mlops.statistics import planning
from mlops.statistics.betting import Tosses, goal, log_wealth, reaches_goal
from mlops.statistics.rates import Look, Planned, better, tosses, worse

from . import shifts
from .shifts import ALPHA, PLAN, World, rolled_back

SAME = [
    World("steady", 0.02),
    World("extended by as much again", 0.02, extended=30),
    World("a rate that drifts", 0.02, drifts=True),
    World("bursts that hit both", 0.02, bursts=True),
    World("rare: six hits in a shift", 0.0005, extended=30),
    World("no error ever", 0.0),
    World("one in three fails", 0.33),
    World("better", 0.02, ratio=0.7),
]
WORSE = [
    # Ratio, share found at least, requests at the median at most.
    (World("half as much again", 0.02, ratio=1.5), 0.70, 12_000),
    (World("two and a half times", 0.02, ratio=2.5), 1.0, 5_600),
    (World("all fail", 0.02, ratio=50), 1.0, 400),
    (World("half as much again while all drifts", 0.02, ratio=1.5, drifts=True), 0.6, 12_000),
]


def at_most(rate: float, shifts: int) -> float:
    """What a share of ``shifts`` stays below where its probability is ``rate``, but once in a thousand times."""
    return float(scipy.stats.binom.ppf(0.999, shifts, rate)) / shifts


@pytest.mark.parametrize("world", SAME, ids=lambda world: world.name)
def test_a_version_that_is_no_worse_is_rolled_back_no_more_often_than_was_said(world: World) -> None:
    found, _ = rolled_back(world, shifts.ours, 150)
    assert found <= at_most(ALPHA, 150)


@pytest.mark.parametrize(("world", "least", "latest"), WORSE, ids=lambda item: getattr(item, "name", ""))
def test_a_version_that_is_worse_is_found(world: World, least: float, latest: int) -> None:
    found, median = rolled_back(world, shifts.ours, 100)
    assert found >= least - 0.15 * (least < 1)
    assert median is not None and median <= latest


@pytest.mark.proof("verdicts")
@pytest.mark.parametrize("world", SAME, ids=lambda world: world.name)
def test_ten_thousand_shifts_hold_the_rate(world: World) -> None:
    assert shifts.share_rolled_back(world, 10_000) <= ALPHA


def test_whether_one_is_found_is_said_alike() -> None:
    for world in (SAME[2], SAME[4], WORSE[0][0]):
        assert shifts.share_rolled_back(world, 60) == rolled_back(world, shifts.ours, 60)[0]


@pytest.mark.proof("verdicts")
def test_ten_thousand_shifts_hold_the_power() -> None:
    twice, median = rolled_back(WORSE[1][0], shifts.ours, 2_000)
    assert shifts.share_rolled_back(WORSE[0][0], 10_000) >= 0.70
    assert twice == 1.0 and median is not None and median <= 5_600


@pytest.mark.parametrize(
    ("judge", "least", "most"),
    [
        (shifts.z_test_at_each_look, 0.20, 0.45),
        (shifts.bonferroni, 0.0, 0.12),
        (shifts.one_look_at_the_end, 0.0, 0.12),
        (shifts.kayenta, 0.0, 0.12),
    ],
)
def test_what_others_do_with_the_same_shifts(judge: shifts.Judge, least: float, most: float) -> None:
    found, _ = rolled_back(SAME[0], judge, 200)
    assert least <= found <= most


def test_one_terrible_look_is_found_though_all_others_are_alike() -> None:
    """A rank test passes it: one rank of thirty is the highest, by how much does not count."""
    chances = np.random.default_rng(9)
    looks = SAME[0].shift(chances)
    looks[25] = Look(200, 150, 200, 4)
    assert shifts.kayenta(looks) is None
    assert shifts.ours(looks) == 26


def test_an_effect_limit_lets_a_little_worse_pass() -> None:
    """A version 1.2 times as bad is found against 1, not against 1.5; one three times as bad against both."""
    many = [Look(20_000, 480, 20_000, 400)] * 10
    assert max(worse(many)) >= goal(ALPHA)
    assert max(worse(many, times=1.5)) < 0.1
    assert max(worse([Look(20_000, 1200, 20_000, 400)], times=1.5)) >= goal(ALPHA)


def test_no_worse_than_a_limit_can_be_proven() -> None:
    equal = [Look(5_000, 100, 5_000, 100)] * 10
    assert max(better(equal, times=1.5)) >= goal(ALPHA)
    assert max(better(equal, times=1.0)) < goal(ALPHA)
    assert max(better([Look(5_000, 200, 5_000, 100)] * 10, times=1.5)) < goal(ALPHA)


@pytest.mark.parametrize(
    "looks",
    [
        [],
        [Look(0, 0, 0, 0)],
        [Look(0, 0, 100, 10)],
        [Look(100, 10, 0, 0)],
        [Look(100, 0, 100, 0)],
    ],
)
def test_nothing_to_compare_is_no_evidence(looks: list[Look]) -> None:
    for times in (1.0, 1.2, 3.0):
        assert all(math.isclose(wealth, 0.0, abs_tol=1e-9) for wealth in worse(looks, PLAN, times=times))
        assert all(math.isclose(wealth, 0.0, abs_tol=1e-9) for wealth in better(looks, PLAN, times=times))


@pytest.mark.parametrize("wrong", [(10, 11, 10, 0), (10, 0, 10, 11), (10, -1, 10, 0)])
def test_counts_that_cannot_be_are_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="more hits than requests"):
        Look(*wrong)


counts = st.tuples(st.integers(0, 40), st.integers(0, 40))


@given(
    st.lists(st.tuples(counts, counts), max_size=12),
    st.floats(0, 1),
    st.floats(0.5, 4),
)
def test_laws(looks: list[tuple[tuple[int, int], tuple[int, int]]], share: float, times: float) -> None:
    """Evidence is finite, a prefix has the evidence that it had, and more hits of the new version are more of it."""
    made = [Look(max(new), min(new), max(old), min(old)) for new, old in looks]
    plan = [Planned(40, share)] * len(made)
    whole = worse(made, plan, times=times)
    assert all(math.isfinite(wealth) for wealth in whole)
    assert worse(made[:-1], plan, times=times) == whole[:-1]
    for alpha in (0.3, 0.05):
        of_it = tosses(made, plan, times=times)
        assert reaches_goal(of_it, alpha) == (max(log_wealth(of_it, alpha), default=0.0) >= goal(alpha))


@given(st.floats(0.02, 0.98), st.integers(1, 12), st.floats(0, 50), st.floats(-3, 2.5))
def test_every_bet_is_fair(chance: float, tosses: int, ahead: float, before: float) -> None:
    """The mean of the wealth over all outcomes of a look, as they come under the hypothesis, is what it was before."""
    first = Tosses(1, 2, 0.5, ahead)
    start = math.exp(log_wealth([first], ALPHA)[-1])
    mean = sum(
        scipy.stats.binom.pmf(ones, tosses, chance)
        * math.exp(log_wealth([first, Tosses(ones, tosses, chance, ahead)], ALPHA)[-1])
        for ones in range(tosses + 1)
    )
    assert math.isclose(mean, start, rel_tol=1e-6)


def test_the_plan_says_what_will_be_found() -> None:
    powers = [planning.power(PLAN, usual=0.02, ratio=ratio, tries=100) for ratio in (1.0, 1.5, 2.5)]
    assert powers[0] <= 0.12 and 0.6 <= powers[1] <= 0.95 and powers[2] >= 0.99
    needed = [planning.requests_needed(0.5, usual=0.02, ratio=ratio) for ratio in (1.2, 1.5, 2.0, 3.0)]
    assert all(more > less for more, less in pairwise(needed))
    looks = [Planned(needed[1] / 20, 0.5)] * 20
    assert 0.6 <= planning.power(looks, usual=0.02, ratio=1.5, tries=100) <= 0.95
    assert planning.requests_needed(0.5, usual=0.0, ratio=2) == math.inf
    assert planning.requests_needed(0.5, usual=0.02, ratio=1) == math.inf


def test_the_sampler_of_the_plan_is_binomial() -> None:
    from random import Random

    chances = Random(1)
    drawn = [planning._binomial(chances, 40, 0.1) for _ in range(3000)]
    assert (
        scipy.stats.chisquare(
            np.bincount(np.minimum(drawn, 9), minlength=10),
            3000 * np.append(scipy.stats.binom.pmf(range(9), 40, 0.1), scipy.stats.binom.sf(8, 40, 0.1)),
        ).pvalue
        > 0.001
    )
    assert (planning._binomial(chances, 5, 1.0), planning._binomial(chances, 5, 0.0)) == (5, 0)
