"""Less of a graph where there is too much to look at: one box for what belongs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mlops.emit.drawing.graph import Graph, Node

MOST = 100
"""Boxes that people look at in one picture."""
_MOST_IN_A_ROW = 10


def collapsed(graph: Graph, most: int = MOST) -> Graph:
    """At most so many boxes, where that can be had: first what branches hold is put together, the innermost first, then
    steps that wait for the same and are waited for by the same, then steps in a row.

    >>> names = [f"Train{number}" for number in range(5)]
    >>> nodes = {number: Node(number, name, "Training", (name,)) for number, name in enumerate(names)}
    >>> [node.name for node in collapsed(Graph(nodes, {}, ()), most=3).nodes.values()]
    ['5 Training']
    """
    depths = {group: len([*graph.around(group)]) for group in graph.groups}
    for group in sorted(graph.groups, key=lambda key: (-depths[key], -key)):
        inner = [key for key in graph.nodes if group in graph.around(key)]
        # One step says more by its own name.
        if len(graph.nodes) <= most or len(inner) < 2:
            continue
        found = graph.groups[group]
        kept = {key: other for key, other in graph.groups.items() if key != group and group not in graph.around(key)}
        name = f"{found.label}: {_steps(_count(graph, inner))}"
        kind = ", ".join(dict.fromkeys(graph.nodes[key].type for key in inner))
        within = {key for key in graph.groups if key not in kept}
        edges = tuple(edge for edge in graph.edges if edge[1] not in within or edge[1] == group)
        graph = _together(Graph(graph.nodes, kept, edges), [inner], [name], [kind], found.inside, group)
    for fewer in (_twins, _rows):
        if len(graph.nodes) > most:
            graph = fewer(graph)
    return graph


def _twins(graph: Graph) -> Graph:
    before, after = _neighbours(graph)
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    owners = {group.owner for group in graph.groups.values()}
    for key, node in graph.nodes.items():
        if key not in owners:
            alike[node.inside, node.type, before[key], after[key]].append(key)
    found = [keys for keys in alike.values() if len(keys) > 2]
    names = [f"{_count(graph, keys)} {graph.nodes[keys[0]].type}" for keys in found]
    kinds = [f"{graph.nodes[keys[0]].name} … {graph.nodes[keys[-1]].name}" for keys in found]
    return _together(graph, found, names, kinds)


def _rows(graph: Graph) -> Graph:
    before, after = _neighbours(graph)
    single = {
        key
        for key, node in graph.nodes.items()
        if len(before[key]) < 2 and len(after[key]) < 2 and len(node.steps) == 1
    }
    single -= {group.owner for group in graph.groups.values()}

    def follows(key: int) -> int | None:
        """The step behind it, where nothing else is."""
        for other in after[key]:
            if other in single and key in single and graph.inside(other) == graph.inside(key) and other != key:
                return other
        return None

    begun = {other for key in single if (other := follows(key)) is not None}
    found: list[list[int]] = []
    for key in sorted(single - begun):
        row, last = [key], follows(key)
        while last is not None:
            row.append(last)
            last = follows(last)
        # A row of hundreds stays one, of fewer boxes.
        parts = (row[at : at + _MOST_IN_A_ROW] for at in range(0, len(row), _MOST_IN_A_ROW))
        found += [part for part in parts if len(part) > 2]
    names = [f"{graph.nodes[row[0]].name} … {graph.nodes[row[-1]].name}" for row in found]
    return _together(graph, found, names, [f"{_steps(_count(graph, row))} in a row" for row in found])


def _neighbours(graph: Graph) -> tuple[Mapping[int, frozenset[int]], Mapping[int, frozenset[int]]]:
    before: dict[int, set[int]] = {key: set() for key in (*graph.nodes, *graph.groups)}
    after: dict[int, set[int]] = {key: set() for key in (*graph.nodes, *graph.groups)}
    for source, target in graph.edges:
        before[target].add(source)
        after[source].add(target)
    return {key: frozenset(found) for key, found in before.items()}, {
        key: frozenset(found) for key, found in after.items()
    }


def _together(
    graph: Graph,
    found: Sequence[Sequence[int]],
    names: Sequence[str],
    kinds: Sequence[str],
    inside: int | None = None,
    key: int | None = None,
) -> Graph:
    """One node for each of ``found``; it stands where the first of them stood, or has this key and place."""
    into: dict[int, int] = {}
    nodes = dict(graph.nodes)
    for keys, name, kind in zip(found, names, kinds, strict=True):
        new = keys[0] if key is None else key
        place = graph.nodes[keys[0]].inside if key is None else inside
        steps = tuple(step for one in keys for step in graph.nodes[one].steps)
        into |= dict.fromkeys(keys, new)
        for one in keys:
            del nodes[one]
        nodes[new] = Node(new, name, kind, steps, place)
    edges = {(into.get(source, source), into.get(target, target)) for source, target in graph.edges}
    loops = {(source, target) for source, target in graph.edges if source == target}
    kept = sorted(edge for edge in edges if edge[0] != edge[1] or edge in loops)
    return Graph(dict(sorted(nodes.items())), graph.groups, tuple(kept))


def _count(graph: Graph, keys: Iterable[int]) -> int:
    return sum(len(graph.nodes[key].steps) for key in keys)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
