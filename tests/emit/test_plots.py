"""Plots: round marks, and nothing outside of the picture, whatever the values are."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.deploy.executions.model_reports import drifted, judged
from mlops.emit.drawing.text import width
from mlops.emit.plots import gantt, kinds, parallel
from mlops.emit.plots.chart import Axis, Band, Panel, Rule, Series, drawn
from mlops.emit.plots.scales import marks, second_marks
from tests.laws import examples

SVG = "{http://www.w3.org/2000/svg}"
VALUES = st.floats(-1e12, 1e12) | st.sampled_from([0.0, 1.0, 1e-9, math.nan, math.inf, -math.inf])


def need_inside(text: str) -> ElementTree.Element:
    """All points, shapes and words; and no word lies over another or over a line of values."""
    root = ElementTree.fromstring(text)
    wide, high = (float(root.attrib[name]) for name in ("width", "height"))
    places: list[tuple[float, float, float, float]] = []
    for node in root.iter():
        for name, most in (("x", wide), ("cx", wide), ("y", high), ("cy", high)):
            assert -0.1 <= float(node.attrib.get(name, 0)) <= most + 0.1, (node.tag, node.attrib)
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", node.attrib.get("d", "")):
            assert 0 <= float(x) <= wide and 0 <= float(y) <= high, node.attrib
        if node.tag == f"{SVG}text":
            size, long = float(node.attrib.get("font-size", 11)), width(node.text or "", 11)
            left = float(node.attrib["x"]) - long * {"end": 1, "middle": 0.5}.get(node.attrib.get("text-anchor", ""), 0)
            base = float(node.attrib["y"])
            places.append((left, base - 0.7 * size, left + long, base))
            assert left >= -0.1 and left + long <= wide + 0.1, node.text
    for at, one in enumerate(places):
        for two in places[at + 1 :]:
            apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
            assert apart, (one, two)
    return root


@settings(max_examples=examples(25))
@given(
    st.lists(st.tuples(VALUES, VALUES), max_size=12),
    st.sampled_from(["line", "step", "area", "dots"]),
    st.sampled_from(["number", "seconds", "time"]),
    st.lists(st.floats(-1e6, 1e6), max_size=2),
)
def test_whatever_is_plotted_stands_within_the_picture(points, form, kind, rules) -> None:  # type: ignore[no-untyped-def]
    if kind == "time":
        points = [(x if 0 <= x <= 4e9 or not math.isfinite(x) else abs(x) % 4e9, y) for x, y in points]
    bands = [Band("5 %", 0.0, 10.0), Band("a name that is much too long for what is left of the width" * 3, 10.0, 1e12)]
    series = [Series(f"series {number}", points, number, form) for number in range(3)]
    panel = Panel("any", series, bands=bands, rules=[Rule(value) for value in rules], x=Axis(kind=kind))
    need_inside(drawn("anything at all", [panel, Panel("none")]))


@pytest.mark.parametrize("title", ["share", ""])
def test_names_of_series_stand_clear_of_the_highest_mark(title: str) -> None:
    lines = [Series(name, [(0, 0), (1, 100)], number) for number, name in enumerate(("old gp", "new gp"))]
    root = need_inside(drawn("a shift", [Panel(title, lines, y=Axis(low=0.0, high=100.0))]))
    base = {node.text: float(node.attrib["y"]) for node in root.iter(f"{SVG}text")}
    descent, height = 0.25 * 11, 0.75 * 11  # of letters, from the line that they stand on
    assert base["old gp"] == base["new gp"] and base["100"] - height >= base["new gp"] + descent


def test_marks_are_round_and_few() -> None:
    for low, high in ((0.0, 1.0), (-3e-7, 5e-7), (1e9, 1e9 + 1), (-5.0, 12345.678)):
        found = marks(low, high, 7)
        assert 2 <= len(found) <= 8 and all(low <= mark <= high for mark in found)
        assert len({f"{mark:.12g}" for mark in found}) == len(found)
    assert second_marks(0, 7200, 6) == [0, 1800, 3600, 5400, 7200]


def test_series_differ_without_colour_and_names_are_text() -> None:
    found = kinds.curves("<b>", {"<i>": [(0, 1), (1, 2)], "&": [(0, 2), (1, 1)]}, "value")
    text = drawn("a & b", [found])
    assert "<b>" not in text and "<i>" not in text
    lines = re.findall(r'<path class="tone\d" fill="none" stroke-width="1.7"[^>]*>', text)
    assert len(lines) == 2 and "stroke-dasharray" not in lines[0] and "stroke-dasharray" in lines[1]


def test_a_value_that_is_no_number_breaks_the_line() -> None:
    text = drawn("broken", [Panel("", [Series("", [(0, 1), (1, 2), (2, math.nan), (3, 1), (4, 2)])])])
    assert text.count('stroke-width="1.7"') == 2


@pytest.mark.parametrize("ends", [(-1.7e308, 1.7e308), (0.0, 1.79e308), (1.79e308, 1.79e308)])
def test_the_largest_numbers_have_a_place(ends: tuple[float, float]) -> None:
    need_inside(drawn("large", [Panel("", [Series("", [(float(x), y) for x, y in enumerate(ends)])])]))


def test_many_values_are_drawn_as_few_with_their_peaks() -> None:
    points = [(float(x), 100.0 if x == 54_321 else 1.0) for x in range(100_000)]
    text = drawn("many", [Panel("", [Series("", points)], y=Axis(low=0.0, high=100.0))])
    assert len(text) < 30_000
    (path,) = re.findall(r'<path class="tone0"[^>]* d="([^"]*)"', text)
    heights = [float(point.split()[1]) for point in re.split("[ML]", path)[1:]]
    assert heights.count(min(heights)) == 1 and max(heights) - min(heights) > 150


@pytest.mark.parametrize("rows", [1, 40])
def test_what_ran_when_stands_within_the_picture(rows: int) -> None:
    ran = [
        gantt.Ran(f"{'LongStepName' * (at % 4)}{at}<", 1e9 + at, None if at % 7 == 6 else 1e9 + 2 * at, "Failed")
        for at in range(rows)
    ]
    root = need_inside(gantt.drawn("all", ran, 1e9 + 100))
    assert len([*root.iter(f"{SVG}g")]) == rows


@settings(max_examples=examples(15))
@given(
    st.lists(st.lists(VALUES | st.none() | st.just(1e308) | st.just(-1e308), min_size=4, max_size=4), max_size=9),
    st.integers(0, 4),
)
def test_lines_through_many_axes_stand_within_the_picture(rows: list[list[float | None]], axes: int) -> None:
    names = ["Prepare: a name that has no room at all<", "b", "c", "d"][:axes]
    lines = [parallel.Line(f"execution {number}", row[:axes]) for number, row in enumerate(rows)]
    root = need_inside(parallel.drawn("all", names, lines))
    assert len([*root.iter(f"{SVG}title")]) == len(lines) + 1


def test_more_stands_above_less_and_a_gap_is_a_gap() -> None:
    lines = [parallel.Line("low", [1.0, None, 9.0]), parallel.Line("high", [3.0, 5.0, 2.0])]
    low, high = re.findall(
        r'<path class="tone\d"[^>]* d="(M[^"]*)"><title>', parallel.drawn("two", ["a", "b", "c"], lines)
    )
    assert low.count("M") == 2 and high.count("M") == 1
    assert float(low.split()[1].partition("L")[0]) > float(high.split()[1].partition("L")[0])


REPORT = {
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 5, "1": 1}, "1": {"0": 2, "1": 7}},
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0, 0.2, 1],
            "true_positive_rates": [0, 0.9, 1],
        },
    }
}


def statistics(*buckets: tuple[float, float, float]) -> dict[str, object]:
    told = [{"lower_bound": low, "upper_bound": high, "count": count} for low, high, count in buckets]
    return {"features": [{"name": "age", "numerical_statistics": {"distribution": {"kll": {"buckets": told}}}}]}


def test_reports_of_models_and_data_are_plotted() -> None:
    found = judged(REPORT)
    assert found.confusion is not None and found.confusion["1"]["0"] == 2
    (item,) = drifted(statistics((0, 1, 3), (1, 2, 1)), statistics((0, 1, 1), (1, 2, 1)))
    assert item.before == [(0.0, 1.0, 0.75), (1.0, 2.0, 0.25)]
    panels = [kinds.roc({"Evaluate": found.roc}), kinds.drift(item.feature, item.before, item.now)]
    panels.append(kinds.precision_recall({"Evaluate": [(0.0, 1.0), (1.0, 0.5)]}))
    root = need_inside(drawn("what was found", panels))
    assert len([node for node in root.iter(f"{SVG}rect") if "fill-opacity" in node.attrib]) == 4


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"metrics": 5},
        {
            "m": {
                "receiver_operating_characteristic_curve": {"false_positive_rates": [0], "true_positive_rates": [0, 1]}
            }
        },
        {
            "m": {
                "receiver_operating_characteristic_curve": {
                    "false_positive_rates": ["a", 1],
                    "true_positive_rates": [0, 1],
                }
            }
        },
        {"m": {"confusion_matrix": {"0": 5}}},
        {"features": [{"name": "age"}, 5]},
    ],
)
def test_what_has_another_form_is_passed_over(document: object) -> None:
    found = judged(document)
    assert not found.roc and not found.precision_recall and found.confusion is None
    assert drifted(document, document) == []


def test_a_count_that_no_number_holds_is_none() -> None:
    found = judged({"m": {"confusion_matrix": {"0": {"0": 10**400}}}})
    assert found.confusion is not None and math.isnan(found.confusion["0"]["0"])
