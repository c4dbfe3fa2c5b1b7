"""The known name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.ir import Edit
from mlops.ir.choices import MANY, one_edit

_MAX_LENGTH = 128


class Guess(str):
    """A finding's help that knows its own mend, so that no rule has to say it twice."""

    edit: Edit

    @classmethod
    def of(cls, name: str, guess: str) -> Guess:
        made = cls(f"did you mean {guess!r}?")
        made.edit = Edit(name, guess)
        return made


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The closest of ``known``, or None where nothing is close; case alone never counts as a difference.

    >>> nearest("ResourceConfg", ["ResourceConfig", "RoleArn"])
    'ResourceConfig'
    >>> nearest("Colour", ["ResourceConfig", "RoleArn"]) is None
    True
    >>> nearest("Sten10", [f"Step{number}" for number in range(999)])
    'Step10'
    """
    return next(iter(_near(name, known)), None)


def _near(name: str, known: Iterable[str]) -> list[str]:
    """The closest of ``known`` first; a second one only says that the first is not certain."""
    from difflib import get_close_matches  # only a fault needs it

    if len(name) > _MAX_LENGTH:
        return []
    candidates: dict[str, str] = {}
    for item in known:
        candidates.setdefault(item.lower(), item)
    lowered = name.lower()
    if lowered in candidates:
        return [candidates[lowered]]
    if len(candidates) > MANY:
        return [candidates[near] for near in dict.fromkeys(one_edit(lowered)) if near in candidates][:2]
    return [candidates[near] for near in get_close_matches(lowered, candidates, n=2, cutoff=0.7)]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence for a finding's help; a :class:`Guess` where exactly one known name is near."""
    listed = list(known)
    near = _near(name, listed)
    if near:
        return Guess.of(name, near[0]) if len(near) == 1 else f"did you mean {near[0]!r}?"
    if 0 < len(listed) <= 12:
        return f"known here: {', '.join(sorted(listed))}"
    return None
