"""A slip of the pen in a name: certain where exactly one known name is near."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.ir import Edit

_NEAR = 0.7


def near(name: str, known: Iterable[str]) -> list[str]:
    """The closest first; a second one only says that the first is not certain. Case alone is no difference.

    >>> near("file", ["File", "FastFile", "Pipe"])
    ['File']
    """
    listed = list(dict.fromkeys(known))
    same = [item for item in listed if item.lower() == name.lower()]
    if same:
        return same
    from difflib import get_close_matches  # only a fault needs it

    return get_close_matches(name, listed, n=2, cutoff=_NEAR)


def slip(name: str, known: Iterable[str]) -> Edit | None:
    """
    >>> slip("modle", ["model", "code"])
    Edit(old='modle', new='model')
    >>> slip("x", ["x1", "x2"]) is None
    True
    """
    found = near(name, known)
    return Edit(name, found[0]) if len(found) == 1 else None
