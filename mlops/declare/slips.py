"""A slip of the pen in a name: certain where exactly one known name is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from mlops.ir import Edit

_NEAR = 0.7


def slip(name: str, known: Iterable[str]) -> Edit | None:
    """
    >>> slip("modle", ["model", "code"])
    Edit(old='modle', new='model')
    >>> slip("x", ["x1", "x2"]) is None
    True
    """
    near = difflib.get_close_matches(name, dict.fromkeys(known), n=2, cutoff=_NEAR)
    return Edit(name, near[0]) if len(near) == 1 else None
