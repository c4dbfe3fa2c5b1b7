"""In which layer each box stands: below what it waits for, and near it."""

from __future__ import annotations

from collections.abc import Sequence

Edges = Sequence[tuple[int, int]]


def without_cycles(count: int, edges: Edges) -> list[bool]:
    """For each edge, is it to be turned so that no cycle is left? Edges that lead back in a depth-first walk are; the
    walk begins with what waits for nothing.

    >>> without_cycles(3, [(0, 1), (1, 2), (2, 0)])
    [False, False, True]
    """
    out: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for number, (source, target) in enumerate(edges):
        out[source].append(number)
        waiting[target] += source != target
    turned = [False] * len(edges)
    begun, ended = [False] * count, [False] * count
    for start in [*(node for node in range(count) if not waiting[node]), *range(count)]:
        if begun[start]:
            continue
        begun[start] = True
        walk = [(start, iter(out[start]))]
        while walk:
            node, left = walk[-1]
            number = next(left, -1)
            if number < 0:
                ended[node] = True
                walk.pop()
                continue
            target = edges[number][1]
            if not begun[target]:
                begun[target] = True
                walk.append((target, iter(out[target])))
            elif not ended[target]:
                turned[number] = True
    return turned


def ranked(
    count: int, edges: Edges, first: frozenset[int] = frozenset(), last: frozenset[int] = frozenset()
) -> list[int]:
    """The layer of each node, from 0; ``edges`` have no cycle. Nodes of ``first`` have the first layer for themselves,
    those of ``last`` the last.

    Longest path, then compaction: whatever makes all edges together shorter is moved down, alone or with all that
    hangs on it tightly (after E. R. Gansner, E. Koutsofios, S. C. North, K.-P. Vo: A technique for drawing directed
    graphs, IEEE Trans. Software Eng. 19(3), 1993, section 2, without the simplex).

    >>> ranked(4, [(0, 1), (1, 2), (0, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    below: list[list[int]] = [[] for _ in range(count)]
    above: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        below[source].append(target)
        above[target].append(source)
    order = _order(below, above)
    ranks = [0] * count
    base = 1 if first else 0
    for node in order:
        if node not in first:
            ranks[node] = max((ranks[other] + 1 for other in above[node]), default=base)
    bottom = max(ranks, default=0)
    if last:
        inner = max((rank for node, rank in enumerate(ranks) if node not in last), default=-1)
        bottom = inner + 1
        for node in last:
            ranks[node] = bottom
    fixed = first | last
    _compact(order, below, above, ranks, fixed)
    return ranks


def _order(below: Sequence[Sequence[int]], above: Sequence[Sequence[int]]) -> list[int]:
    waiting = [len(found) for found in above]
    ready = [node for node, left in enumerate(waiting) if not left]
    for node in ready:
        for other in below[node]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return ready


def _compact(
    order: Sequence[int],
    below: Sequence[Sequence[int]],
    above: Sequence[Sequence[int]],
    ranks: list[int],
    fixed: frozenset[int],
) -> None:
    """From below to above, each node with those above that would else be torn from it, while that pays."""
    for _ in range(4):
        moved = False
        for node in reversed(order):
            if node in fixed or not below[node]:
                continue
            room = min(ranks[other] for other in below[node]) - ranks[node] - 1
            if room <= 0:
                continue
            # What is tight above would be made longer; each such edge costs what one below gains.
            if len(below[node]) > len(above[node]):
                ranks[node] += room
                moved = True
                continue
            together = _hanging(node, above, below, ranks, fixed)
            if together is None:
                continue
            under = [(one, other) for one in together for other in below[one] if other not in together]
            cost = sum(1 for one in together for other in above[one] if other not in together)
            if len(under) > cost:
                room = min(ranks[other] - ranks[one] - 1 for one, other in under)
                if room > 0:
                    for one in together:
                        ranks[one] += room
                    moved = True
        if not moved:
            return


_MOST_TOGETHER = 40


def _hanging(
    node: int,
    above: Sequence[Sequence[int]],
    below: Sequence[Sequence[int]],
    ranks: Sequence[int],
    fixed: frozenset[int],
) -> set[int] | None:
    """The node and what is tightly above it; None where that is bound."""
    found = {node}
    walk = [node]
    while walk:
        one = walk.pop()
        for other in above[one]:
            if other in found:
                continue
            if ranks[other] == ranks[one] - 1:
                if other in fixed or len(found) >= _MOST_TOGETHER:
                    return None
                found.add(other)
                walk.append(other)
    # None of them may have something right below that stays.
    if any(ranks[other] == ranks[one] + 1 for one in found for other in below[one] if other not in found):
        return None
    return found
