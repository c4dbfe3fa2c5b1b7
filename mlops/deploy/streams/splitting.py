"""Documents that are larger than a record may be, in several records, and whole again where they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PART = "mlops_part"
"""The member by which a record is known as one of several: ``of`` whom, ``number`` from 1, ``count``, ``text``."""
_LETTERS = 250_000
"""Of a part: none takes more than four bytes, escaped within JSON either, and a record has 1,024,000."""


class LackingParts(ValueError):
    """``of`` are documents of which not all parts have come; all others were given."""

    def __init__(self, of: tuple[str, ...]) -> None:
        super().__init__(f"parts are lacking of {', '.join(of)}")
        self.of = of


def parts(identity: object, text: str) -> Iterator[dict[str, Any]]:
    """The documents that stand for one whose JSON is ``text``, each with an id of its own.

    >>> [part["id"] for part in parts("a", "x" * 300_000)]
    ['a/1-2', 'a/2-2']
    """
    pieces = [text[at : at + _LETTERS] for at in range(0, len(text), _LETTERS)]
    for number, piece in enumerate(pieces, 1):
        told = {"of": identity, "number": number, "count": len(pieces), "text": piece}
        yield {"id": f"{identity}/{number}-{len(pieces)}", PART: told}


def joined(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Documents as they were put: parts may come in any order, and more than once. Those that are incomplete at the end
    are told by :class:`LackingParts`; they are held meanwhile."""
    held: dict[str, dict[int, str]] = {}
    whole: set[str] = set()
    for document in documents:
        match document.get(PART):
            case {"of": of, "number": int(number), "count": int(count), "text": str(text)}:
                if str(of) in whole:
                    continue
                found = held.setdefault(str(of), {})
                found[number] = text
                if len(found) == count:
                    whole.add(str(of))
                    del held[str(of)]
                    yield json.loads("".join(found[number] for number in sorted(found)))
            case _:
                yield document
    if held:
        raise LackingParts(tuple(sorted(held)))
