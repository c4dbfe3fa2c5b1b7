"""The order within each layer, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A line from a node to one in the next layer; ``out`` and ``into`` are where it leaves and enters, from the middle
    of each node."""

    upper: int
    lower: int
    out: float = 0.0
    into: float = 0.0


_PATIENCE, _WORK = 4, 1500
"""Sweeps in a row that may bring nothing: at least so many, and of a small picture more, as many as this many links."""
_MOST_SWEEPS, _FEW = 60, 80
_TINY = 1e-4
"""Turns places within a node into less than one node's distance."""


def ordered(
    layers: Sequence[Sequence[int]], links: Sequence[Sequence[Link]], *, first_stays: bool = False
) -> tuple[list[list[int]], int]:
    """The layers in their order, and how many crossings are left. ``links[i]`` are those between the layers i and
    i + 1. Layers come in any order, which decides between equals; ``first_stays`` keeps that of the first.

    Up and down, each layer is sorted by the median or the mean of what its nodes are linked to, and neighbours are
    swapped while that helps; the best that was seen is kept (P. Eades, N. C. Wormald: Edge crossings in drawings of
    bipartite graphs, Algorithmica 11, 1994; Gansner and others, 1993, section 3).

    >>> ordered([[0, 1], [2, 3]], [[Link(0, 3), Link(1, 2)]])
    ([[1, 0], [2, 3]], 0)
    """
    starts = [[list(layer) for layer in layers], _walked(layers, links)]
    if sum(map(len, links)) <= _FEW:
        starts.append([layer[::-1] for layer in _walked([layer[::-1] for layer in layers], links)])
        # Mixed, and always alike.
        starts += [[sorted(layer, key=lambda node: (node + 1) * by % 97) for layer in layers] for by in (29, 53, 71)]
    if first_stays:
        for start in starts:
            start[0] = list(layers[0])
    patience = max(_PATIENCE, min(10, _WORK // (1 + sum(map(len, links)))))
    best, fewest = starts[0], _Order(starts[0], links).crossings()
    for start in starts:
        if not fewest:
            break
        order = _Order(start, links, int(first_stays))
        order.swap(equals=False)
        found = order.crossings()
        if found < fewest:
            best, fewest = order.copy(), found
        idle = 0
        for sweep in range(_MOST_SWEEPS):
            if not fewest or idle >= patience:
                break
            order.sweep(down=sweep % 2 == 0, by_mean=sweep % 4 >= 2, backwards=sweep % 8 >= 4)
            order.swap(equals=sweep % 2 == 1)
            found = order.crossings()
            idle += 1
            if found < fewest:
                best, fewest, idle = order.copy(), found, 0
    return best, fewest


class _Order:
    """``fixed`` are the first layers, so many, that keep their order."""

    def __init__(self, layers: list[list[int]], links: Sequence[Sequence[Link]], fixed: int = 0) -> None:
        self._layers = layers
        self._free = layers[fixed:]
        self._links = links
        self._place: dict[int, int] = {}
        self._above: dict[int, list[tuple[int, float]]] = {node: [] for layer in layers for node in layer}
        self._below: dict[int, list[tuple[int, float]]] = {node: [] for layer in layers for node in layer}
        for between in links:
            for link in between:
                self._above[link.lower].append((link.upper, link.out * _TINY))
                self._below[link.upper].append((link.lower, link.into * _TINY))
        for layer in layers:
            self._number(layer)

    def _number(self, layer: Sequence[int]) -> None:
        for place, node in enumerate(layer):
            self._place[node] = place

    def copy(self) -> list[list[int]]:
        return [[*layer] for layer in self._layers]

    def crossings(self) -> int:
        place, total = self._place, 0
        for between in self._links:
            ends = sorted(
                [(place[link.upper] + link.out * _TINY, place[link.lower] + link.into * _TINY) for link in between]
            )
            seen: list[float] = []
            for _, lower in ends:
                if not seen or seen[-1] <= lower:
                    seen.append(lower)
                else:
                    total += len(seen) - bisect_right(seen, lower)
                    insort(seen, lower)
        return total

    def sweep(self, *, down: bool, by_mean: bool, backwards: bool) -> None:
        """``backwards`` turns those around that are wanted at one place."""
        to = self._above if down else self._below
        for layer in self._free if down else reversed(self._free):
            wanted: list[tuple[float, int]] = []
            for node, keys in zip(layer, self._ends(to, layer), strict=True):
                if not keys:
                    wanted.append((-1.0, node))
                elif by_mean:
                    wanted.append((sum(keys) / len(keys), node))
                else:
                    wanted.append((_median(keys), node))
            # What is linked to nothing keeps its place among the others.
            linked = [item for item in wanted if item[0] >= 0]
            if backwards:
                linked.reverse()
            linked.sort(key=lambda item: item[0])
            following = iter(linked)
            layer[:] = [node if key < 0 else next(following)[1] for key, node in wanted]
            self._number(layer)

    def swap(self, *, equals: bool) -> None:
        """Neighbours, where fewer lines cross then; once also where as many do, which may let others swap."""
        # A layer is looked at again only where it or one beside it has changed.
        everywhere = set(range(len(self._free)))
        looked_at = sorted(everywhere)
        for _ in range(8):
            changed: set[int] = set()
            for number in looked_at:
                if len(self._free[number]) > 1 and self._swapped(self._free[number], equals=equals):
                    changed |= {number - 1, number, number + 1}
            if not changed and not equals:
                return
            looked_at = sorted(everywhere) if equals else sorted(changed & everywhere)
            equals = False

    def _swapped(self, layer: list[int], *, equals: bool) -> bool:
        """Do fewer lines cross than did? Once from left to right; what was swapped goes on as far as that helps."""
        ups, downs = self._ends(self._above, layer), self._ends(self._below, layer)
        up, down, moved, fewer = ups[0], downs[0], False, False
        for at in range(len(layer) - 1):
            next_up, next_down = ups[at + 1], downs[at + 1]
            now = then = 0
            if up and next_up and up[-1] > next_up[0]:
                now = _crossed(up, next_up)
            if down and next_down and down[-1] > next_down[0]:
                now += _crossed(down, next_down)
            if now:
                if up and next_up and next_up[-1] > up[0]:
                    then = _crossed(next_up, up)
                if down and next_down and next_down[-1] > down[0]:
                    then += _crossed(next_down, down)
                if then < now or (equals and then == now):
                    layer[at], layer[at + 1] = layer[at + 1], layer[at]
                    moved, fewer = True, fewer or then < now
                    continue
            up, down = next_up, next_down
        if moved:
            self._number(layer)
        return fewer

    def _ends(self, to: Mapping[int, Sequence[tuple[int, float]]], layer: Sequence[int]) -> list[list[float]]:
        """Of each node of the layer where its lines end, from left to right."""
        place = self._place
        found: list[list[float]] = []
        for node in layer:
            # Nearly all are bends, which have one.
            if len(to[node]) == 1:
                other, offset = to[node][0]
                found.append([place[other] + offset])
            else:
                found.append(sorted([place[other] + offset for other, offset in to[node]]))
        return found


def _crossed(left: Sequence[float], right: Sequence[float]) -> int:
    """How many lines cross where the node with the first ends stands left of that with the second; both are sorted."""
    total = 0
    for end in left:
        total += bisect_left(right, end)
    return total


def _median(keys: Sequence[float]) -> float:
    """Of an even number of keys, nearer to the side where they lie closer together."""
    middle = len(keys) // 2
    if len(keys) % 2:
        return keys[middle]
    if len(keys) == 2:
        return (keys[0] + keys[1]) / 2
    left, right = keys[middle - 1] - keys[0], keys[-1] - keys[middle]
    if left + right == 0:
        return (keys[middle - 1] + keys[middle]) / 2
    return (keys[middle - 1] * right + keys[middle] * left) / (left + right)


def _walked(layers: Sequence[Sequence[int]], links: Sequence[Sequence[Link]]) -> list[list[int]]:
    """Each layer in the order in which a depth-first walk along the links comes by."""
    beside: dict[int, list[int]] = {node: [] for layer in layers for node in layer}
    for between in links:
        for link in between:
            beside[link.upper].append(link.lower)
            beside[link.lower].append(link.upper)
    layer_of = {node: number for number, layer in enumerate(layers) for node in layer}
    found: list[list[int]] = [[] for _ in layers]
    seen: set[int] = set()
    for start in (node for layer in layers for node in layer):
        walk = [start]
        while walk:
            node = walk.pop()
            if node in seen:
                continue
            seen.add(node)
            found[layer_of[node]].append(node)
            walk.extend(reversed(beside[node]))
    return found
