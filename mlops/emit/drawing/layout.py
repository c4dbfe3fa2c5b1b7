"""Where everything of a graph stands: groups are placed within, and then as one box each.

A line that goes into a group or out of it has a place on the group's edge, which both placings know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from itertools import pairwise

from mlops.emit.drawing.graph import Graph
from mlops.emit.drawing.layered import BOX_APART, Line, Placing, Size, Stop, Trunk, layered
from mlops.emit.drawing.ranks import without_cycles
from mlops.emit.drawing.text import width
from mlops.ir.dataclass import dataclass

GROUP_SIZE = 11.0
"""Of the letters of a group's label."""
PAD, HEAD = 14.0, 24.0
STACK = 5.0
"""How far each of the two sheets behind a group that is repeated shows."""
LOOP = 22.0
"""Beside a step that waits for itself."""
_CLEAR = 8.0
"""Between a label and a line."""
_ROUNDS, _FEW_EDGES = 3, 150
"""What is tried a second time, and of how many edges at most."""
_LEAST_ROW = 720.0
"""What stands for itself is not stacked where it has room side by side."""


@dataclass(frozen=True, slots=True)
class Area:
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Framed:
    """A group: its frame, and the middle of its label."""

    frame: Area
    label: float


@dataclass(frozen=True, slots=True)
class Way:
    """An edge of the graph, from above to below; ``upwards`` where its arrow points up, since a cycle was cut there."""

    source: int
    target: int
    stops: Sequence[Stop]
    upwards: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    boxes: Mapping[int, Area]
    frames: Mapping[int, Framed]
    ways: Sequence[Way]
    loops: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Port:
    """A place on the edge of a group, where lines of one trunk come in, or leave it at the ``bottom``."""

    trunk: Trunk
    bottom: bool = False


_End = int | _Port
"""What a line of a scope ends at: a member of it, or a place on its edge."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a scope, from above to below. ``out`` and ``into`` are the places on the edge of a member that is a
    group; a line to a group itself has none, and goes to its label."""

    upper: _End
    lower: _End
    trunk: Trunk
    out: _Port | None = None
    into: _Port | None = None


@dataclass(slots=True)
class _Scope:
    """The inside of a group, or of all."""

    members: list[int] = field(default_factory=list)
    lines: dict[_Line, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Placed:
    """A scope that was placed, from its own corner. ``label`` is the middle of its label."""

    size: Size = field(default_factory=lambda: Size(0, 0))
    members: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: dict[_Line, Sequence[Stop]] = field(default_factory=dict)
    ports: dict[_Port, float] = field(default_factory=dict)
    label: float = 0.0
    crossings: int = 0


_Order = Mapping[int, Sequence[_Port | None]]
"""For groups, from left to right what comes in there; None is the label."""


def laid_out(graph: Graph, sizes: Mapping[int, Size]) -> Drawing:
    """``sizes`` are those of the nodes."""
    loops = frozenset(source for source, target in graph.edges if source == target)
    edges = [edge for edge in graph.edges if edge[0] != edge[1]]
    turned = _turned(graph, edges)
    best = _arranged(graph, edges, turned, sizes, loops, split=False)
    # Two lines of one source around both sides of something may be better than one line that branches.
    if best.crossings and len(edges) <= _FEW_EDGES:
        best = min(best, _arranged(graph, edges, turned, sizes, loops, split=True), key=lambda found: found.crossings)
    placed, parts = best.placed, best.parts
    boxes: dict[int, Area] = {}
    frames: dict[int, Framed] = {}
    corners: dict[int | None, tuple[float, float]] = {None: (0.0, 0.0)}
    for key in sorted([*graph.nodes, *graph.groups]):
        around = graph.inside(key)
        x, y = corners[around]
        left, top = placed[around].members[key]
        left, top = left + x, top + y
        if key in graph.groups:
            within = placed[key]
            corners[key] = (left, top)
            frames[key] = Framed(Area(left, top, within.size.width, within.size.height), left + within.label)
        else:
            boxes[key] = Area(left + (LOOP if key in loops else 0.0), top, sizes[key].width, sizes[key].height)
    ways = []
    for (source, target), back, found in zip(edges, turned, parts, strict=True):
        stops: list[Stop] = []
        for scope, line in found:
            x, y = corners[scope]
            stops += [Stop(stop.x + x, stop.top + y, stop.bottom + y) for stop in placed[scope].ways[line]]
        ways.append(Way(source, target, stops, back))
    return Drawing(placed[None].size.width, placed[None].size.height, boxes, frames, ways, sorted(loops))


@dataclass(frozen=True, slots=True)
class _Arranged:
    """``parts`` are of each edge its lines, from above to below, each in its scope."""

    placed: Mapping[int | None, _Placed]
    parts: Sequence[Sequence[tuple[int | None, _Line]]]

    @property
    def crossings(self) -> int:
        return sum(found.crossings for found in self.placed.values())


def _arranged(
    graph: Graph,
    edges: Sequence[tuple[int, int]],
    turned: Sequence[bool],
    sizes: Mapping[int, Size],
    loops: frozenset[int],
    *,
    split: bool,
) -> _Arranged:
    """``split``: every edge is a line of its own."""
    scopes: dict[int | None, _Scope] = defaultdict(_Scope)
    for key in sorted([*graph.nodes, *graph.groups]):
        scopes[graph.inside(key)].members.append(key)
    parts = _parts(graph, edges, turned, split)
    for found in parts:
        for scope, line in found:
            scopes[scope].lines[line] = None
    best = _Arranged(_all_placed(graph, scopes, sizes, loops, {}), parts)
    if not graph.groups or len(edges) > _FEW_EDGES:
        return best
    # A group that is placed by itself does not know from where its lines come; the second time it does, and begins
    # once as it was and once turned about.
    for orders in (_orders(graph, scopes, best.placed), _mirrored(best.placed)):
        for _ in range(_ROUNDS):
            if not best.crossings:
                return best
            again = _Arranged(_all_placed(graph, scopes, sizes, loops, orders), parts)
            orders = _orders(graph, scopes, again.placed)
            if again.crossings < best.crossings:
                best = again
    return best


def _mirrored(placed: Mapping[int | None, _Placed]) -> _Order:
    result: dict[int, Sequence[_Port | None]] = {}
    for group, found in placed.items():
        if group is not None:
            ports = sorted((-x, at) for at, (port, x) in enumerate(found.ports.items()) if not port.bottom)
            listed = [*found.ports]
            result[group] = [listed[at] for _, at in ports]
    return result


def _all_placed(
    graph: Graph,
    scopes: Mapping[int | None, _Scope],
    sizes: Mapping[int, Size],
    loops: frozenset[int],
    orders: _Order,
) -> dict[int | None, _Placed]:
    """Groups before what holds them: a group's key is above that of the group around it."""
    placed: dict[int | None, _Placed] = {}
    for group in sorted(graph.groups, reverse=True):
        found = _Placing(scopes[group], graph, sizes, placed, loops)
        placed[group] = found.framed(graph.groups[group].label, orders.get(group, ()))
    placed[None] = _Placing(scopes[None], graph, sizes, placed, loops).bare()
    return placed


def _orders(graph: Graph, scopes: Mapping[int | None, _Scope], placed: Mapping[int | None, _Placed]) -> _Order:
    """How what comes into each group would stand if it came straight."""
    result: dict[int, Sequence[_Port | None]] = {}
    for group in graph.groups:
        around = graph.inside(group)
        coming: dict[_Port | None, list[float]] = defaultdict(list)
        for line in scopes[around].lines:
            if line.lower == group:
                coming[line.into].append(placed[around].ways[line][-2].x)
        middles = {port: sum(found) / len(found) for port, found in coming.items()}
        result[group] = sorted(middles, key=lambda port: middles[port])
    return result


def _apart(graph: Graph, source: int, target: int) -> tuple[int | None, int, int]:
    """The scope that holds both ends, and what of it holds each."""
    one, two = [source, *graph.around(source)], [target, *graph.around(target)]
    shared: int | None = None
    while one and two and one[-1] == two[-1]:
        shared = one.pop()
        two.pop()
    return shared, one[-1], two[-1]


def _turned(graph: Graph, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Edges that lead up: each scope is without cycles when they are turned."""
    by_scope: dict[int | None, list[tuple[int, int, int]]] = defaultdict(list)
    for number, (source, target) in enumerate(edges):
        scope, one, two = _apart(graph, source, target)
        by_scope[scope].append((one, two, number))
    result = [False] * len(edges)
    for found in by_scope.values():
        keys = sorted({key for one, two, _ in found for key in (one, two)})
        index = {key: at for at, key in enumerate(keys)}
        backs = without_cycles(len(keys), [(index[one], index[two]) for one, two, _ in found])
        for (_, _, number), back in zip(found, backs, strict=True):
            result[number] = back
    return result


def _parts(
    graph: Graph, edges: Sequence[tuple[int, int]], turned: Sequence[bool], split: bool
) -> list[list[tuple[int | None, _Line]]]:
    """Of each edge, its line in each scope that it passes, from above to below."""
    # Into a group, lines of one source run together; what has one end there runs together with all others to that end.
    ends: dict[tuple[int, int], set[int]] = defaultdict(set)
    for (source, target), back in zip(edges, turned, strict=True):
        if not back:
            for group in graph.around(target):
                ends[source, group].add(target)
    result = []
    for number, ((source, target), back) in enumerate(zip(edges, turned, strict=True)):
        upper, lower = (target, source) if back else (source, target)
        trunk: Trunk = ("edge", number) if back or split else ("from", source)
        scope, one, two = _apart(graph, upper, lower)
        out, into = _up_to(graph, upper, scope), _up_to(graph, lower, scope)
        parts: list[tuple[int | None, _Line]] = []
        here, port = upper, None
        for group in out:
            leaving = _Port(trunk, bottom=True)
            parts.append((group, _Line(here, leaving, trunk, port)))
            here, port = group, leaving
        entries: list[_Port | None] = [None]
        for group in into:
            alone = not back and (split or len(ends[source, group]) == 1)
            entries.append(_Port(("to", lower) if alone else trunk))
        parts.append((scope, _Line(one, two, trunk, port, entries[-1])))
        for at, group in reversed([*enumerate(into)]):
            entry = entries[at + 1]
            assert entry is not None  # noqa: S101  # only the first is
            parts.append((group, _Line(entry, into[at - 1] if at else lower, entry.trunk, None, entries[at])))
        result.append(parts)
    return result


def _up_to(graph: Graph, key: int, scope: int | None) -> list[int]:
    """The groups around it, the innermost first, that lie within the scope."""
    around = [*graph.around(key)]
    return around if scope is None else around[: around.index(scope)]


class _Placing:
    """Places one scope; the groups in it were placed before."""

    def __init__(
        self,
        scope: _Scope,
        graph: Graph,
        sizes: Mapping[int, Size],
        placed: Mapping[int | None, _Placed],
        loops: frozenset[int],
    ) -> None:
        self._scope = scope
        self._placed = placed
        ends: dict[_End, None] = dict.fromkeys(scope.members)
        for line in scope.lines:
            ends |= {line.upper: None, line.lower: None}
        self._room = {end: _room(end, graph, sizes, placed, loops) for end in ends}
        self._components = _components(ends, scope.lines)

    def bare(self) -> _Placed:
        result = _Placed()
        wide, high = self._shelves(self._components, result, 0.0, 0.0)
        result.size = Size(wide, high)
        return result

    def framed(self, label: str, order: Sequence[_Port | None]) -> _Placed:
        """With lines from the upper edge and to the lower one in the middle, and beside them what has none."""
        result = _Placed()
        bound = [end for found in self._components if _ports(found) for end in found]
        free = [found for found in self._components if not _ports(found)]
        right, below = PAD, HEAD
        if bound:
            top = 0.0 if any(not port.bottom for port in _ports(bound)) else HEAD
            placing = self._run(bound, result, PAD, top, order)
            right, below = PAD + placing.width, top + placing.height
        if free:
            wide, high = self._shelves(free, result, right + (BOX_APART if bound else 0.0), HEAD + 2)
            right, below = max(right, wide), max(below, high)
        lowest = max(result.members[key][1] + self._room[key].height for key in result.members)
        bottom = max(lowest + PAD, below)
        for line, way in [*result.ways.items()]:
            if isinstance(line.lower, _Port):
                result.ways[line] = [*way, Stop(way[-1].x, bottom, bottom)]
        lines = sorted(x for port, x in result.ports.items() if not port.bottom)
        before = None if None not in order else sum(port is not None for port in order[: order.index(None)])
        result.label, needed = _beside(lines, width(label, GROUP_SIZE), right + PAD, before)
        result.size = Size(needed, bottom)
        return result

    def _run(
        self, ends: Sequence[_End], result: _Placed, left: float, top: float, order: Sequence[_Port | None] = ()
    ) -> Placing:
        """Place these ends with their lines, and write them down from ``left`` and ``top``."""
        index = {end: at for at, end in enumerate(ends)}
        own = [line for line in self._scope.lines if line.upper in index]
        lines = [
            Line(
                index[line.upper],
                index[line.lower],
                line.trunk,
                self._offset(line.upper, line.out),
                self._offset(line.lower, line.into),
            )
            for line in own
        ]
        coming = [port for port in order if port is not None] or [port for port in _ports(ends) if not port.bottom]
        placing = layered(
            [self._room[end] for end in ends],
            lines,
            [index[port] for port in coming],
            [index[port] for port in _ports(ends) if port.bottom],
            in_this_order=bool(coming and order),
        )
        result.crossings += placing.crossings
        for end, at in index.items():
            if isinstance(end, _Port):
                result.ports[end] = placing.left[at] + left
            else:
                result.members[end] = (placing.left[at] + left, placing.top[at] + top)
        for line, way in zip(own, placing.ways, strict=True):
            result.ways[line] = [Stop(stop.x + left, stop.top + top, stop.bottom + top) for stop in way]
        return placing

    def _offset(self, end: _End, port: _Port | None) -> float:
        """Where the line meets what stands there, from its middle."""
        if isinstance(end, _Port) or end not in self._placed:
            return 0.0
        within = self._placed[end]
        return (within.label if port is None else within.ports[port]) - self._room[end].width / 2

    def _shelves(
        self, components: Sequence[Sequence[_End]], result: _Placed, left: float, top: float
    ) -> tuple[float, float]:
        """What has nothing to do with each other, side by side in rows; gives where it ends."""
        alone = [(_Placed(), found) for found in components]
        sized = [(own, self._run(found, own, 0.0, 0.0)) for own, found in alone]
        area = sum((size.width + BOX_APART) * (size.height + BOX_APART) for _, size in sized)
        most = max(_LEAST_ROW, (1.8 * area) ** 0.5, *(size.width for _, size in sized), 0.0)
        x = y = high = wide = 0.0
        for own, size in sized:
            if x and x + size.width > most:
                x, y, high = 0.0, y + high + BOX_APART, 0.0
            for key, (at, down) in own.members.items():
                result.members[key] = (left + x + at, top + y + down)
            result.crossings += own.crossings
            for line, way in own.ways.items():
                result.ways[line] = [Stop(left + x + stop.x, top + y + stop.top, top + y + stop.bottom) for stop in way]
            wide, high = max(wide, x + size.width), max(high, size.height)
            x += size.width + BOX_APART
        return left + wide, top + y + high


def _ports(ends: Iterable[_End]) -> list[_Port]:
    return [end for end in ends if isinstance(end, _Port)]


def _room(
    end: _End,
    graph: Graph,
    sizes: Mapping[int, Size],
    placed: Mapping[int | None, _Placed],
    loops: frozenset[int],
) -> Size:
    if isinstance(end, _Port):
        return Size(0.0, 0.0 if end.bottom else HEAD)
    if end in graph.groups:
        size, more = placed[end].size, 2 * STACK if graph.groups[end].repeated else 0.0
        return Size(size.width + more, size.height + more)
    return Size(sizes[end].width + (2 * LOOP if end in loops else 0.0), sizes[end].height)


def _components(ends: Iterable[_End], lines: Iterable[_Line]) -> list[list[_End]]:
    """What is linked, in the order of the ends."""
    beside: dict[_End, list[_End]] = {end: [] for end in ends}
    for line in lines:
        beside[line.upper].append(line.lower)
        beside[line.lower].append(line.upper)
    number: dict[_End, int] = {}
    for end in beside:
        if end in number:
            continue
        number[end] = end_number = len(number)
        walk = [end]
        for one in walk:
            for other in beside[one]:
                if other not in number:
                    number[other] = end_number
                    walk.append(other)
    found: dict[int, list[_End]] = {}
    for end in beside:
        found.setdefault(number[end], []).append(end)
    return [*found.values()]


def _beside(lines: Sequence[float], needed: float, wide: float, before: int | None = None) -> tuple[float, float]:
    """The middle of a label that has room between the lines that come in, as near to the group's middle as can be; and
    how wide the group must be. Rather with so many lines ``before`` it.

    >>> _beside([45.0], 30.0, 100.0), _beside([], 30.0, 100.0), _beside([20.0, 60.0], 50.0, 80.0)
    ((68.0, 100.0), (50.0, 100.0), (93.0, 122.0))
    >>> _beside([50.0], 30.0, 100.0, before=0), _beside([50.0], 30.0, 100.0, before=1)
    ((27.0, 100.0), (73.0, 100.0))
    """
    half = needed / 2
    ends = [4.0 - _CLEAR, *lines, wide - 4.0 + _CLEAR]
    places = [
        (number, min(max(wide / 2, left + _CLEAR + half), right - _CLEAR - half))
        for number, (left, right) in enumerate(pairwise(ends))
        if right - left >= needed + 2 * _CLEAR
    ]
    if before == len(lines) or not places:
        place = max(ends[-2] + _CLEAR + half, wide / 2)
        return place, max(wide, place + half + 4.0)
    wanted = [place for number, place in places if number == before]
    return min(wanted or (place for _, place in places), key=lambda place: abs(place - wide / 2)), wide
