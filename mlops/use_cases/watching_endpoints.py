"""Look at an endpoint again and again, until what is under way there has ended."""

from __future__ import annotations

from collections.abc import Callable

from mlops.deploy.endpoints.watching import Look, ShiftLook, look
from mlops.deploy.shifting.settings import read as read_settings
from mlops.deploy.waiting import Clock
from mlops.use_cases.connecting import Where, connect_here


def look_once(environment: Where, name: str, *, period: float = 60.0) -> Look:
    """As it is now, with numbers of the last ``period`` of seconds that metrics tell of."""
    connected = connect_here(environment)
    lag = read_settings(connected.environment, connected.root).lag
    return look(connected.account, connected.environment, name, now=Clock().wall(), period=period, lag=lag)


def watch(
    environment: str, name: str, seen: Callable[[Look], None], *, every: float = 5.0, at_most: float | None = None
) -> ShiftLook | None:
    """Looks ``every`` so many seconds, until the shift that was under way has ended, or for ``at_most`` seconds. What
    became of that shift, None where none has ended."""
    connected = connect_here(environment)
    lag, clock = read_settings(connected.environment, connected.root).lag, Clock()

    def now() -> Look:
        return look(connected.account, connected.environment, name, now=clock.wall(), period=every, lag=lag)

    return follow(now, seen, every=every, at_most=at_most, clock=clock)


def follow(
    look_now: Callable[[], Look],
    seen: Callable[[Look], None],
    *,
    every: float,
    at_most: float | None,
    clock: Clock,
) -> ShiftLook | None:
    """A shift that had ended before is none that is watched."""
    began, watched = clock.now(), None
    while True:
        found = look_now()
        seen(found)
        shift = found.shift
        if shift is not None:
            if not shift.is_over:
                watched = shift.id
            elif shift.id == watched:
                return shift
        if at_most is not None and clock.now() + every > began + at_most:
            return None
        clock.sleep(every)
