"""Times that people write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mlops.ir import UsageError
from mlops.ir.duration import seconds_of

_FIRST, _LAST = 1970, 2199


def moment(text: str | None, option: str) -> datetime | None:
    return None if text is None else known(text, option)


def known(text: str, option: str, hint: str = 'write "7d" for so long ago, or 2026-11-29T09:00:00Z') -> datetime:
    """A moment in ISO-8601, in UTC also where it names no zone, or a duration: so long ago. Raises UsageError."""
    try:
        return datetime.now(UTC) - timedelta(seconds=seconds_of(text))
    except ValueError:
        pass
    try:
        told = datetime.fromisoformat(text)
        found = told.astimezone(UTC) if told.tzinfo is not None else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is no time", hint=hint) from None
    if not _FIRST <= found.year <= _LAST:
        raise UsageError(f"{option} {text!r}: the year is none from {_FIRST} to {_LAST}")
    return found
