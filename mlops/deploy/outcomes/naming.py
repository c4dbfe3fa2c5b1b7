"""What an outcome may be called."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def need_name(name: str) -> None:
    """Raises ValueError."""
    if not is_name(name):
        raise ValueError(f"{name[:80]!r} is no name of an outcome: letters, digits, `_`, `.` and `-`, at most 63")
