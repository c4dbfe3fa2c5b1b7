"""The filters of a Transform step's DataProcessing: which part of a record is meant.

The service documents a small JSONPath: ``$``, ``.name``, ``*``, ``['a','b']``, ``[1,-1]``, ``[2:5]``. Its guide calls
the end of a slice inclusive, JSONPath calls it exclusive, and so do we.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

PATH_LIMIT = 63  # botocore: JsonPath
_TOKEN = re.compile(
    r"""\.(?P<name>[^.\[\]*'"\s]+)
    |\.?(?P<every>\*)|\[(?P<every_item>\*)\]
    |\[(?P<start>-?\d+)?:(?P<end>-?\d+)?\]
    |\[(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\]
    |\[(?P<names>\s*'[^']*'(?:\s*,\s*'[^']*')*\s*)\]""",
    re.VERBOSE,
)
Token: TypeAlias = str | int | slice | tuple[int, ...] | tuple[str, ...] | None
"""One name, one index, a slice, several indexes, several names; None stands for ``*``."""


class NoFilter(ValueError):
    """The text is not of the documented form, and the message says what is."""


class NothingThere(LookupError):
    """A record lacks what is meant, and the message says what."""


def parse(text: str) -> tuple[Token, ...]:
    """Raises :class:`NoFilter`.

    >>> parse("$.a['b'][0,-1][1:]")
    ('a', 'b', (0, -1), slice(1, None, None))
    """
    fault = NoFilter(
        f"{text!r}; supported are $, .name, *, ['a','b'], [1,-1] and [2:5], in at most {PATH_LIMIT} characters"
    )
    if not text.startswith("$") or len(text) > PATH_LIMIT:
        raise fault
    tokens: list[Token] = []
    at = 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise fault
        tokens.append(_token(match))
        at = match.end()
    return tuple(tokens)


def _token(match: re.Match[str]) -> Token:
    if match["name"]:
        return match["name"]
    if match["indexes"]:
        indexes = tuple(int(index) for index in match["indexes"].split(","))
        return indexes if len(indexes) > 1 else indexes[0]
    if match["names"]:
        names = tuple(re.findall(r"'([^']*)'", match["names"]))
        return names if len(names) > 1 else names[0]
    if match["every"] or match["every_item"]:
        return None
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
                every = [_items(value)[int(index)] for index in token]
    except NothingThere:
        raise
    except (LookupError, TypeError) as fault:
        raise NothingThere(f"a record has nothing at {_spelled(token)}") from fault
    return [select(item, rest) for item in every]


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _member(value: Any, name: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError
    return value[name]


def _spelled(token: Token) -> str:
    if isinstance(token, slice):
        return f"[{token.start if token.start is not None else ''}:{token.stop if token.stop is not None else ''}]"
    if isinstance(token, tuple):
        return str([*token]).replace(" ", "")
    return "*" if token is None else f"[{token!r}]"
