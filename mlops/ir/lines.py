"""Lines and columns of a JSON text: a second scan, made only when a finding needs to say where."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.values import pointer

_TOKEN = re.compile(r'\s+|[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+|"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Located:
    """A member's or item's value: where it starts (1-based), and whether its key stood in the object before."""

    pointer: str
    line: int
    column: int
    repeats: bool = False


def scan(text: str) -> Iterator[Located]:
    """Every value of a JSON text that parses, in order; for members, the place of the key.

    >>> [(found.pointer, found.line, found.column) for found in scan('{"a": [1,\\n 2]}')]
    [('', 1, 1), ('/a', 1, 2), ('/a/0', 1, 8), ('/a/1', 2, 2)]
    """
    stack: list[tuple[str, set[str] | None, int]] = []  # pointer, keys seen (None for a list), items seen
    member: str | None = None
    line, line_start = 1, 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        column = match.start() - line_start + 1
        if token[0] in "}]":
            if stack:
                stack.pop()
        elif token[0] not in ",:" and not token.isspace():
            base, keys, count = stack[-1] if stack else ("", None, 0)
            if keys is not None and member is None:
                key = _text(token)
                member = base + pointer(key)
                yield Located(member, line, column, key in keys)
                keys.add(key)
            else:
                if keys is not None:
                    here, member = member or "", None
                else:
                    here = base + pointer(count) if stack else ""
                    if stack:
                        stack[-1] = (base, None, count + 1)
                    yield Located(here, line, column)
                if token[0] in "{[":
                    stack.append((here, set() if token[0] == "{" else None, 0))
        newlines = token.count("\n")
        if newlines:
            line += newlines
            line_start = match.start() + token.rindex("\n") + 1


def places(text: str, pointers: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """(line, column) of each pointer; one that the text does not have gets the place of its nearest ancestor."""
    wanted = {""}
    for target in pointers:
        while target not in wanted:
            wanted.add(target)
            target = target.rpartition("/")[0]
    begins = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[str, tuple[int, int]] = {}
    for at, position in _positions(text, wanted):
        line = bisect_right(begins, position)
        found[at] = (line, position - begins[line - 1] + 1)
    result: dict[str, tuple[int, int]] = {}
    for target in pointers:
        ancestor = target
        while ancestor and ancestor not in found:
            ancestor = ancestor.rpartition("/")[0]
        result[target] = found.get(ancestor, (1, 1))
    return result


def offsets(text: str, pointers: Collection[str]) -> Mapping[str, int]:
    """Where each pointer that the text has starts, in characters; for a member, its key.

    >>> offsets('{"a": [1, 22]}', ["/a", "/a/1", "/b"])
    {'/a': 1, '/a/1': 10}
    """
    wanted = set(pointers)
    for target in pointers:
        while target:
            target = target.rpartition("/")[0]
            wanted.add(target)
    return {at: position for at, position in _positions(text, wanted) if at in pointers}


_SPACE = re.compile(r"[ \t\n\r]*")
_SKIP = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def _positions(text: str, wanted: Collection[str]) -> Iterator[tuple[str, int]]:
    """Where each wanted pointer's value starts, for a member its key. What nobody wants is left to the C parser."""
    position = _next(text, 0)
    yield "", position
    stack: list[tuple[str, int]] = []  # of each open container: its pointer, and the items seen (-1 for an object)
    entering: str | None = ""
    while entering is not None or stack:
        if entering is not None and text[position] in "{[":
            stack.append((entering, -1 if text[position] == "{" else 0))
            position = _next(text, position + 1)
        elif entering is not None:
            position = _SKIP.raw_decode(text, position)[1]
        if not stack:
            return
        position = _next(text, position)
        entering = None
        if text[position] == ",":
            position = _next(text, position + 1)
        if text[position] in "}]":
            stack.pop()
            position += 1
            continue
        base, count = stack[-1]
        begins = position
        if count < 0:
            member, position = _SKIP.raw_decode(text, position)
            here = base + pointer(member)
            position = _next(text, _next(text, position) + 1)  # past the colon
        else:
            here = f"{base}/{count}"
            stack[-1] = (base, count + 1)
        if here in wanted:
            yield here, begins
            entering = here
        else:
            position = _SKIP.raw_decode(text, position)[1]


def _next(text: str, position: int) -> int:
    """The first index from ``position`` that is no white space."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _text(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token
