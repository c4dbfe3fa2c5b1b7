"""Many definitions in one call: the later ones are checked by processes that begin where this one stands.

A forked child has the rules and the service model in memory already, which are most of what a check costs.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

AT_LEAST = 24
"""Fewer are done before a pool has started."""


def mapped(function: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """``function`` of each, in order. Results travel between processes where there are many and it is safe: on Linux,
    with no other thread that a fork would cut off."""
    processes = min(len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1, 8)
    if len(items) < AT_LEAST or processes < 2 or threading.active_count() > 1:
        return [function(item) for item in items]
    import multiprocessing

    first = function(items[0])  # fills the caches that the children take over
    with multiprocessing.get_context("fork").Pool(processes, initializer=_deaf) as pool:
        return [first, *pool.map(function, items[1:], chunksize=4)]


def _deaf() -> None:
    """Ctrl-C is for the parent, which ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
