"""Pictures of many steps, beside Graphviz's: where it draws, for how long, and how many lines cross."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from mlops.check import check
from mlops.emit.drawing.collapse import MOST, collapsed
from mlops.emit.drawing.graph import Graph, Group, Node, graph_of
from mlops.emit.drawing.layered import Size
from mlops.emit.drawing.layout import laid_out
from mlops.emit.drawing.svg import written
from mlops.ir.reader import read
from tests.emit.geometry import need_clear

ROOT = Path(__file__).parent.parent.parent
REAL = sorted([*(ROOT / "pipelines").glob("*/pipeline.json"), *(Path(__file__).parent / "definitions").glob("*.json")])
DEFINITIONS = 60
Point = tuple[float, float]
SECONDS = 1.0


@cache
def real() -> tuple[Graph, ...]:
    found = []
    for file in REAL:
        definition, _ = read(file.read_bytes())
        assert definition is not None
        found.append(graph_of(check(definition)))
    return tuple(found)


def joined(count: int) -> Graph:
    """Real definitions one after the other, each begun by a last step of one before, until there are so many steps."""
    nodes: dict[int, Node] = {}
    groups: dict[int, Group] = {}
    edges: set[tuple[int, int]] = set()
    ends: list[int] = []
    graphs = [graph for graph in real() if graph.edges]
    number = 0
    while len(nodes) < count:
        graph, by = graphs[number % len(graphs)], 1 + max([*nodes, *groups], default=-1)
        # A cycle is told before anybody draws it.
        nodes |= {
            key + by: Node(key + by, f"{node.name}{number}", node.type, node.steps, moved(node.inside, by))
            for key, node in graph.nodes.items()
        }
        groups |= {
            key + by: Group(key + by, group.label, group.owner + by, moved(group.inside, by), group.repeated)
            for key, group in graph.groups.items()
        }
        edges |= {(source + by, target + by) for source, target in graph.edges}
        outer = [key for key, node in graph.nodes.items() if node.inside is None]
        begins = [key + by for key in outer if not graph.waits(key)]
        if ends:
            edges |= {(ends[number // 2 % len(ends)], key) for key in begins[:2]}
        ends += [key + by for key in outer if all(source != key for source, _ in graph.edges)][:1]
        number += 1
    return Graph(nodes, groups, tuple(sorted(edges)))


def moved(group: int | None, by: int) -> int | None:
    return None if group is None else group + by


def generated(seed: int) -> Graph:
    """As definitions are: each step waits for few, and those not far before it."""
    chance = random.Random(seed)
    nodes = {key: Node(key, f"Step{key}", "Training", (f"Step{key}",)) for key in range(5 + seed % 40)}
    edges = {
        (source, key)
        for key in nodes
        for source in chance.sample(range(max(0, key - 8), key), min(key, chance.choice([0, 1, 1, 1, 2, 2, 3])))
    }
    return Graph(nodes, {}, tuple(sorted(edges)))


def nested(seed: int, count: int = 500) -> Graph:
    """Groups within groups, and lines between any two of all steps, wherever they lie."""
    chance = random.Random(seed)
    nodes: dict[int, Node] = {}
    groups: dict[int, Group] = {}
    edges: set[tuple[int, int]] = set()
    around: list[tuple[int, int]] = []  # with the number of steps at which each group ends
    while len(nodes) < count:
        around = [(group, end) for group, end in around if end > len(nodes)]
        inside = around[-1][0] if around else None
        key = len(nodes) + len(groups)
        edges |= {(source, key) for source in chance.sample([*nodes], min(len(nodes), chance.randint(0, 3)))}
        nodes[key] = Node(key, f"Step{key}", "Training", (f"Step{key}",), inside)
        room = min([count, *(end for _, end in around)]) - len(nodes)
        if len(around) < 4 and room and chance.random() < 0.12:
            groups[key + 1] = Group(key + 1, "each", key, inside, repeated=chance.random() < 0.3)
            around.append((key + 1, len(nodes) + min(room, chance.randint(4, 60))))
    return Graph(nodes, groups, tuple(sorted(edges)))


def sizes(graph: Graph) -> dict[int, Size]:
    return dict.fromkeys(graph.nodes, Size(140, 46))


def ours(graph: Graph) -> list[tuple[Point, Point]]:
    """What is drawn, piece by piece. A curve between two layers crosses another where the straight line does."""
    pieces: dict[tuple[Point, Point], None] = {}
    for way in laid_out(graph, sizes(graph)).ways:
        points = [(stop.x, y) for stop in way.stops for y in (stop.top, stop.bottom)]
        pieces |= dict.fromkeys(pairwise(points))
    return [*pieces]


def by_dot(graphs: Sequence[Graph]) -> Iterator[list[tuple[Point, Point]]]:
    """All by one process, which answers with a document for each."""
    lines = []
    for graph in graphs:
        lines += ["digraph {", "node [shape=box fixedsize=true width=1.94 height=0.64]; edge [dir=none];"]
        for source, target in graph.edges:
            first = target if target in graph.nodes else next(key for key in graph.nodes if target in graph.around(key))
            lines.append(f"{source} -> {first};")
        lines.append("}")
    done = subprocess.run(["dot", "-Tjson"], input="\n".join(lines), capture_output=True, text=True, check=True)
    rest, decoder = done.stdout.strip(), json.JSONDecoder()
    while rest:
        told, end = decoder.raw_decode(rest)
        rest = rest[end:].lstrip()
        pieces: list[tuple[Point, Point]] = []
        for edge in told.get("edges", []):
            for drawn in edge["_draw_"]:
                if drawn["op"] in "bB":
                    pieces += pairwise(curve([(x, y) for x, y in drawn["points"]]))
        yield pieces


def curve(points: Sequence[Point]) -> Iterator[Point]:
    yield points[0]
    for at in range(0, len(points) - 3, 3):
        for step in range(1, 13):
            t = step / 12
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            of = points[at : at + 4]
            yield (
                sum(w * p[0] for w, p in zip(weights, of, strict=True)),
                sum(w * p[1] for w, p in zip(weights, of, strict=True)),
            )


def crossings(pieces: Iterable[tuple[Point, Point]]) -> int:
    """Pieces that have a point within both."""
    spans = sorted((min(one[1], two[1]), max(one[1], two[1]), one, two) for one, two in pieces)
    total = 0
    for at, (_, bottom, one, two) in enumerate(spans):
        for top, _, three, four in spans[at + 1 :]:
            if top > bottom:
                break
            total += side(one, two, three) * side(one, two, four) < 0 > side(three, four, one) * side(three, four, two)
    return total


def side(one: Point, two: Point, point: Point) -> int:
    area = (two[0] - one[0]) * (point[1] - one[1]) - (two[1] - one[1]) * (point[0] - one[0])
    return 0 if abs(area) < 1e-6 else 1 if area > 0 else -1


def test_lines_that_cross_are_counted() -> None:
    cross: list[tuple[Point, Point]] = [((0, 0), (10, 10)), ((10, 0), (0, 10))]
    assert crossings(cross) == 1
    assert crossings([*cross, ((0, 0), (0, 10))]) == 1, "lines that end at each other do not cross"


@pytest.mark.parametrize("count", [3, 15])
def test_of_many_steps_nothing_lies_over_anything(count: int) -> None:
    graph = joined(count)
    assert len(need_clear(written(graph, "many")).boxes) == len(graph.nodes) >= count


@pytest.mark.parametrize("count", [101, 130])
def test_of_more_than_a_hundred_steps_those_that_belong_together_are_one_box(count: int) -> None:
    graph = joined(count)
    fewer = collapsed(graph)
    assert MOST < len(graph.nodes) > len(fewer.nodes)
    assert {end for edge in fewer.edges for end in edge} <= {*fewer.nodes, *fewer.groups}
    assert sorted(step for node in fewer.nodes.values() for step in node.steps) == sorted(
        step for node in graph.nodes.values() for step in node.steps
    )


def test_alike_and_in_a_row() -> None:
    """A fan of trainings between two steps, then a row."""
    nodes = {key: Node(key, f"S{key}", "Training", (f"S{key}",)) for key in range(12)}
    edges = [*((0, key) for key in range(1, 6)), *((key, 6) for key in range(1, 6))]
    edges += [(key, key + 1) for key in range(6, 11)]
    graph = Graph(nodes, {}, tuple(sorted(edges)))
    fan = ["S0", "5 Training"]
    assert [node.name for node in collapsed(graph, 11).nodes.values()] == [*fan, *(f"S{key}" for key in range(6, 12))]
    assert [node.name for node in collapsed(graph, 7).nodes.values()] == [*fan, "S6 … S11"]
    assert collapsed(graph, 12) is graph
    row = Graph(nodes, {}, tuple((key, key + 1) for key in range(11)))
    assert [node.name for node in collapsed(row, 1).nodes.values()] == ["S0 … S9", "S10", "S11"]


def test_a_box_of_many_tells_whom_it_stands_for_and_what_matters_most() -> None:
    nodes = {key: Node(key, f"S{key}", "Training", (f"S{key}",)) for key in range(3)}
    text = written(collapsed(Graph(nodes, {}, ()), 1), "few", (), {"S0": "Succeeded", "S2": "Failed"})
    assert "<title>S0, S1, S2</title>" in text and "Failed" in text and 'class="bad many"' in text


@pytest.mark.proof("graphs")
@pytest.mark.parametrize("count", [50, 200, 500])
def test_of_very_many_steps_nothing_lies_over_anything(count: int) -> None:
    graph = joined(count)
    assert len(need_clear(written(graph, "many")).boxes) == len(graph.nodes) >= count


@pytest.mark.proof("graphs")
@pytest.mark.parametrize("of", ["real definitions", "groups at random"])
def test_five_hundred_steps_are_laid_out_in_a_second(of: str) -> None:
    graph = joined(500) if of == "real definitions" else nested(1)
    took = []
    for _ in range(3):
        began = time.process_time()
        laid_out(graph, sizes(graph))
        took.append(time.process_time() - began)
    assert min(took) < SECONDS


@pytest.mark.proof("graphs")
@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed: no crossings to hold ours against")
def test_few_more_lines_cross_than_in_the_pictures_of_graphviz() -> None:
    graphs = [*real()]
    graphs += [generated(seed) for seed in range(DEFINITIONS - len(graphs))]
    assert len(graphs) == DEFINITIONS
    answered = [*by_dot(graphs)]
    assert len(answered) == len(graphs)
    mine, theirs = (sum(map(crossings, drawn)) for drawn in (map(ours, graphs), answered))
    print(f"crossings over {DEFINITIONS} definitions: {mine}, Graphviz {theirs}")
    assert theirs > 20, "there is something to compare"
    assert mine <= 1.5 * theirs
