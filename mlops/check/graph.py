"""Which step waits for which, and why; cycles; orders. The only module that knows networkx, loaded when it is needed.

Edges are DependsOn, every ``Steps.X`` reference in a step, and the Condition or ForEach around a step.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.ir import Block, Definition, Placed, Ref, Step
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import pointer, refs

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class Edge:
    """``step`` waits for ``upstream``. ``at`` points to what says so; ``reason`` tells it in words."""

    step: str
    upstream: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Graph:
    """``edges`` by waiting step, only between steps that exist, at most one for a pair; ``names`` in document order."""

    names: tuple[str, ...]
    edges: Mapping[str, tuple[Edge, ...]]

    def upstream(self, name: str) -> frozenset[str]:
        return frozenset(edge.upstream for edge in self.edges.get(name, ()))

    def all_upstream(self, *names: str) -> frozenset[str]:
        """All that these steps wait for, also by others."""
        found: set[str] = set()
        rest = list(names)
        while rest:
            new = self.upstream(rest.pop()) - found
            found |= new
            rest.extend(new)
        return frozenset(found)


def depends_on(step: Step) -> Iterator[tuple[int, str]]:
    """Names in DependsOn with their index."""
    listed = step.members.get("DependsOn")
    if isinstance(listed, tuple):
        for index, item in enumerate(listed):
            name = item.get("Step") if isinstance(item, Mapping) else item
            if isinstance(name, str):
                yield index, name


def build(placed: Sequence[Placed]) -> Graph:
    """An edge of a step on itself is left out, and so is one from a container to what is inside it: both are faults of
    their own. What a ForEach body waits for, the ForEach waits for too."""
    known = {item.step.name for item in placed if item.step.name}
    found: dict[str, dict[str, Edge]] = defaultdict(dict)
    inside: dict[str, set[str]] = defaultdict(set)
    for item in placed:
        for container, _ in item.branches:
            inside[container].add(item.step.name)
    for item in placed:
        name = item.step.name
        if not name:
            continue
        own = found[name]
        for edge in _own_edges(item):
            if edge.upstream in known and edge.upstream != name and edge.upstream not in inside[name]:
                own.setdefault(edge.upstream, edge)
        if item.branches and item.branches[-1][0] in known and item.branches[-1][0] != name:
            container = item.branches[-1][0]
            own.setdefault(container, Edge(name, container, item.pointer, f"it is inside {container}"))
        for container, member in item.branches:
            if member != "ForEachBody" or container not in known:
                continue
            for edge in own.values():
                if edge.upstream not in inside[container] and edge.upstream != container:
                    found[container].setdefault(edge.upstream, replace(edge, step=container))
    return Graph(
        names=tuple(dict.fromkeys(item.step.name for item in placed if item.step.name)),
        edges={name: tuple(edges.values()) for name, edges in found.items()},
    )


def _own_edges(placed: Placed) -> Iterator[Edge]:
    step = placed.step
    for index, name in depends_on(step):
        yield Edge(step.name, name, f"{placed.pointer}/DependsOn/{index}", "DependsOn")
    places = [(f"{placed.pointer}/Arguments", step.arguments)]
    places += [(placed.pointer + pointer(member), value) for member, value in step.members.items()]
    for start, value in places:
        for at, ref in refs(value, start):
            upstream = read_step(ref)
            if upstream is not None:
                yield Edge(step.name, upstream, at, f"reads {ref.expression} at {at}")
    if step.type == "Cleanup":
        for index, source in enumerate(cleaned(step)):
            at = f"{placed.pointer}/Arguments/Resources/S3/{index}/StepName"
            if source is not None:
                yield Edge(step.name, source, at, f"cleans up after it at {at}")


def exclude_each_other(one: Placed, other: Placed) -> bool:
    """Whether two steps are in different branches of one Condition, of which one alone runs."""
    own = dict(one.branches)
    return any(own.get(container, member) != member for container, member in other.branches)


def read_step(ref: Ref) -> str | None:
    """The step that a reference reads, however broken the rest of the reference may be."""
    path = ref.path
    if path is not None:
        return path.name if path.root == "Steps" else None
    root, _, rest = ref.expression.partition(".")
    name = rest.partition(".")[0].partition("[")[0]
    return name if root == "Steps" and name else None


def cleaned(step: Step) -> tuple[str | None, ...]:
    """The steps whose output a Cleanup step removes, by place; the service makes them dependencies."""
    value = get(step.arguments, "Resources", "S3")
    if not isinstance(value, tuple):
        return ()
    names = [item.get("StepName") if isinstance(item, Mapping) else None for item in value]
    return tuple(name if isinstance(name, str) else None for name in names)


def is_order(graph: Graph, names: Iterable[str]) -> bool:
    seen: set[str] = set()
    for name in names:
        if any(edge.upstream not in seen for edge in graph.edges.get(name, ())):
            return False
        seen.add(name)
    return True


def cycles(graph: Graph) -> Iterator[tuple[Edge, ...]]:
    """One shortest cycle for each knot of steps that wait for each other, each edge with the step that waits."""
    if is_order(graph, graph.names):
        return
    import networkx

    position = {name: index for index, name in enumerate(graph.names)}
    knots = [knot for knot in networkx.strongly_connected_components(_network(graph)) if len(knot) > 1]
    for knot in sorted(knots, key=lambda knot: min(position[name] for name in knot)):
        yield _shortest_cycle(graph, min(knot, key=position.__getitem__), knot)


def _shortest_cycle(graph: Graph, start: str, knot: set[str]) -> tuple[Edge, ...]:
    came: dict[str, Edge] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for edge in graph.edges.get(name, ()):
            if edge.upstream == start:
                path = [edge]
                while path[-1].step != start:
                    path.append(came[path[-1].step])
                return tuple(reversed(path))
            if edge.upstream in knot and edge.upstream not in came:
                came[edge.upstream] = edge
                queue.append(edge.upstream)
    return ()


def topological(graph: Graph) -> tuple[str, ...]:
    """All names, upstream first, as near to document order as that goes; document order where there is a cycle."""
    if is_order(graph, graph.names):
        return graph.names
    return _sorted(graph.names, {name: graph.upstream(name) for name in graph.names}) or graph.names


def _sorted(names: Sequence[str], upstream: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    import networkx

    network: networkx.DiGraph[str] = networkx.DiGraph()
    network.add_nodes_from(names)
    network.add_edges_from((before, name) for name in names for before in upstream.get(name, ()))
    position = {name: index for index, name in enumerate(names)}
    try:
        return tuple(networkx.lexicographical_topological_sort(network, key=position.__getitem__))
    except networkx.NetworkXUnfeasible:
        return None


def _network(graph: Graph) -> networkx.DiGraph[str]:
    import networkx

    network: networkx.DiGraph[str] = networkx.DiGraph()
    network.add_nodes_from(graph.names)
    network.add_edges_from((edge.upstream, edge.step) for edges in graph.edges.values() for edge in edges)
    return network


def order(definition: Definition) -> Definition:
    """Each list of steps with upstream first; the same definition where it is so already, or where no order exists."""
    placed = tuple(definition.placed())
    names = [item.step.name for item in placed]
    if len(set(names)) != len(names) or not all(names):
        return definition
    graph = build(placed)
    if is_order(graph, graph.names):
        return definition
    if next(cycles(graph), None) is not None:
        return definition
    siblings = _sibling_edges(placed, graph)
    blocks: dict[str, dict[str, list[Step]]] = defaultdict(lambda: defaultdict(list))
    # Innermost first: a container is rebuilt after what it holds.
    for item in reversed(placed):
        step = item.step
        if step.blocks:
            held = blocks.pop(step.name, {})
            step = replace(
                step,
                blocks=tuple(
                    Block(block.member, _arranged(list(reversed(held.get(block.member, []))), siblings))
                    for block in step.blocks
                ),
            )
        container, member = item.branches[-1] if item.branches else ("", "Steps")
        blocks[container][member].append(step)
    return replace(definition, steps=_arranged(list(reversed(blocks[""]["Steps"])), siblings))


def _sibling_edges(placed: Sequence[Placed], graph: Graph) -> Mapping[str, set[str]]:
    """Edges lifted to the list where both ends, or the containers around them, stand side by side."""
    chains = {item.step.name: (*(name for name, _ in item.branches), item.step.name) for item in placed}
    lists = {item.step.name: item.branches[-1] if item.branches else ("", "Steps") for item in placed}
    lifted: dict[str, set[str]] = defaultdict(set)
    for edges in graph.edges.values():
        for edge in edges:
            for step, upstream in zip(chains[edge.step], chains[edge.upstream], strict=False):
                if step != upstream:
                    if lists[step] == lists[upstream]:
                        lifted[step].add(upstream)
                    break
    return lifted


def _arranged(steps: Sequence[Step], upstream: Mapping[str, set[str]]) -> tuple[Step, ...]:
    by_name = {step.name: step for step in steps}
    waits = {name: upstream.get(name, set()) & by_name.keys() for name in by_name}
    if not any(waits.values()):
        return tuple(steps)
    return tuple(by_name[name] for name in _sorted(tuple(by_name), waits) or by_name)
