"""What a page states, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.use_cases.connecting import Connected

Shown: TypeAlias = Mapping[str, Any]
_LONGEST_REASON = 1024


@dataclass(frozen=True, slots=True)
class Query:
    """What stands behind the ``?`` of an address: the state of a view is there and nowhere else."""

    pairs: tuple[tuple[str, str], ...] = ()

    def one(self, name: str, default: str = "") -> str:
        """The last that is given, without blanks around it."""
        return next((value.strip() for key, value in reversed(self.pairs) if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value.strip() for key, value in self.pairs if key == name and value.strip())

    def number(self, name: str, default: int = 0, most: int = 1_000_000) -> int:
        """``default`` for what is none."""
        text = self.one(name)
        return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else default

    def but(self, **changed: str | None) -> str:
        """The same query with other values, None for without, and without what is empty."""
        kept = [(key, value) for key, value in self.pairs if key not in changed and value.strip()]
        kept += [(key, value) for key, value in changed.items() if value]
        return f"?{urlencode(kept)}" if kept else "?"


@dataclass(frozen=True, slots=True)
class Visit:
    """``path`` are the parts of the address that the page names in braces. ``may_change``: this account may be changed
    from here. ``who`` is whom a proxy names, None for whoever started the console.
    ``program`` is how the command line is started."""

    connected: Connected
    path: Mapping[str, str]
    query: Query
    may_change: bool = False
    who: str | None = None
    program: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed: ``connected`` is an account that may be, by ``who``; ``form`` is what was sent."""

    visit: Visit
    connected: Connected
    form: Mapping[str, str]

    @property
    def reason(self) -> str | None:
        """Why, where somebody wrote it. Raises UsageError for more than a record keeps."""
        found = self.form.get("reason", "").strip()
        if len(found) > _LONGEST_REASON:
            raise UsageError(f"a reason has at most {_LONGEST_REASON} letters")
        return found or None


@dataclass(frozen=True, slots=True)
class Done:
    """Where to go on, and what was done, in a sentence for the record."""

    address: str
    told: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that a page sends: all at once, or piece by piece under the ``name`` that it is kept by."""

    media_type: str
    body: bytes | Iterator[bytes]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a search found: of what kind, called what, at which address."""

    kind: str
    name: str
    address: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """``show`` gives what the template tells. ``place`` is where the page stands in the navigation, None for nowhere.

    ``follows`` names events by their ids: the page looks again when one happens; an empty mapping means any, None
    none. ``changes`` are what its forms may do, by the name behind the address; ``files`` what it sends beside itself.
    ``find`` gives what a search for a text should show."""

    path: str
    title: str
    show: Callable[[Visit], Shown]
    place: int | None = None
    follows: Callable[[Visit], Mapping[str, str] | None] = lambda visit: None
    changes: Mapping[str, Callable[[Change], Done]] = field(default_factory=dict)
    files: Mapping[str, Callable[[Visit], Sent]] = field(default_factory=dict)
    find: Callable[[Connected, str], Iterable[Hit]] = lambda connected, text: ()


def part(visit: Visit, shown: int, count: int, most: int) -> Shown:
    """Which of a list of ``count`` are shown, by ``skip`` of the address, and where those beside them are."""
    skip = visit.query.number("skip")
    return {
        "first": skip + 1,
        "last": skip + shown,
        "count": count,
        "earlier": visit.query.but(skip=str(max(skip - most, 0)) if skip > most else None) if skip else None,
        "later": visit.query.but(skip=str(skip + most)) if skip + shown < count else None,
    }


class NotThere(Exception):
    """Nothing stands at this address; the text says what was looked for."""


def address(*parts: str, **query: str) -> str:
    """
    >>> address("executions", "a/b"), address("executions", pipeline="a b")
    ('/executions/a%2Fb', '/executions?pipeline=a+b')
    """
    # Most are ids: a page has hundreds of them.
    told = "/" + "/".join(part if part.isascii() and part.isalnum() else quote(part, safe="") for part in parts)
    return f"{told}?{urlencode(query)}" if query else told
