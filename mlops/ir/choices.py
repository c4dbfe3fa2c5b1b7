"""What to say of a name that is none of those that there are."""

from __future__ import annotations

from collections.abc import Iterable

_NEAR = 0.6


def near(name: str, known: Iterable[str]) -> str | None:
    """The one that was probably meant; case alone is no difference.

    >>> near("cannary", ["canary", "linear"]), near("LINEAR", ["canary", "linear"]), near("x", ["canary"])
    ('canary', 'linear', None)
    """
    from difflib import get_close_matches  # only a mistake needs it

    by_case = {item.lower(): item for item in known}
    found = get_close_matches(name.lower(), by_case, n=1, cutoff=_NEAR)
    return by_case[found[0]] if found else None


def instead(name: str, known: Iterable[str], have: str = "there are:") -> str:
    """The end of a sentence that refuses ``name``.

    >>> "there is no strategy 'cannary'" + instead("cannary", ["canary", "linear"])
    "there is no strategy 'cannary'; there are: canary, linear; did you mean 'canary'?"
    >>> "step Prepare has no output 'x'" + instead("x", ["train", "test"], "it has")
    "step Prepare has no output 'x'; it has train, test"
    """
    listed = list(known)
    guess = near(name, listed)
    return f"; {have} {', '.join(listed) or 'none'}" + (f"; did you mean {guess!r}?" if guess is not None else "")
