"""A graph of steps as what a machine knows: one after the other, or beside each other until all have ended.

Both are exact where the graph is made of them (a series-parallel graph). Where it is not, as with ``a -> c``,
``a -> d``, ``b -> d``, the first steps are taken together and the others wait for all of them: no dependency is lost,
and it is told who waits for what it does not need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Together:
    parts: tuple[Tree, ...]


Tree: TypeAlias = "str | Series | Together"
Waits: TypeAlias = "list[tuple[str, tuple[str, ...]]]"


def arranged(names: Sequence[str], before: Mapping[str, frozenset[str]], waits: Waits) -> Tree:
    """``names`` are in an order that fits; ``before`` has what each waits for, of those names alone. ``waits`` is told
    who waits for what else.

    >>> waits = []
    >>> arranged("abd", {"a": frozenset(), "b": frozenset("a"), "d": frozenset("b")}, waits)
    Series(parts=('a', 'b', 'd'))
    >>> arranged("abcd", {"a": frozenset(), "b": frozenset("a"), "c": frozenset("a"), "d": frozenset("bc")}, waits)
    Series(parts=('a', Together(parts=('b', 'c')), 'd'))
    >>> waits
    []
    >>> arranged("abcd", {"a": frozenset(), "b": frozenset(), "c": frozenset("a"), "d": frozenset("ab")}, waits)
    Series(parts=(Together(parts=('a', 'b')), Together(parts=('c', 'd'))))
    >>> waits
    [('c', ('b',))]
    """
    if len(names) == 1:
        return names[0]
    within = {name: before[name] & frozenset(names) for name in names}
    groups = _groups(names, within)
    if len(groups) > 1:
        return Together(tuple(arranged(group, before, waits) for group in groups))
    all_before = _all_before(names, within)
    first = _first(names, all_before)
    if first is None:
        first = [name for name in names if not within[name]]
        for name in names:
            needless = tuple(item for item in first if item not in all_before[name])
            if name not in first and needless:
                waits.append((name, needless))
    rest = [name for name in names if name not in first]
    parts: list[Tree] = []
    for part in (arranged(first, before, waits), arranged(rest, before, waits)):
        parts += part.parts if isinstance(part, Series) else (part,)
    return Series(tuple(parts))


def _groups(names: Sequence[str], before: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Those that hang together in some way, in the order of their first."""
    group = {name: name for name in names}

    def top(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for name in names:
        for other in before[name]:
            group[top(other)] = top(name)
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(top(name), []).append(name)
    return list(found.values())


def _all_before(names: Sequence[str], before: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in names:
        found[name] = before[name].union(*(found[other] for other in before[name]))
    return found


def _first(names: Sequence[str], all_before: Mapping[str, frozenset[str]]) -> list[str] | None:
    """The fewest that all others wait for; None where there are none such."""
    by_depth = sorted(names, key=lambda name: len(all_before[name]))
    for size in range(1, len(names)):
        first = frozenset(by_depth[:size])
        if all(first <= all_before[name] for name in by_depth[size:]):
            return [name for name in names if name in first]
    return None
