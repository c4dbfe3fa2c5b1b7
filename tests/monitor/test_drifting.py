"""Distances and what is said of all features together, as tables; that the declared rate holds, is a judge's."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from mlops.monitor import drifting, joint
from mlops.monitor.cells import Chunk, of_array, of_texts
from mlops.monitor.distances import Categories, measure, numbers
from mlops.monitor.drifting import Asked, Compared, asked, baseline_of, compare, corrected, known, look
from mlops.monitor.fault import Fault
from mlops.monitor.profile import profile, statistics

ONE = numbers([np.arange(100.0)])
TWICE = numbers([np.concatenate([np.arange(100.0), np.arange(100.0)])])
DISTANCES = {
    "the same numbers": (ONE, ONE, "ks", 0.0, 1.0),
    "numbers that moved by a tenth of all": (ONE, numbers([np.arange(10.0, 110.0)]), "ks", 0.1, 0.66),
    "numbers that moved by half": (ONE, numbers([np.arange(50.0, 150.0)]), "ks", 0.5, 1e-11),
    "the population index, of tenths": (ONE, numbers([np.arange(50.0, 150.0)]), "psi", 3.0, 1e-20),
    "the same tenths of twice as many": (ONE, TWICE, "psi", 0.0, 1.0),
    "chi-squared of numbers": (ONE, numbers([np.arange(50.0, 150.0)]), "chi2", 0.5, 1e-9),
    "shares": (Categories({"a": 30, "b": 70}), Categories({"a": 50, "b": 50}), "chi2", 0.2, 0.0039),
    "shares by their index": (Categories({"a": 30, "b": 70}), Categories({"a": 50, "b": 50}), "psi", 0.1695, 0.0036),
    "the greatest share": (Categories({"a": 30, "b": 70}), Categories({"a": 50, "b": 50}), "linf", 0.2, 0.0078),
    "a category that is new": (Categories({"a": 90, "z": 10}), Categories({"a": 100}), "chi2", 0.1, 0.0012),
    "nothing but one category": (Categories({"a": 90}), Categories({"a": 100}), "chi2", 0.0, 1.0),
    "rare ones are one cell": (
        Categories({"a": 96, **{str(at): 1 for at in range(4)}}),
        Categories({"a": 96, **{str(at): 1 for at in range(10, 14)}}),
        "chi2",
        0.0,
        1.0,
    ),
}


@pytest.mark.parametrize("case", DISTANCES)
def test_a_distance_has_this_probability(case: str) -> None:
    now, before, statistic, value, probability = DISTANCES[case]
    found = measure(now, before, statistic)  # type: ignore[arg-type]
    assert (found.statistic, found.value) == (statistic, pytest.approx(value, rel=0.35 if statistic == "psi" else 1e-3))
    if probability < 1e-5:
        assert found.probability < probability * 100
    else:
        assert found.probability == pytest.approx(probability, rel=0.1)


def test_what_so_many_values_can_prove_is_where_they_prove_it() -> None:
    for now, before, statistic in ((ONE, TWICE, "ks"), (ONE, TWICE, "psi")):
        found = measure(now, before, statistic)  # type: ignore[arg-type]
        assert found.detectable(0.05) > found.detectable(0.5) > 0
    assert measure(ONE, ONE, "ks").detectable(0.05) == pytest.approx(0.19, abs=0.01)


@pytest.mark.parametrize(
    ("now", "before", "statistic"),
    [(ONE, Categories({"a": 1}), None), (Categories({"a": 1}), Categories({"a": 1}), "ks")],
)
def test_what_cannot_be_compared_is_told(now: Any, before: Any, statistic: Any) -> None:
    with pytest.raises(ValueError):
        measure(now, before, statistic)


def test_a_sketch_is_worth_no_more_than_it_is_precise() -> None:
    whole, kept = numbers([np.arange(5000.0)]), numbers([np.arange(2000.0), *[np.empty(0)] * 11, np.arange(2000.0)])
    assert whole.worth == 5000
    assert kept.many > 8e6 and kept.worth < 5e6


def test_holms_correction_never_falls_and_ends_where_one_is_silent() -> None:
    found = [
        Compared("a", "ks", 0.5, 0.01),
        Compared("b", "ks", silent="too few"),
        Compared("c", "ks", 0.5, 0.04),
        Compared("d", "ks", 0.5, 0.03),
    ]
    told = corrected(found, 0.05)
    assert [item.adjusted for item in told if not item.silent] == pytest.approx([0.03, 0.06, 0.06])
    assert [item.feature for item in told if item.drifted] == ["a"]


class Columns:
    """A data set in memory."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = columns

    def chunks(self, size: int = 500, texts: Collection[str] | None = None) -> Iterator[Chunk]:
        for start in range(0, len(next(iter(self.columns.values()))), 500):
            yield {
                name: of_texts(column[start : start + 500])
                if isinstance(column, list)
                else of_array(column[start : start + 500])
                for name, column in self.columns.items()
            }


def drawn(seed: int, rows: int = 1500, *, together: float = 0.8, gaps: float = 0.05, **moved: float) -> Columns:
    random = np.random.default_rng(seed)
    common, own = random.normal(size=rows), random.normal(size=(rows, 3))
    value = own[:, 0].copy()
    value[random.random(rows) < gaps] = np.nan
    return Columns(
        {
            "age": common + moved.get("age", 0.0),
            "spend": together * common + (1 - together**2) ** 0.5 * own[:, 1],
            "value": value,
            "visits": random.poisson(2 + moved.get("visits", 0.0), size=rows),
            "plan": ["paid" if chance else "free" for chance in random.random(rows) < 0.3 + moved.get("plan", 0.0)],
        }
    )


def found_in(now: Columns, told: Mapping[str, Any] | None = None) -> dict[str, str]:
    before = drawn(0)
    baseline = baseline_of(before, profile(before))
    _, compared = look(now, baseline, asked(told or {}))
    return {f"{item.feature}/{item.test}": item.told for item in compared if item.drifted}


FINDS = {
    "nothing": ({}, {}, set()),
    "a mean": ({"age": 0.3}, {}, {"age/ks", "All features together/together"}),
    "counts of few values": ({"visits": 1.0}, {}, {"visits/chi2", "All features together/together"}),
    "a share": ({"plan": 0.2}, {}, {"plan/chi2", "All features together/together"}),
    "how columns go together": ({"together": 0.3}, {}, {"All features together/together"}),
    "what is missing": ({"gaps": 0.3}, {}, {"value/missing"}),
    "a feature that nobody looks at": ({"plan": 0.2}, {"features": {"plan": False}, "together": False}, set()),
    "less than was asked for": ({"age": 0.3}, {"least": 0.5}, {"All features together/together"}),
    "by another statistic": (
        {"age": 0.3},
        {"features": {"age": {"statistic": "psi"}}},
        {"age/psi", "All features together/together"},
    ),
    "too few": ({"age": 3.0}, {"fewest": 2000}, set()),
}


@pytest.mark.parametrize("case", FINDS)
def test_what_drifted_is_found_and_what_did_not_is_not(case: str) -> None:
    moved, told, wanted = FINDS[case]
    assert set(found_in(drawn(1, **moved), told)) == wanted  # type: ignore[arg-type]


def test_a_pair_that_goes_together_otherwise_is_named() -> None:
    assert "age and spend" in found_in(drawn(1, together=0.3))["All features together/together"]


def test_a_baseline_is_read_as_it_was_written_and_without_our_own_file_too() -> None:
    before, now = drawn(0), drawn(1, age=0.3)
    columns = profile(before)
    baseline = baseline_of(before, columns)
    written = drifting.document_of(baseline)
    read = drifting.read_baseline(statistics(columns), written)
    _, first = look(now, baseline, Asked())
    _, second = look(now, read, Asked())
    assert [item.document() for item in first] == [item.document() for item in second]
    _, foreign = look(now, drifting.read_baseline(statistics(columns), None), Asked())
    assert {item.feature for item in foreign if item.drifted} == {"age"}
    assert "another program" in next(item.silent for item in foreign if item.test == "together")
    with pytest.raises(Fault, match="baseline's statistics"):
        drifting.read_baseline({"features": [{"name": "a", "numerical_statistics": {}}]}, None)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"false_alarms": 2}, "false_alarms"),
        ({"fewest": 1}, "fewest"),
        ({"statistic": "t"}, "one of ks, psi, linf, chi2"),
        ({"features": {"a": {"least": -1}}}, "drift.features.a.least"),
        ({"features": [1]}, "drift.features"),
    ],
)
def test_what_is_no_setting_is_told(told: Any, wrong: str) -> None:
    with pytest.raises(Fault, match=wrong):
        asked(told)


def test_numbers_that_became_texts_are_told_and_not_compared() -> None:
    now = drawn(1)
    now = Columns({**now.columns, "age": ["old"] * 1500})
    baseline = baseline_of(drawn(0), profile(drawn(0)))
    found = compare(
        {name: known(column) for name, column in profile(now).items()}, joint.Sums({}), baseline, Asked(together=False)
    )
    (age,) = (item for item in found if item.feature == "age")
    assert "held numbers and holds texts" in age.silent and math.isnan(age.value)
