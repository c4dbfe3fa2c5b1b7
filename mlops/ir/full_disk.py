"""A disk that is full is told as that, whoever meets it: not as a broken file, and not as a mistake of ours."""

from __future__ import annotations

import errno
from pathlib import Path

HINT = "make room on it; `mlops local prune` lists what old executions hold there"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: BaseException) -> bool:
    """
    >>> is_full(OSError(errno.ENOSPC, "No space left on device")), is_full(OSError(errno.EACCES, "Permission denied"))
    (True, False)
    """
    return isinstance(error, OSError) and error.errno in _FULL


def told(place: Path) -> str:
    """``place`` is what could not be written."""
    return f"the disk of {place} is full"
