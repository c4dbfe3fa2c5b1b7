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
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.check import check
from mlops.emit.drawing.graph import Graph, Group, Node, graph_of
from mlops.emit.drawing.svg import written
from mlops.emit.drawing.text import width
from mlops.emit.targets.diagram import emit
from mlops.ir import Checked
from mlops.ir.reader import read
from tests.laws import examples

ROOT = Path(__file__).parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"


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

    def lies_in(self, other: Area) -> bool:
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Picture:
    boxes: list[Area]
    texts: list[Area]
    labels: list[Area]
    frames: list[Area]
    lines: list[Points]
    whole: Area


def drawn(text: str) -> Picture:
    root = ElementTree.fromstring(text)
    moved = root.find(f"{SVG}g")
    assert moved is not None
    shift = float(moved.attrib["transform"].split("(")[1].split()[0])
    sizes = [float(root.attrib[name]) - shift for name in ("width", "height")]
    rects = [(rect.attrib["class"], area_of(rect)) for rect in root.iter(f"{SVG}rect") if "x" in rect.attrib]
    texts = [(node.attrib["class"], words(node)) for node in root.iter(f"{SVG}text")]
    lines = [[*points(path.attrib["d"])] for path in root.iter(f"{SVG}path") if path.attrib["class"] == "line"]
    return Picture(
        [area for kind, area in rects if kind == "box"],
        [area for kind, area in texts if kind != "label"],
        [area for kind, area in texts if kind == "label"],
        [area for kind, area in rects if kind == "frame"],
        lines,
        Area(-shift, -shift, *sizes),
    )


def area_of(rect: ElementTree.Element) -> Area:
    x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
    return Area(x, y, x + width, y + height)


def words(text: ElementTree.Element) -> Area:
    size, left, base = (float(text.attrib.get(name, 13)) for name in ("font-size", "x", "y"))
    wide = width(text.text or "", size)
    if text.attrib.get("text-anchor") == "middle":
        left -= wide / 2
    return Area(left, base - size, left + wide, base + 0.2 * size)


def points(path: str) -> Iterator[tuple[float, float]]:
    """Close together along M, C and V."""
    x = y = 0.0
    for letter, rest in re.findall(r"([A-Z])([^A-Z]*)", path):
        numbers = [float(number) for number in rest.split()]
        match letter:
            case "M":
                x, y = numbers
            case "V":
                yield from ((x, y + (numbers[0] - y) * t / 40) for t in range(41))
                y = numbers[0]
            case "C":
                a, b, c, d, end_x, end_y = numbers
                for step in range(41):
                    t = step / 40
                    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                    yield (
                        sum(w * v for w, v in zip(weights, (x, a, c, end_x), strict=True)),
                        sum(w * v for w, v in zip(weights, (y, b, d, end_y), strict=True)),
                    )
                x, y = end_x, end_y
            case _:
                raise AssertionError(f"a line has {letter}")


def need_clear(text: str) -> Picture:
    picture = drawn(text)
    solid = [*picture.boxes, *picture.labels]
    for area, beside in combinations(solid, 2):
        assert not area.meets(beside), (area, beside)
    for one, two in combinations(picture.frames, 2):
        assert not one.meets(two) or one.lies_in(two) or two.lies_in(one), "frames lie over each other"
    for frame in picture.frames:
        for box in picture.boxes:
            assert box.lies_in(frame) or not box.meets(frame), "a box lies on a frame"
    for words_ in picture.texts:
        assert any(words_.lies_in(box) for box in picture.boxes), "a text is wider than its box"
    for line in picture.lines:
        for point in line:
            assert not any(area.holds(point) for area in solid), "a line passes a box or a label"
            assert picture.whole.holds(point, 0)
    assert all(area.lies_in(picture.whole) for area in [*solid, *picture.frames])
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


REAL = sorted([*(ROOT / "pipelines").glob("*/pipeline.json"), *(Path(__file__).parent / "definitions").glob("*.json")])


@pytest.mark.parametrize("file", REAL, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_real_definition_has_nothing_over_anything(file: Path) -> None:
    definition, _ = read(file.read_bytes())
    assert definition is not None
    checked = check(definition)
    picture = need_clear(emit(checked))
    assert len(picture.boxes) == len([*definition.placed()])
    assert emit(checked) == emit(checked)


def test_an_arrow_past_a_layer_goes_around_its_boxes() -> None:
    chain = [step("A", []), step("B", ["A"]), step("C", ["B"]), step("D", ["A", "C"])]
    lines = need_clear(emit(of(*chain))).lines
    assert len(lines) == len(("A to B", "A to D, around B and C", "B to C", "C to D"))


def test_branches_are_frames_with_their_names() -> None:
    inner = condition("Inner", [], [step("Deep", ["A"])], [])
    text = emit(of(step("A", []), condition("Good", ["A"], [step("Yes", ["A"]), inner], [step("No", [])])))
    picture = need_clear(text)
    labels = re.findall(r'class="label"[^>]*>([^<]*)<', text)
    assert labels == ["if true", "if true", "if false"]
    outer, deep, other = picture.frames
    assert deep.lies_in(outer) and not other.meets(outer)
    assert [sum(box.lies_in(frame) for box in picture.boxes) for frame in picture.frames] == [3, 1, 1]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_round_of_steps_is_drawn_around_them(count: int) -> None:
    picture = need_clear(emit(of(*(step(f"S{number}", [f"S{(number + 1) % count}"]) for number in range(count)))))
    assert len(picture.boxes) == count


def test_it_is_read_in_the_order_in_which_steps_run_and_tells_what_each_waits_for() -> None:
    late = condition("Good", ["B"], [step("Yes", [])], [])
    text = emit(of(late, step("B", ["A"]), step("A", [])), {"A": "Succeeded", "B": "Failed"})
    read_out = re.findall(r'role="(?:graphics-symbol img|group)"[^>]*aria-label="([^"]*)"', text)
    assert read_out == [
        "A: Training, Succeeded",
        "B: Training, Failed, after A",
        "Good: Condition, after B",
        "if true, of Good",
        "Yes: Training",
    ]


def test_what_names_hold_is_text() -> None:
    text = emit(of(step('<script>"&', [])), {'<script>"&': "<b>"})
    assert "<script" not in text and "<b>" not in text
    need_clear(text)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Nodes in groups in groups, with edges between any of them, and round."""
    nodes: dict[int, Node] = {}
    groups: dict[int, Group] = {}
    for key in range(draw(st.integers(1, 16))):
        owner = draw(st.sampled_from([None, *nodes])) if nodes and draw(st.integers(0, 3)) == 0 else None
        inside = draw(st.sampled_from([None, *groups]))
        if owner is not None:
            groups[key] = Group(key, "if true", owner, nodes[owner].inside, draw(st.booleans()))
        else:
            name = f"{'LongStepName' * (key % 3)}{key}"
            nodes[key] = Node(key, name, "Training", (name,), inside)
    # A group that holds nothing is none.
    holding = {group for key in nodes for group in Graph(nodes, groups, ()).around(key)}
    groups = {key: group for key, group in groups.items() if key in holding}
    keys = [*nodes]
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(keys))
    if draw(st.booleans()):
        pairs = pairs.map(lambda pair: (min(pair), max(pair)))
    edges = set(draw(st.lists(pairs, max_size=2 * len(keys))))
    edges |= {(group.owner, key) for key, group in groups.items()}
    return Graph(nodes, groups, tuple(sorted(edges)))


@settings(max_examples=examples(30))
@given(graphs())
def test_no_graph_has_anything_over_anything(graph: Graph) -> None:
    text = written(graph, "any")
    picture = need_clear(text)
    assert len(picture.boxes) == len(graph.nodes) and len(picture.frames) == len(graph.groups)


@settings(max_examples=examples(10))
@given(st.data())
def test_no_definition_has_anything_over_anything(data: st.DataObject) -> None:
    names = [f"S{number}" for number in range(data.draw(st.integers(0, 9)))]
    steps: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        after = data.draw(st.lists(st.sampled_from(names[:number] or ["none"]), max_size=4, unique=True))
        steps.append(step(name, after))
    cut = data.draw(st.integers(0, len(steps)))
    half = data.draw(st.integers(0, cut))
    checked = of(*steps[:half], condition("Decide", [], steps[half:cut], steps[cut:]))
    assert len(graph_of(checked).nodes) == len(steps) + 1
    need_clear(emit(checked))
