"""The known name that somebody probably meant."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator

_MAX_LENGTH = 128

_MANY = 600
"""More known names than this are not compared one by one: thousands of faults would take minutes."""

_LETTERS = string.ascii_lowercase + string.digits + "-_"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The closest of ``known``, or None where nothing is close; case alone never counts as a difference.

    >>> nearest("ResourceConfg", ["ResourceConfig", "RoleArn"])
    'ResourceConfig'
    >>> nearest("Colour", ["ResourceConfig", "RoleArn"]) is None
    True
    >>> nearest("Sten10", [f"Step{number}" for number in range(999)])
    'Step10'
    """
    from difflib import get_close_matches  # only a fault needs it

    if len(name) > _MAX_LENGTH:
        return None
    candidates: dict[str, str] = {}
    for item in known:
        candidates.setdefault(item.lower(), item)
    if len(candidates) > _MANY:
        return next((candidates[near] for near in _one_edit(name.lower()) if near in candidates), None)
    found = get_close_matches(name.lower(), candidates, n=1, cutoff=0.7)
    return candidates[found[0]] if found else None


def _one_edit(name: str) -> Iterator[str]:
    """The name itself, then with one letter less, two swapped, one replaced or one more."""
    yield name
    cuts = [(name[:index], name[index:]) for index in range(len(name) + 1)]
    yield from (head + tail[1:] for head, tail in cuts if tail)
    yield from (head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1)
    yield from (head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS)
    yield from (head + letter + tail for head, tail in cuts for letter in _LETTERS)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence for a finding's help."""
    listed = list(known)
    guess = nearest(name, listed)
    if guess is not None:
        return f"did you mean {guess!r}?"
    if 0 < len(listed) <= 12:
        return f"known here: {', '.join(sorted(listed))}"
    return None
