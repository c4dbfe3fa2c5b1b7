"""The part of JsonPath that ``Std:JsonGet`` is used with: members, indexes and quoted keys; ``$.`` may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_SEGMENT = re.compile(
    r"""\.?(?P<bare>[^.\[\]'"*?@()\s][^.\[\]]*)"""
    r"""|\[(?P<index>-?\d{1,9})\]"""
    r"""|\['(?P<one>[^']*)'\]"""
    r"""|\["(?P<two>[^"]*)"\]"""
)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class PathMissing(Exception):
    """The text says what stands where the path ends, or what cannot be read about the path."""


def parse(path: str) -> tuple[str | int, ...]:
    """Raises :class:`PathMissing` on wildcards, filters, slices and the like.

    >>> parse("$.metrics[0]['f 1'].value")
    ('metrics', 0, 'f 1', 'value')
    """
    text = path.strip()
    position = 1 if text.startswith("$") else 0
    segments: list[str | int] = []
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise PathMissing(f"{path!r} is not a path of members, indexes and quoted keys")
        if match["index"] is not None:
            segments.append(int(match["index"]))
        else:
            segments.append(next(group for group in (match["bare"], match["one"], match["two"]) if group is not None))
        position = match.end()
    return tuple(segments)


def written(segments: Iterable[str | int]) -> str:
    """The path without the leading ``$.``, as SageMaker's guide writes it.

    >>> written(["metrics", 0, "f 1", "value"])
    "metrics[0]['f 1'].value"
    """
    path = ""
    for segment in segments:
        path = extended(path, segment)
    return path


def extended(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN_KEY.match(key):
        return f"{path}.{key}" if path else key
    return f"{path}['{key}']"


def walk(document: Any, path: str) -> Any:
    """Raises :class:`PathMissing`."""
    here = document
    for segment in parse(path):
        match here, segment:
            case dict(), str() if segment in here:
                here = here[segment]
            case list(), int() if -len(here) <= segment < len(here):
                here = here[segment]
            case _:
                raise PathMissing(f"no path {path}; {holds(here)}")
    return here


def holds(value: Any) -> str:
    """
    >>> holds({"b": 1, "a": 2})
    'it holds: a, b'
    """
    match value:
        case dict():
            names = sorted(str(key) for key in value)
            listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
            return f"it holds: {listed}" if names else "it is empty"
        case list():
            return f"it is a list of {len(value)}"
    return f"it is {value!r:.100}"
