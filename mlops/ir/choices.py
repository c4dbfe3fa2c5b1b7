"""What to say of a name that is none of those that there are."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator

_NEAR = 0.6
MANY = 600
"""More known names than this are neither compared one by one nor listed: thousands of faults would take minutes."""
_LONGEST = 128
_LETTERS = string.ascii_lowercase + string.digits + "-_"


def near(name: str, known: Iterable[str]) -> str | None:
    """The one that was probably meant; case alone is no difference.

    >>> near("cannary", ["canary", "linear"]), near("LINEAR", ["canary", "linear"]), near("x", ["canary"])
    ('canary', 'linear', None)
    """
    from difflib import get_close_matches  # only a mistake needs it

    by_case = {item.lower(): item for item in known}
    if len(by_case) > MANY:
        if len(name) > _LONGEST:
            return None
        return next((by_case[close] for close in one_edit(name.lower()) if close in by_case), None)
    found = get_close_matches(name.lower(), by_case, n=1, cutoff=_NEAR)
    return by_case[found[0]] if found else None


def one_edit(name: str) -> Iterator[str]:
    """The name itself, then with one letter less, two swapped, one replaced or one more."""
    yield name
    cuts = [(name[:index], name[index:]) for index in range(len(name) + 1)]
    yield from (head + tail[1:] for head, tail in cuts if tail)
    yield from (head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1)
    yield from (head + letter + tail[1:] for head, tail in cuts if tail for letter in _LETTERS)
    yield from (head + letter + tail for head, tail in cuts for letter in _LETTERS)


def instead(name: str, known: Iterable[str], have: str = "there are:") -> str:
    """The end of a sentence that refuses ``name``.

    >>> "there is no strategy 'cannary'" + instead("cannary", ["canary", "linear"])
    "there is no strategy 'cannary'; there are: canary, linear; did you mean 'canary'?"
    >>> "step Prepare has no output 'x'" + instead("x", ["train", "test"], "it has")
    "step Prepare has no output 'x'; it has train, test"

    What has no order is told in one that is the same in each process.

    >>> instead("f", frozenset("edcba"))
    '; there are: a, b, c, d, e'
    """
    listed = sorted(known) if isinstance(known, set | frozenset) else list(known)
    guess = near(name, listed)
    there = f"; {have} {', '.join(listed) or 'none'}" if len(listed) <= MANY else ""
    return there + (f"; did you mean {guess!r}?" if guess is not None else "")
