"""What was planted is found and what was not is not: seasons, anomalies, coefficients, and how sure a forecast is."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from mlops.ir import UsageError
from mlops.observe.forecast import seasons
from mlops.observe.forecast.evaluation import evaluated
from mlops.observe.forecast.linear import quantile, solve
from mlops.observe.forecast.model import Settings, fit
from mlops.observe.forecast.series import Series, evenly
from tests.observe.forecast.series_of import HOUR, planted

SEEDS = int(os.environ.get("MLOPS_FORECAST_SEEDS", "4"))
DAILY = Settings((86400.0,))


@pytest.mark.parametrize(
    ("length", "inside", "follows"),
    [
        (336, (), 0.0),
        (336, (), 0.8),
        (336, (24,), 0.0),
        (336, (24,), 0.5),
        (672, (24, 168), 0.0),
        (672, (24, 168), 0.5),
        (144, (12,), 0.0),
        (400, (30.5,), 0.0),
    ],
)
def test_found_periods_are_those_that_were_planted(length: int, inside: tuple[float, ...], follows: float) -> None:
    wrong = []
    for seed in range(max(4, SEEDS // 4)):
        found = seasons.found(
            planted(seed, length, [(period, 3 if period < 100 else 2) for period in inside], follows=follows)
        )
        if len(found) != len(inside) or not np.allclose(found, inside, rtol=0.015):
            wrong.append((seed, found))
    assert len(wrong) <= SEEDS // 80, wrong


def test_a_planted_anomaly_is_found_and_a_clean_season_has_none() -> None:
    false, found = [], []
    for seed in range(SEEDS):
        clean = planted(seed)
        false += [(seed, it) for it in fit(clean, Settings((86400.0, 604800.0))).anomalies()]
        values = clean.values.copy()
        at = 40 + 3 * seed
        values[at] += 9.0 if seed % 2 else -9.0
        seen = fit(Series(0.0, HOUR, values), Settings((86400.0, 604800.0))).anomalies()
        found.append([(it.position, it.distance > 0) for it in seen] == [(at, bool(seed % 2))])
    assert (false, sum(found)) == ([], SEEDS)


def test_coefficients_are_in_the_metrics_units_and_their_errors_hold() -> None:
    """Of 95 % intervals some 95 % hold the truth, also where noise follows itself."""
    told = []
    for seed in range(4 * SEEDS):
        model = fit(planted(seed, 480, ((24, 3),), follows=0.5), DAILY)
        trend = next(it for it in model.coefficients if it.name == "trend per day")
        told.append(abs(trend.value - 0.24) < 2.2 * trend.error)
    assert np.mean(told) >= 0.8
    assert [it.name for it in model.coefficients[:4]] == ["level", "trend per day", "sine 24/1", "cosine 24/1"]


@pytest.mark.parametrize("follows", [0.0, 0.6])
def test_intervals_hold_what_they_say(follows: float) -> None:
    inside = []
    for seed in range(2 * SEEDS):
        whole = planted(seed, 528, ((24, 3),), follows=follows)
        for step, truth in zip(fit(whole.until(480), DAILY).ahead(48), whole.values[480:], strict=True):
            inside.append(step.low <= truth <= step.high)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_a_model_is_held_against_those_who_only_repeat() -> None:
    season = evaluated(planted(1), DAILY, (86400.0,), 24)
    assert season is not None
    assert season.is_better
    assert season.seasonal is not None
    assert (season.steps, season.origins) == (24, 5)
    # Of a walk the last value is the best that can be said.
    walk = Series(0.0, HOUR, np.cumsum(np.random.default_rng(4).normal(size=400)))
    said = evaluated(walk, Settings(()), (), 24)
    assert said is not None
    assert not said.is_better
    assert said.seasonal is None
    assert evaluated(planted(1, 14, ()), Settings(()), (), 24) is None


def test_ridge_holds_back_and_nothing_else() -> None:
    series = planted(2, 200, ((24, 3),))
    plain, held = fit(series, DAILY), fit(series, Settings((86400.0,), ridge=1000.0))
    assert abs(held.coefficients[2].value) < abs(plain.coefficients[2].value)
    columns = plain.design.columns(series.known)
    assert np.allclose(solve(columns, series.values), np.linalg.lstsq(columns, series.values, rcond=None)[0])


def test_gaps_move_nothing() -> None:
    series = planted(3, 336, ((24, 3),))
    values = series.values.copy()
    values[50:60] = np.nan
    values[200] = np.nan
    gaps, whole = fit(replace(series, values=values), DAILY), fit(series, DAILY)
    assert len(gaps.series.known) == 325
    assert np.allclose([it.expected for it in gaps.ahead(24)], [it.expected for it in whole.ahead(24)], atol=0.6)


@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        (np.ones(5), Settings(()), "5 values are too few"),
        (np.ones(40), Settings((86400.0,)), "cannot be seen in 40 values"),
        (np.ones(40), Settings((HOUR,)), "cannot be seen in 40 values"),
    ],
)
def test_what_cannot_be_told_is_said(values: np.ndarray, settings: Settings, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UsageError, match=words):
        fit(Series(0.0, HOUR, values), settings)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_metric_that_never_changes_has_no_season_and_no_anomaly(value: float) -> None:
    model = fit(Series(0.0, HOUR, np.full(100, value)))
    assert (model.periods, model.anomalies()) == ((), ())
    assert np.allclose([(it.low, it.expected, it.high) for it in model.ahead(5)], value)


def test_points_in_any_order_become_even_steps() -> None:
    assert np.array_equal(evenly([(180.0, 3.0), (60.0, 1.0)], 60.0).values, [1.0, np.nan, 3.0], equal_nan=True)
    with pytest.raises(UsageError, match="no value"):
        evenly([], 60.0)


@pytest.mark.parametrize(("left", "truth"), [(5, 2.571), (10, 2.228), (30, 2.042), (1000, 1.962)])
def test_quantiles_are_students(left: int, truth: float) -> None:
    assert quantile(0.975, left) == pytest.approx(truth, abs=0.005)


def test_memory_for_the_noise_is_bounded() -> None:
    import tracemalloc

    power = np.random.default_rng(1).exponential(size=6000)
    tracemalloc.start()
    found = seasons._background(power)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.median(found) == pytest.approx(1.0, rel=0.1)
    assert peak < 32 * 1024 * 1024
