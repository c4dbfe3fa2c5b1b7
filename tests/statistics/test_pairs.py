"""Pairs of answers: as McNemar's test says, and at any time."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from mlops.statistics import pairs
from mlops.statistics.betting import goal

ALPHA = 0.05


@pytest.mark.parametrize(("new", "old", "found"), [(0.02, 0.02, False), (0.08, 0.02, True), (0.02, 0.08, False)])
def test_pairs(new: float, old: float, found: bool) -> None:
    """As McNemar's exact test says of the whole, which is looked at once."""
    chances = np.random.default_rng(6)
    looks = [pairs.Look(200, int(chances.binomial(200, new)), int(chances.binomial(200, old))) for _ in range(10)]
    only_new, only_old = sum(look.only_new_wrong for look in looks), sum(look.only_old_wrong for look in looks)
    once = scipy.stats.binomtest(only_new, only_new + only_old, alternative="greater").pvalue
    assert (max(pairs.worse(looks, [200] * 10)) >= goal(ALPHA)) is found
    assert bool(once < ALPHA) is found


def test_pairs_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="more wrong than pairs"):
        pairs.Look(3, 2, 2)


def test_what_is_as_good_is_called_worse_no_more_often_than_was_said() -> None:
    """At a look after each hundred pairs."""
    chances, times = np.random.default_rng(7), 0
    for _ in range(300):
        looks = [
            pairs.Look(100, int(new), int(old)) for new, old in chances.binomial(100, 0.03, (30, 2)) if new + old <= 100
        ]
        times += max(pairs.worse(looks)) >= goal(ALPHA)
    assert times / 300 <= scipy.stats.binom.ppf(0.999, 300, ALPHA) / 300
