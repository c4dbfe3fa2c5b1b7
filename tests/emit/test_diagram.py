"""Where the lines, boxes and words of a picture are: nothing lies over anything else."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.check import check
from mlops.emit.drawing.collapse import collapsed
from mlops.emit.drawing.graph import Graph, Group, Node, graph_of
from mlops.emit.drawing.layered import Size
from mlops.emit.drawing.layout import laid_out
from mlops.emit.drawing.svg import written
from mlops.emit.targets.diagram import emit
from mlops.ir import Checked
from mlops.ir.reader import read
from tests.emit.geometry import Area, need_clear
from tests.laws import examples

ROOT = Path(__file__).parent.parent.parent


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


def test_each_time_of_what_is_repeated_tells_of_its_step() -> None:
    each = {"Name": "Each", "Type": "ForEach", "Arguments": {"ForEachBody": [step("One", [])]}}
    text = emit(of(each), {"Each": "Executing", "One-0": "Succeeded", "One-1": "Failed", "Two-1": "Stopped"})
    assert 'aria-label="One: Training, Failed"' in text and "Stopped" not in text.partition("</style>")[2]


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
    fewer = collapsed(graph, 3)
    ends = {end for edge in fewer.edges for end in edge}
    assert ends <= {*fewer.nodes, *fewer.groups}
    assert {step for node in fewer.nodes.values() for step in node.steps} == {
        node.name for node in graph.nodes.values()
    }
    assert written(fewer, "fewer").count('class="box"') == len(fewer.nodes)


@settings(max_examples=examples(20))
@given(graphs())
def test_no_line_passes_a_frame_that_it_has_nothing_to_do_with(graph: Graph) -> None:
    drawing = laid_out(graph, dict.fromkeys(graph.nodes, Size(140, 46)))
    for way in drawing.ways:
        own = {*graph.around(way.source), *graph.around(way.target), way.target}
        places = [(stop.x, y) for stop in way.stops for y in (stop.top, stop.bottom)]
        for (x, y), (end_x, end_y) in pairwise(places):
            between = [(x + (end_x - x) * t / 20, y + (end_y - y) * t / 20) for t in range(21)]
            for key, framed in drawing.frames.items():
                frame = framed.frame
                area = Area(frame.left, frame.top, frame.right, frame.bottom)
                assert key in own or not any(area.holds(point) for point in between), (way.source, way.target, key)


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
