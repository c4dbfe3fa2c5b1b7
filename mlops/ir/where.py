"""Where something was written."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a user's file. ``file`` is absolute, or ``-`` for standard input; lines and columns start at 1."""

    file: str | None = None
    line: int | None = None
    column: int | None = None


NOWHERE = Where()
