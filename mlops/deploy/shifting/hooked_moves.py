"""A user's hooks among the moves of a shift."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mlops.ir.shift import CallHooks, Move, Weigh


def with_hooks(moves: Sequence[Move], moments: Collection[str]) -> tuple[Move, ...]:
    """``moments`` are those that somebody wants to be called at. A stage's hooks are called when its traffic has come,
    before it is looked at."""
    return tuple(_with_hooks(moves, moments))


def _with_hooks(moves: Sequence[Move], moments: Collection[str]) -> Iterator[Move]:
    if "before" in moments:
        yield CallHooks("before")
    stage = 0
    for move in moves:
        if isinstance(move, Weigh):
            stage += 1
            if move.share >= 100 and "before-last" in moments:
                yield CallHooks("before-last", stage, move.share)
        yield move
        if isinstance(move, Weigh) and "stage" in moments:
            yield CallHooks("stage", stage, move.share)
    if "after" in moments:
        yield CallHooks("after")
