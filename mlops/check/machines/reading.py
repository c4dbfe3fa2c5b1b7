"""A machine's text as values with their places, also where it has comments, which JSON does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.lines import scan

LARGEST = 1024 * 1024
"""Of a definition (guide: Step Functions service quotas)."""
DEEPEST = 200
_COMMENT = re.compile(r"^[ \t]*(#|//).*$", re.MULTILINE)
_LAST_COMMA = re.compile(r",(\s*[}\]])")


class Unreadable(Exception):
    """Its text is a clause; where it is, a line and a column."""

    def __init__(self, said: str, line: int = 1, column: int = 1) -> None:
        super().__init__(said)
        self.line, self.column = line, column


@dataclass(frozen=True, slots=True)
class Document:
    """``marks`` are line and column by pointer, of a member those of its key. ``comments`` are the lines that are
    none of JSON, which was read without them."""

    value: Mapping[str, Any]
    marks: Mapping[str, tuple[int, int]]
    comments: tuple[int, ...] = ()

    def at(self, place: str) -> tuple[int, int]:
        while place and place not in self.marks:
            place = place.rpartition("/")[0]
        return self.marks.get(place, (1, 1))


def is_machine(content: bytes) -> bool:
    """By its text; of what can be read by its members."""
    if b'"StartAt"' not in content or b'"States"' not in content:
        return False
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return True
    return isinstance(value, dict) and ("StartAt" in value or "States" in value)


def read(content: bytes) -> Document:
    """Raises Unreadable."""
    if len(content) > LARGEST:
        raise Unreadable(f"it has {len(content):,} bytes, and Step Functions takes {LARGEST:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8") from None
    comments: tuple[int, ...] = ()
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        text, comments = _without_comments(text)
        if not comments:
            raise Unreadable(f"it is no JSON: {error.msg}", error.lineno, error.colno) from None
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise Unreadable(f"it is no JSON: {error.msg}", error.lineno, error.colno) from None
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON that can be read") from None
    if not isinstance(value, dict):
        raise Unreadable("it is no object")
    if _is_too_deep(value):
        raise Unreadable("it is nested too deep")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Unreadable("it has half of a letter, as \\ud800 alone") from None
    return Document(value, {found.pointer: (found.line, found.column) for found in scan(text)}, comments)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inside
            for item in level
            for inside in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
        ]
    return bool(level)


def _without_comments(text: str) -> tuple[str, tuple[int, ...]]:
    """The same text with blanks in their place, and before a bracket no comma; and their lines."""
    found, line, behind = list[int](), 1, 0
    for match in _COMMENT.finditer(text):
        line += text.count("\n", behind, match.start())
        behind = match.start()
        found.append(line)
    bare = _COMMENT.sub(lambda match: " " * len(match.group()), text)
    return _LAST_COMMA.sub(r" \1", bare), tuple(found)
