"""Places of a text as the protocol counts them: lines from 0, and units of UTF-16."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsprotocol import types


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def characters(text: str, count: int) -> int:
    """How many characters of ``text`` make so many units."""
    return len(text.encode("utf-16-le")[: 2 * count].decode("utf-16-le", errors="ignore"))


def of_finding(finding: Mapping[str, Any], lines: Sequence[str]) -> types.Range:
    """From the finding's column to the end of that word, or its whole line."""
    number = (finding["line"] or 1) - 1
    text = lines[number] if number < len(lines) else ""
    if finding["column"] is None:
        start, end = len(text) - len(text.lstrip()), len(text)
    else:
        start = min(finding["column"] - 1, len(text))
        end = _word_end(text, start)
    return types.Range(types.Position(number, units(text[:start])), types.Position(number, units(text[:end])))


def of_change(before: str, after: str) -> types.TextEdit:
    """What makes one of the other, without what both begin and end with."""
    most = min(len(before), len(after))
    start = next((index for index in range(most) if before[index] != after[index]), most)
    same = next((index for index in range(most - start) if before[-1 - index] != after[-1 - index]), most - start)
    replaced = types.Range(_position(before, start), _position(before, len(before) - same))
    return types.TextEdit(replaced, after[start : len(after) - same])


def _position(text: str, index: int) -> types.Position:
    before = text[:index]
    return types.Position(before.count("\n"), units(before[before.rfind("\n") + 1 :]))


def _word_end(text: str, start: int) -> int:
    quote = text[start : start + 1]
    if quote in ("'", '"'):
        closing = text.find(quote, start + 1)
        return len(text) if closing < 0 else closing + 1
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] in "_-."):
        end += 1
    return max(end, min(start + 1, len(text)))
