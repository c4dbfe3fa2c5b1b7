"""The known name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_LENGTH = 128


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The closest of ``known``, or None where nothing is close; case alone never counts as a difference.

    >>> nearest("ResourceConfg", ["ResourceConfig", "RoleArn"])
    'ResourceConfig'
    >>> nearest("Colour", ["ResourceConfig", "RoleArn"]) is None
    True
    """
    from difflib import get_close_matches  # only a fault needs it

    if len(name) > _MAX_LENGTH:
        return None
    candidates: dict[str, str] = {}
    for item in known:
        candidates.setdefault(item.lower(), item)
    found = get_close_matches(name.lower(), candidates, n=1, cutoff=0.7)
    return candidates[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence for a finding's help."""
    listed = list(known)
    guess = nearest(name, listed)
    if guess is not None:
        return f"did you mean {guess!r}?"
    if 0 < len(listed) <= 12:
        return f"known here: {', '.join(sorted(listed))}"
    return None
