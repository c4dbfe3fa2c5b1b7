"""Waiting for an account: every wait has a deadline, and time is handed in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from mlops.ir.dataclass import dataclass

_T = TypeVar("_T")
FIRST_SECONDS = 0.1
LONGEST_SECONDS = 10.0
_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Clock:
    """``now`` never goes back; ``wall`` are seconds since 1970, for what another process is to understand."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time


def until(
    look: Callable[[], _T],
    ended: Callable[[_T], bool],
    clock: Clock,
    deadline: float,
    *,
    first: float = FIRST_SECONDS,
    longest: float = LONGEST_SECONDS,
) -> tuple[_T, bool]:
    """What was last seen, and whether it ``ended``. Looks at least once, ever more seldom, and once more when the time
    is over, which is ``deadline`` by the clock.

    >>> seen = iter(["Creating", "Creating", "InService"])
    >>> until(lambda: next(seen), lambda state: state == "InService", Clock(sleep=lambda seconds: None), 1e12)
    ('InService', True)
    """
    pause = first
    while True:
        found = look()
        if ended(found):
            return found, True
        left = deadline - clock.now()
        if left <= 0:
            return found, False
        clock.sleep(min(pause, left))
        pause = min(pause * _GROWTH, longest)
