"""Where along its layer each node stands: lines straight where they can be, nothing over anything.

U. Brandes, B. Köpf: Fast and simple horizontal coordinate assignment, Graph Drawing 2001; the places of blocks by
longest paths over their neighbours, which also is right where the paper's classes are not (U. Brandes, J. Walter,
J. Zink: Erratum, 2020); ports as in U. Rüegg, C. D. Schulze, J. J. Carstens, R. von Hanxleden: Size- and port-aware
horizontal node coordinate assignment, Graph Drawing 2015.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from itertools import pairwise

from mlops.emit.drawing.crossings import Link
from mlops.ir.dataclass import dataclass

Apart = Callable[[int, int], float]
"""How far apart the edges of two neighbours must be."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of all nodes: layers in their order, links between them, widths. ``bends`` are the nodes that are
    none, but bends of a line."""

    layers: Sequence[Sequence[int]]
    links: Sequence[Sequence[Link]]
    widths: Sequence[float]
    bends: Sequence[bool]
    apart: Apart


def middles(row: Row) -> list[float]:
    """The middle of each node, from about 0 on.

    >>> middles(Row([[0], [1, 2]], [[Link(0, 1), Link(0, 2)]], [10, 10, 10], [False] * 3, lambda left, right: 2))
    [6.0, 0.0, 12.0]
    """
    count = len(row.widths)
    if not count:
        return []
    clashing = _clashing(row)
    found: list[list[float]] = []
    for upwards in (False, True):
        for mirrored in (False, True):
            found.append(_aligned(row, clashing, upwards=upwards, mirrored=mirrored))
    # All four are moved to where the narrowest is; then each node stands between the two middle ones of its four.
    sides = [_sides(row, places) for places in found]
    narrowest = min(range(4), key=lambda number: sides[number][1] - sides[number][0])
    left, right = sides[narrowest]
    for number, places in enumerate(found):
        by = left - sides[number][0] if number % 2 == 0 else right - sides[number][1]
        found[number] = [place + by for place in places]
    result: list[float] = []
    for node in range(count):
        four = sorted(places[node] for places in found)
        result.append((four[1] + four[2]) / 2)
    _settle(row, result)
    return result


_ROUNDS = 6
_NEAR = 0.01


def _settle(row: Row, middle: list[float]) -> None:
    """The mean of four leaves lines a little crooked, and a line that is straight far from where it could be: each
    node, and each run of nodes that stand straight below one another, goes to the median of what it is linked to, as
    far as its neighbours leave room."""
    to: list[list[tuple[int, float, int]]] = [[] for _ in middle]
    for between in row.links:
        for link in between:
            # A line between bends is to be straight before all others.
            weight = 1 + 3 * row.bends[link.upper] + 3 * row.bends[link.lower]
            to[link.upper].append((link.lower, link.into - link.out, weight))
            to[link.lower].append((link.upper, link.out - link.into, weight))
    beside: list[tuple[int, int]] = [(-1, -1)] * len(middle)
    least = [0.0] * len(middle)
    for layer in row.layers:
        for left, node, right in zip([-1, *layer], layer, [*layer[1:], -1], strict=False):
            beside[node] = (left, right)
            if right >= 0:
                least[node] = (row.widths[node] + row.widths[right]) / 2 + row.apart(node, right)
    order = [node for layer in row.layers for node in layer]
    for number in range(_ROUNDS):
        runs = [[node] for node in order] if number % 2 == 0 else _runs(order, to, middle)
        moved = False
        for run in runs if number % 4 < 2 else reversed(runs):
            moved |= _moved(run, to, beside, least, middle)
        if not moved and number:
            return


def _runs(order: Sequence[int], to: Sequence[list[tuple[int, float, int]]], middle: Sequence[float]) -> list[list[int]]:
    """What straight lines link."""
    seen: set[int] = set()
    found: list[list[int]] = []
    for node in order:
        if node in seen:
            continue
        seen.add(node)
        run = [node]
        for one in run:
            for other, by, _ in to[one]:
                if other not in seen and abs(middle[other] + by - middle[one]) < _NEAR:
                    seen.add(other)
                    run.append(other)
        found.append(run)
    return found


def _moved(
    run: Sequence[int],
    to: Sequence[list[tuple[int, float, int]]],
    beside: Sequence[tuple[int, int]],
    least: Sequence[float],
    middle: list[float],
) -> bool:
    """Did the nodes go somewhere, all by as much?"""
    inside = set(run)
    wanted = [
        (middle[end] + by - middle[node], weight) for node in run for end, by, weight in to[node] if end not in inside
    ]
    if not wanted:
        return False
    low, high = -math.inf, math.inf
    for node in run:
        left, right = beside[node]
        if left >= 0 and left not in inside:
            low = max(low, middle[left] + least[left] - middle[node])
        if right >= 0 and right not in inside:
            high = min(high, middle[right] - least[node] - middle[node])
    by = min(max(_weighted(wanted), low), high)
    # Rounding must not move one over its neighbour.
    if not low <= by <= high or abs(by) < _NEAR:
        return False
    for node in run:
        middle[node] += by
    return True


def _weighted(wanted: list[tuple[float, int]]) -> float:
    """The median; in the middle where that is a range.

    >>> _weighted([(0.0, 1), (8.0, 1)]), _weighted([(0.0, 1), (4.0, 1), (9.0, 1)]), _weighted([(0.0, 3), (8.0, 1)])
    (4.0, 4.0, 0.0)
    """
    wanted.sort()
    half, passed = sum(weight for _, weight in wanted) / 2, 0
    for at, (place, weight) in enumerate(wanted):
        passed += weight
        if passed == half:
            return (place + wanted[at + 1][0]) / 2
        if passed > half:
            return place
    return wanted[-1][0]


def _sides(row: Row, places: Sequence[float]) -> tuple[float, float]:
    return (
        min(place - wide / 2 for place, wide in zip(places, row.widths, strict=True)),
        max(place + wide / 2 for place, wide in zip(places, row.widths, strict=True)),
    )


def _clashing(row: Row) -> set[tuple[int, int]]:
    """Links that cross a line between two bends: that line is rather straight than they."""
    place = {node: at for layer in row.layers for at, node in enumerate(layer)}
    found: set[tuple[int, int]] = set()
    for between in row.links:
        inner = [link for link in between if row.bends[link.upper] and row.bends[link.lower]]
        if not inner:
            continue
        others = [link for link in between if not (row.bends[link.upper] and row.bends[link.lower])]
        for link in others:
            upper, lower = place[link.upper], place[link.lower]
            for line in inner:
                if (place[line.upper] - upper) * (place[line.lower] - lower) < 0:
                    found.add((link.upper, link.lower))
                    break
    return found


@dataclass(slots=True)
class _Blocks:
    """Nodes that stand below one another. ``shift`` is a node's middle from that of its block."""

    root: list[int]
    next: list[int]
    shift: list[float] = field(default_factory=list)


def _aligned(row: Row, clashing: set[tuple[int, int]], *, upwards: bool, mirrored: bool) -> list[float]:
    """One of the four: by the links to the layer above or below, and as far left or right as that allows."""
    sign = -1.0 if mirrored else 1.0
    layers = [list(reversed(layer)) if mirrored else list(layer) for layer in row.layers]
    place = {node: at for layer in layers for at, node in enumerate(layer)}
    to: list[list[tuple[int, float, float]]] = [[] for _ in row.widths]
    for between in row.links:
        for link in between:
            if (link.upper, link.lower) in clashing:
                continue
            if upwards:
                to[link.upper].append((link.lower, sign * link.into, sign * link.out))
            else:
                to[link.lower].append((link.upper, sign * link.out, sign * link.into))
    blocks = _blocks(list(reversed(layers)) if upwards else layers, to, place)
    found = _compacted(row, layers, blocks)
    return [sign * middle for middle in found]


def _blocks(
    layers: Sequence[Sequence[int]], to: Sequence[list[tuple[int, float, float]]], place: dict[int, int]
) -> _Blocks:
    count = len(to)
    blocks = _Blocks(list(range(count)), list(range(count)), [0.0] * count)
    for layer in layers[1:]:
        last = -1.0
        for node in layer:
            ends = sorted(to[node], key=lambda end: (place[end[0]], end[1]))
            if not ends:
                continue
            low, high = (len(ends) - 1) // 2, len(ends) // 2
            for other, out, into in ends[low : high + 1]:
                if blocks.next[node] == node and place[other] > last:
                    blocks.next[other] = node
                    blocks.root[node] = blocks.root[other]
                    blocks.next[node] = blocks.root[node]
                    blocks.shift[node] = blocks.shift[other] + out - into
                    last = place[other]
    return blocks


def _compacted(row: Row, layers: Sequence[Sequence[int]], blocks: _Blocks) -> list[float]:
    """Each block as far left as its neighbours allow, then as far right again as costs nobody anything."""
    count = len(row.widths)
    right_of: list[dict[int, float]] = [{} for _ in range(count)]
    waiting = [0] * count
    for layer in layers:
        for left, right in pairwise(layer):
            one, two = blocks.root[left], blocks.root[right]
            least = (row.widths[left] + row.widths[right]) / 2 + row.apart(left, right)
            least += blocks.shift[left] - blocks.shift[right]
            if two not in right_of[one]:
                waiting[two] += 1
                right_of[one][two] = least
            else:
                right_of[one][two] = max(right_of[one][two], least)
    roots = [node for node in range(count) if blocks.root[node] == node]
    order = [node for node in roots if not waiting[node]]
    middle = [0.0] * count
    for node in order:
        for other, least in right_of[node].items():
            middle[other] = max(middle[other], middle[node] + least)
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    for node in reversed(order):
        if right_of[node]:
            middle[node] = max(middle[node], min(middle[other] - least for other, least in right_of[node].items()))
    return [middle[blocks.root[node]] + blocks.shift[node] for node in range(count)]
