"""The filters of a Transform step's DataProcessing: which part of a record is meant.

The service documents a small JSONPath, which is all that checking and running take: ``$``, ``.name``, ``.*``,
``['a','b']``, ``[1,-1]``, ``[2:5]`` and, with one range at the most, ``[0,5:]``; a dot may stand before a bracket. Its
guide lets ``*`` stand for a name or a number: ``.a[*]`` is every item of ``a``, and nothing is said of it. It calls the
end of a slice inclusive, JSONPath calls it exclusive, and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

PATH_LIMIT = 63  # botocore: JsonPath
FORMS = "$, .name, .*, ['a','b'], [1,-1], [2:5] and [0,5:]"
_TOKEN = re.compile(
    r"""\.(?P<name>[^.\[\]*'"\s()?@,:$]+)
    |\.(?P<every>\*)|\.?\[\s*(?P<every_item>\*)\s*\]
    |\.?\[(?P<items>\s*[-\d:][-\d:,\s]*)\]
    |\.?\[(?P<names>\s*'[^']+'(?:\s*,\s*'[^']+')*\s*)\]""",
    re.VERBOSE,
)
_INDEX = re.compile(r"-?\d+")
_RANGE = re.compile(r"(?P<start>-?\d+)?\s*:\s*(?P<end>-?\d+)?")
Item: TypeAlias = int | slice
Token: TypeAlias = str | int | slice | tuple[Item, ...] | tuple[str, ...] | None
"""One name, one index, a slice, several of the two, several names; None stands for ``*``."""


class NoFilter(ValueError):
    """The text is not of the documented form, and the message says what is."""


class NothingThere(LookupError):
    """A record lacks what is meant, and the message says what."""


def parse(text: str) -> tuple[Token, ...]:
    """Raises :class:`NoFilter`.

    >>> parse("$.a['b'][0,-1][1:]")
    ('a', 'b', (0, -1), slice(1, None, None))
    >>> parse("$[0,5:]")
    ((0, slice(5, None, None)),)
    """
    if not text.startswith("$"):
        raise NoFilter(f"{text!r} is no filter: it is to begin with $; supported are {FORMS}")
    if len(text) > PATH_LIMIT:
        raise NoFilter(f"{text!r} is longer than {PATH_LIMIT} characters; supported are {FORMS}")
    tokens: list[Token] = []
    at = 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NoFilter(f"{text!r} is no filter from {text[at:]!r} on; supported are {FORMS}")
        tokens.append(_token(match, text))
        at = match.end()
    return tuple(tokens)


def by_name(path: Sequence[Token]) -> str | None:
    """The first name in a path: a row of CSV has none, it is a list.

    >>> by_name(parse("$[0]")), by_name(parse("$[0]['a']"))
    (None, 'a')
    """
    for token in path:
        first = token[0] if isinstance(token, tuple) else token
        if isinstance(first, str):
            return first
    return None


def _token(match: re.Match[str], text: str) -> Token:
    if match["name"]:
        return match["name"]
    if match["items"]:
        items = tuple(_item(item.strip(), text) for item in match["items"].split(","))
        if sum(isinstance(item, slice) for item in items) > 1:
            raise NoFilter(f"{text!r} has two ranges in one bracket, one is supported; supported are {FORMS}")
        return items if len(items) > 1 else items[0]
    if match["names"]:
        names = tuple(re.findall(r"'([^']+)'", match["names"]))
        if len(names) == 1:
            return str(names[0])
        if nested := next((name for name in names if "." in name), None):
            raise NoFilter(f"{text!r} goes deeper at {nested!r}, and several names stand for themselves only")
        return names
    return None


def _item(text: str, whole: str) -> Item:
    if _INDEX.fullmatch(text):
        return int(text)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise NoFilter(f"{whole!r} has {text!r} in a bracket; supported are {FORMS}")
    return slice(*(int(end) if end else None for end in (match["start"], match["end"])))


def select(value: Any, path: tuple[Token, ...]) -> Any:
    """The part of ``value`` that ``path`` names; several names give an object, all else that can be many a list.
    Raises :class:`NothingThere`.

    >>> select({"id": 7, "features": [1, 2, 3]}, parse("$.features[1:]"))
    [2, 3]
    """
    if not path:
        return value
    token, rest = path[0], path[1:]
    try:
        match token:
            case str():
                return select(_member(value, token), rest)
            case int():
                return select(_items(value)[token], rest)
            case None:
                every = [*value.values()] if isinstance(value, dict) else _items(value)
            case slice():
                every = _items(value)[token]
            case (str(), *_):
                return {str(name): select(_member(value, name), rest) for name in token}
            case _:
                every = [item for wanted in token for item in _wanted(_items(value), wanted)]
    except NothingThere:
        raise
    except (LookupError, TypeError) as fault:
        raise NothingThere(f"a record has nothing at {_spelled(token)}") from fault
    return [select(item, rest) for item in every]


def _wanted(items: list[Any], wanted: str | Item) -> list[Any]:
    if isinstance(wanted, slice):
        return items[wanted]
    return [items[int(wanted)]]


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _member(value: Any, name: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError
    return value[name]


def _spelled(token: Token) -> str:
    if token is None:
        return "*"
    items = token if isinstance(token, tuple) else (token,)
    return f"[{','.join(_written(item) for item in items)}]"


def _written(item: str | Item) -> str:
    if isinstance(item, slice):
        return f"{item.start if item.start is not None else ''}:{item.stop if item.stop is not None else ''}"
    return repr(item)
