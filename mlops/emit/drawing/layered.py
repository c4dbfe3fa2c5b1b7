"""Boxes of one set and the lines between them, layer below layer.

Within a layer every line runs straight down, in a place that is its own; between layers, where no box is, it goes
aside. So no line passes a box, whatever the graph is.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops.emit.drawing.columns import Row, middles
from mlops.emit.drawing.crossings import Link, ordered
from mlops.emit.drawing.ranks import ranked
from mlops.ir.dataclass import dataclass

BOX_APART, LINE_APART = 26.0, 14.0
GAP = 34.0
"""Between two layers, where all lines between them are straight."""
_LEAST_GAP = 16.0
_STEEPER, _MOST_MORE = 0.09, 80.0
"""A line that goes far aside has more height for it."""


Trunk = tuple[str, int]
"""What lines that run together have in common: their source, or where all of them go."""


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """From a box to one below it; ``out`` and ``into`` are where it leaves and enters, from the middle of each. Lines
    of one ``trunk`` run together as far as they can."""

    upper: int
    lower: int
    trunk: Trunk
    out: float = 0.0
    into: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A straight part of a line's way."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Placing:
    """``left`` and ``top`` of each box, and the way of each line, from above to below; how many lines cross."""

    left: Sequence[float]
    top: Sequence[float]
    ways: Sequence[Sequence[Stop]]
    width: float
    height: float
    crossings: int = 0


def layered(
    sizes: Sequence[Size],
    lines: Sequence[Line],
    first: Sequence[int] = (),
    last: Sequence[int] = (),
    *,
    in_this_order: bool = False,
) -> Placing:
    """``lines`` have no cycle. ``first`` and ``last`` are the boxes, or mere places, that lie on the upper and on the
    lower edge; with ``in_this_order`` the upper ones stand as they come.

    >>> placing = layered([Size(40, 20), Size(40, 20)], [Line(0, 1, ("from", 0))])
    >>> placing.top, placing.ways
    ([0.0, 54.0], [[Stop(x=20.0, top=20.0, bottom=20.0), Stop(x=20.0, top=54.0, bottom=54.0)]])
    """
    ranks = ranked(len(sizes), [(line.upper, line.lower) for line in lines], frozenset(first), frozenset(last))
    count = len(sizes)
    rank_of, widths = [*ranks], [size.width for size in sizes]
    links: list[dict[Link, None]] = [{} for _ in range(max(ranks, default=0))]
    bends: dict[tuple[Trunk, int], int] = {}
    chains: list[list[int]] = []
    for line in lines:
        chain, place, out = [line.upper], line.upper, line.out
        for rank in range(ranks[line.upper] + 1, ranks[line.lower]):
            bend = bends.get((line.trunk, rank))
            if bend is None:
                bend = bends[line.trunk, rank] = len(rank_of)
                rank_of.append(rank)
                widths.append(0.0)
            links[rank - 1][Link(place, bend, out)] = None
            chain.append(bend)
            place, out = bend, 0.0
        links[ranks[line.lower] - 1][Link(place, line.lower, out, line.into)] = None
        chains.append([*chain, line.lower])
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(rank_of):
        layers[rank].append(node)
    if in_this_order:
        layers[0] = list(first)
    between = [list(found) for found in links]
    order, crossings = ordered(layers, between, first_stays=in_this_order)
    is_bend = [node >= count or widths[node] == 0 for node in range(len(rank_of))]

    def apart(left: int, right: int) -> float:
        bent = is_bend[left] + is_bend[right]
        return (BOX_APART, (BOX_APART + LINE_APART) / 2, LINE_APART)[bent]

    middle = middles(Row(order, between, widths, is_bend, apart))
    edge = min((at - wide / 2 for at, wide in zip(middle, widths, strict=True)), default=0.0)
    middle = [at - edge for at in middle]
    tops, bottoms = _bands(sizes, ranks, between, middle, under_edge=bool(first))
    ways = []
    for line, chain in zip(lines, chains, strict=True):
        rank = ranks[line.upper]
        way = [Stop(middle[line.upper] + line.out, tops[rank] + sizes[line.upper].height, bottoms[rank])]
        for bend in chain[1:-1]:
            rank = rank_of[bend]
            way.append(Stop(middle[bend], tops[rank], bottoms[rank]))
        rank = ranks[line.lower]
        way.append(Stop(middle[line.lower] + line.into, tops[rank], tops[rank]))
        ways.append(way)
    return Placing(
        [at - wide / 2 for at, wide in zip(middle[:count], widths[:count], strict=True)],
        [tops[rank] for rank in ranks],
        ways,
        max((at + wide / 2 for at, wide in zip(middle, widths, strict=True)), default=0.0),
        max(bottoms, default=0.0),
        crossings,
    )


def _bands(
    sizes: Sequence[Size],
    ranks: Sequence[int],
    between: Sequence[Sequence[Link]],
    middle: Sequence[float],
    *,
    under_edge: bool,
) -> tuple[list[float], list[float]]:
    """Where each layer begins and ends."""
    heights = [0.0] * (max(ranks, default=-1) + 1)
    for size, rank in zip(sizes, ranks, strict=True):
        heights[rank] = max(heights[rank], size.height)
    tops, bottoms, free = [], [], 0.0
    for rank, height in enumerate(heights):
        tops.append(free)
        bottoms.append(free + height)
        if rank < len(between):
            aside = (abs(middle[link.lower] + link.into - middle[link.upper] - link.out) for link in between[rank])
            most = max(aside, default=0.0)
            # Below the edge of a group lines have come straight down already.
            gap = GAP if rank or not under_edge else min(GAP, _LEAST_GAP + most / 2)
            free += height + gap + min(_MOST_MORE, _STEEPER * most)
    return tops, bottoms
