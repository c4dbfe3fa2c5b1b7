"""Where the lines, boxes and words of a picture are: nothing lies over anything else."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.check import check
from mlops.emit.targets.diagram import emit
from mlops.ir import Checked
from mlops.ir.reader import read

ROOT = Path(__file__).parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.62
"""The width of a letter of a plain typeface, in parts of its size; few are wider."""


@dataclass(frozen=True)
class Area:
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, point: tuple[float, float], inside: float = 0.5) -> bool:
        """Within it, its border left out."""
        x, y = point
        return self.left + inside < x < self.right - inside and self.top + inside < y < self.bottom - inside

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True)
class Picture:
    boxes: dict[str, Area]
    labels: list[Area]
    lines: list[list[tuple[float, float]]]
    whole: Area


def drawn(checked: Checked) -> Picture:
    root = ElementTree.fromstring(emit(checked))
    boxes, labels = {}, []
    for group in root.iter(f"{SVG}g"):
        box, title = group.find(f"{SVG}rect"), group.find(f"{SVG}title")
        assert box is not None and title is not None
        x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        boxes[title.text or ""] = Area(x, y, x + width, y + height)
        for text in group.iter(f"{SVG}text"):
            size, left, base = (float(text.attrib.get(name, 13)) for name in ("font-size", "x", "y"))
            area = Area(left, base - size, left + LETTER * size * len(text.text or ""), base + 0.2 * size)
            if area.bottom < y:
                labels.append(area)
    lines = [[*points(path.attrib["d"])] for path in root.iter(f"{SVG}path") if path.attrib["fill"] == "none"]
    return Picture(boxes, labels, lines, Area(0, 0, float(root.attrib["width"]), float(root.attrib["height"])))


def points(path: str) -> Iterator[tuple[float, float]]:
    """Close together along M, C, H and V."""
    x = y = 0.0
    for letter, rest in re.findall(r"([MCHV])([^MCHV]*)", path):
        numbers = [float(number) for number in rest.split()]
        match letter:
            case "M":
                x, y = numbers
            case "H" | "V":
                to = (numbers[0], y) if letter == "H" else (x, numbers[0])
                yield from ((x + (to[0] - x) * t / 100, y + (to[1] - y) * t / 100) for t in range(101))
                x, y = to
            case "C":
                a, b, c, d, end_x, end_y = numbers
                for step in range(101):
                    t = step / 100
                    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                    yield (
                        sum(w * v for w, v in zip(weights, (x, a, c, end_x), strict=True)),
                        sum(w * v for w, v in zip(weights, (y, b, d, end_y), strict=True)),
                    )
                x, y = end_x, end_y


def need_clear(checked: Checked) -> Picture:
    picture = drawn(checked)
    areas = [*picture.boxes.items(), *(("a label", label) for label in picture.labels)]
    for (name, area), (other, beside) in combinations(areas, 2):
        assert not area.meets(beside), (name, other)
    for name, area in areas:
        for line in picture.lines:
            assert not [point for point in line if area.holds(point)], f"an arrow passes {name}"
            assert all(picture.whole.holds(point, 0) for point in line)
        assert area.left >= 0 and area.bottom <= picture.whole.bottom and area.right <= picture.whole.right
    return picture


def step(name: str, after: list[str]) -> dict[str, Any]:
    return {"Name": name, "Type": "Training", "Arguments": {}, "DependsOn": after}


def condition(name: str, after: list[str], *branches: list[dict[str, Any]]) -> dict[str, Any]:
    arguments = {"Conditions": [], "IfSteps": branches[0], "ElseSteps": branches[1]}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, "DependsOn": after}


def of(*steps: dict[str, Any]) -> Checked:
    definition, _ = read(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps}))
    assert definition is not None
    return check(definition)


@pytest.mark.parametrize("example", ["breast_cancer", "diabetes", "wine"])
def test_an_example_has_nothing_over_anything(example: str) -> None:
    definition, _ = read((ROOT / "pipelines" / example / "pipeline.json").read_bytes())
    assert definition is not None
    need_clear(check(definition))


def test_an_arrow_past_a_column_goes_around_its_boxes() -> None:
    chain = [step("A", []), step("B", ["A"]), step("C", ["B"]), step("D", ["A", "C"])]
    parts = ("A to B", "B to C", "C to D", "A to B's lane", "past B", "between the lanes", "past C", "C's lane to D")
    assert len(need_clear(of(*chain)).lines) == len(parts)


def test_branches_are_told_beside_no_arrow() -> None:
    inner = condition("Inner", [], [step("Deep", ["A"])], [])
    picture = need_clear(of(step("A", []), condition("Good", ["A"], [step("Yes", ["A"]), inner], [step("No", [])])))
    assert len(picture.labels) == len(("Yes", "Inner", "Deep", "No"))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_round_of_steps_is_drawn_around_them(count: int) -> None:
    need_clear(of(*(step(f"S{number}", [f"S{(number + 1) % count}"]) for number in range(count))))


@given(st.data())
def test_no_graph_has_anything_over_anything(data: st.DataObject) -> None:
    names = [f"{'LongStepName' * (number % 3)}{number}" for number in range(data.draw(st.integers(0, 14)))]
    steps: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        after = data.draw(st.lists(st.sampled_from(names[:number] or ["none"]), max_size=4, unique=True))
        steps.append(step(name, after))
    cut = data.draw(st.integers(0, len(steps)))
    half = data.draw(st.integers(0, cut))
    inside = condition("Decide", [], steps[half:cut], steps[cut:])
    need_clear(of(*steps[:half], inside))
