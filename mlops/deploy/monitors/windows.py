"""Which hours, minutes or days a monitor looks at: windows of one length, one behind the other, since 1970."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of

SETTLING = 60.0
"""Seconds after its end before a window is looked at by itself: what is captured is written some seconds later here,
minutes later in SageMaker."""


@dataclass(frozen=True, slots=True)
class Window:
    """From ``since`` on, and before ``until``."""

    since: datetime
    until: datetime

    @property
    def key(self) -> str:
        """As a folder is called.

        >>> Window(datetime(2026, 11, 29, 9, tzinfo=UTC), datetime(2026, 11, 29, 10, tzinfo=UTC)).key
        '20261129T090000Z-20261129T100000Z'
        """
        return f"{self.since:%Y%m%dT%H%M%SZ}-{self.until:%Y%m%dT%H%M%SZ}"

    def hours(self) -> Iterator[datetime]:
        hour = self.since.replace(minute=0, second=0, microsecond=0)
        while hour < self.until:
            yield hour
            hour += timedelta(hours=1)


def last(length: str, now: datetime) -> Window:
    """The last one that has ended, however lately.

    >>> last("1h", datetime(2026, 11, 29, 10, 30, tzinfo=UTC)).key
    '20261129T090000Z-20261129T100000Z'
    """
    size = seconds_of(length)
    end = now.timestamp() // size * size
    return Window(datetime.fromtimestamp(end - size, UTC), datetime.fromtimestamp(end, UTC))


def due(length: str, done_until: datetime, now: datetime) -> Iterator[Window]:
    """Those that have ended and settled behind what is done, oldest first.

    >>> done = datetime(2026, 11, 29, 8, tzinfo=UTC)
    >>> [window.key[:15] for window in due("1h", done, datetime(2026, 11, 29, 10, 0, 30, tzinfo=UTC))]
    ['20261129T080000']
    """
    size = seconds_of(length)
    begins = done_until.timestamp() // size * size
    while begins + size + SETTLING <= now.timestamp():
        yield Window(datetime.fromtimestamp(begins, UTC), datetime.fromtimestamp(begins + size, UTC))
        begins += size


def given(since: datetime | None, until: datetime | None, length: str, now: datetime) -> Window:
    """As somebody asked, the last one where nothing is. Raises UsageError."""
    if since is None and until is None:
        return last(length, now)
    end = until or min(now, since + timedelta(seconds=seconds_of(length)) if since is not None else now)
    begin = since or end - timedelta(seconds=seconds_of(length))
    if begin >= end:
        raise UsageError(f"--since {begin:%Y-%m-%dT%H:%M:%SZ} is not before --until {end:%Y-%m-%dT%H:%M:%SZ}")
    return Window(begin.replace(microsecond=0), end.replace(microsecond=0))
