"""Which line of the author's file is being executed."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops.ir import Where

_OURS = str(Path(__file__).resolve().parent.parent)


def author_line() -> Where:
    """The innermost frame on the stack that is neither in this package nor in pydantic or contextlib."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_machinery(file):
            return Where(file=file, line=frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return Where()


_TYPED = ("<stdin>", "<ipython-input-", "<python-input-")
"""What somebody typed at a prompt: Python's own, IPython's in a terminal, and Python's since 3.13."""


def is_machinery(file: str) -> bool:
    """
    >>> is_machinery("<frozen importlib._bootstrap>"), is_machinery("<ipython-input-3-0a1b>"), is_machinery("/a/b.py")
    (True, False, False)
    """
    return (
        (file.startswith((_OURS, "<")) and not file.startswith(_TYPED))
        or "/pydantic/" in file.replace("\\", "/")
        or file.endswith("contextlib.py")
    )


def is_authors(file: str) -> bool:
    """Neither that nor an installed package."""
    plain = file.replace("\\", "/")
    return not is_machinery(file) and "/site-packages/" not in plain and "/dist-packages/" not in plain
