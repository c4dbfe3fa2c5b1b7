"""Settings of a strategy make a course, or a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.deploy.strategies import strategies
from mlops.ir.duration import said, seconds_of
from mlops.ir.shift import Course, Stage


def course(name: str, **settings: Any) -> Course:
    strategy = strategies()[name]
    return strategy.course(strategy.settings(**settings), 3)


def test_the_strategies() -> None:
    assert list(strategies()) == ["ab", "all-at-once", "blue-green", "canary", "linear", "rolling", "stepped"]
    assert all(strategy.summary for strategy in strategies().values())


@pytest.mark.parametrize(
    ("name", "settings", "stages", "releases"),
    [
        ("all-at-once", {}, [(100, 0)], False),
        ("ab", {"until": "over", "lasts": 60}, [(50, 60), (100, 0)], False),
        ("blue-green", {}, [(100, 600)], False),
        ("blue-green", {"bake": "90s"}, [(100, 90)], False),
        ("canary", {}, [(10, 600), (100, 0)], False),
        ("canary", {"share": 5, "bake": 60, "after": "1h"}, [(5, 60), (100, 3600)], False),
        ("linear", {"step": 25, "bake": "5m"}, [(25, 300), (50, 300), (75, 300), (100, 300)], False),
        ("linear", {"step": 30, "bake": 1, "after": 0}, [(30, 1), (60, 1), (90, 1), (100, 0)], False),
        ("linear", {"step": 100, "bake": 1}, [(100, 1)], False),
        ("rolling", {"batch": 50, "bake": 2}, [(50, 2), (100, 2)], True),
        ("stepped", {"bake": 1}, [(5, 1), (25, 1), (50, 1), (100, 1)], False),
        ("stepped", {"shares": [1, 10], "bake": [1, 2, 3]}, [(1, 1), (10, 2), (100, 3)], False),
        ("stepped", {"shares": [0.5, 100], "bake": 0}, [(0.5, 0), (100, 0)], False),
    ],
)
def test_a_course(name: str, settings: dict[str, Any], stages: list[tuple[float, float]], releases: bool) -> None:
    assert course(name, **settings) == Course(tuple(Stage(float(share), bake) for share, bake in stages), releases)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("canary", {"share": 0}, "share = 0: a canary has more than 0 and less than 100 percent"),
        ("canary", {"share": 100}, "share = 100: a canary has more than 0 and less than 100 percent"),
        ("canary", {"bake": "ten minutes"}, '\'ten minutes\' is no duration; one is, for example, "90s", "10m"'),
        ("canary", {"bake": "10"}, "'10' is no duration"),
        ("canary", {"after": -1}, "-1 is no duration: it cannot be negative"),
        ("ab", {"share": 100}, "share = 100: each version has more than 0 and less than 100 percent"),
        ("ab", {"until": "soon"}, 'until = \'soon\': "decided" or "over"'),
        ("linear", {"step": 0.5}, "step = 0.5: give 1 to 100 percent"),
        ("rolling", {"batch": 101}, "batch = 101: give 1 to 100 percent"),
        ("stepped", {"shares": [25, 5, 100]}, "shares = [25, 5, 100]: they have to rise"),
        ("stepped", {"shares": [5, 5, 100]}, "they have to rise"),
        ("stepped", {"shares": []}, "shares = []: give one at least"),
        ("stepped", {"shares": [0, 100]}, "they have to rise, from above 0"),
        ("stepped", {"shares": [5, 120]}, "they have to rise, from above 0 to 100 percent"),
        ("stepped", {"shares": [5, 100], "bake": [1]}, "bake has 1 durations for 2 stages"),
    ],
)
def test_settings_that_do_not_go_together(name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as told:
        course(name, **settings)
    assert said in str(told.value)


@pytest.mark.parametrize("text", ["1h 30m", "45s", "2d", "1d 1h 1m 1s"])
def test_a_duration_is_said_as_it_is_written(text: str) -> None:
    assert said(seconds_of(text)) == text
