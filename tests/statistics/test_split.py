"""Whether requests were shared as asked."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from mlops.statistics.betting import goal
from mlops.statistics.split import log_mismatch, log_mismatch_of

ALPHA = 0.05


@pytest.mark.parametrize(
    ("counts", "asked", "told"),
    [
        ({"new": 1000, "old": 9000}, {"new": 1, "old": 9}, False),
        ({"new": 2000, "old": 8000}, {"new": 1, "old": 9}, True),
        ({"new": 0, "old": 300}, {"new": 10, "old": 90}, True),
        ({"new": 0, "old": 10}, {"new": 10, "old": 90}, False),
        ({"old": 10_000}, {"new": 0, "old": 1}, False),
        ({"new": 1, "old": 10_000}, {"new": 0, "old": 1}, True),
        ({"stranger": 1, "old": 10}, {"old": 1}, True),
        ({}, {"new": 1, "old": 1}, False),
        ({"a": 340, "b": 330, "c": 330}, {"a": 1, "b": 1, "c": 1}, False),
    ],
)
def test_a_split_that_was_not_asked_for_is_told(counts: dict[str, int], asked: dict[str, float], told: bool) -> None:
    assert (log_mismatch(counts, asked) >= goal(0.001)) is told


def test_a_split_is_told_falsely_no_more_often_than_was_said() -> None:
    """At a look after each hundred requests."""
    chances, times = np.random.default_rng(8), 0
    for _ in range(300):
        new = np.cumsum(chances.binomial(100, 0.1, 60))
        times += any(
            log_mismatch({"new": int(n), "old": 100 * at - int(n)}, {"new": 0.1, "old": 0.9}) >= goal(ALPHA)
            for at, n in enumerate(new, 1)
        )
    assert times / 300 <= scipy.stats.binom.ppf(0.999, 300, ALPHA) / 300


def test_stages_add_up() -> None:
    stage = ({"new": 130, "old": 870}, {"new": 0.1, "old": 0.9})
    assert log_mismatch_of([stage] * 3) == pytest.approx(3 * log_mismatch(*stage))
