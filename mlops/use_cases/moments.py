"""Times that people write."""

from __future__ import annotations

from datetime import UTC, datetime

from mlops.ir import UsageError

_FIRST, _LAST = 1970, 2199


def moment(text: str | None, option: str) -> datetime | None:
    return None if text is None else known(text, option)


def known(text: str, option: str, hint: str = "write it as 2026-11-29T09:00:00Z") -> datetime:
    """In UTC, also where it names no zone. Raises UsageError."""
    try:
        told = datetime.fromisoformat(text)
        found = told.astimezone(UTC) if told.tzinfo is not None else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is no time", hint=hint) from None
    if not _FIRST <= found.year <= _LAST:
        raise UsageError(f"{option} {text!r}: the year is none from {_FIRST} to {_LAST}")
    return found
