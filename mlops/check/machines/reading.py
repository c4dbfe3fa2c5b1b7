"""A machine's text as values with their places, also where it has comments, which JSON does not know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops.check import located
from mlops.check.located import Unreadable
from mlops.ir.dataclass import dataclass
from mlops.ir.lines import scan

LARGEST = 1024 * 1024
"""Of a definition (guide: Step Functions service quotas)."""
DEEPEST = 200
_COMMENT = re.compile(r"^[ \t]*(#|//).*$", re.MULTILINE)
_LAST_COMMA = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True, slots=True)
class Document:
    """``marks`` are line and column by pointer, of a member those of its key. ``comments`` are the lines that are
    none of JSON, which was read without them."""

    value: Mapping[str, Any]
    marks: Mapping[str, tuple[int, int]]
    comments: tuple[int, ...] = ()

    def at(self, place: str) -> tuple[int, int]:
        return located.place(self.marks, place)


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
    text = located.text_of(content, LARGEST, "Step Functions")
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
    located.need_sound(value, text, DEEPEST)
    return Document(value, {found.pointer: (found.line, found.column) for found in scan(text)}, comments)


def _without_comments(text: str) -> tuple[str, tuple[int, ...]]:
    """The same text with blanks in their place, and before a bracket no comma; and their lines."""
    found, line, behind = list[int](), 1, 0
    for match in _COMMENT.finditer(text):
        line += text.count("\n", behind, match.start())
        behind = match.start()
        found.append(line)
    bare = _COMMENT.sub(lambda match: " " * len(match.group()), text)
    return _LAST_COMMA.sub(r" \1", bare), tuple(found)
