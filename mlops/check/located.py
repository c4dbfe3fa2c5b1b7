"""A file that is judged by what stands in it: its text as values, each with its line and column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class Unreadable(Exception):
    """Its text is a clause; where it is, a line and a column."""

    def __init__(self, said: str, line: int = 1, column: int = 1) -> None:
        super().__init__(said)
        self.line, self.column = line, column


def text_of(content: bytes, most: int, taker: str) -> str:
    """Raises Unreadable for what is more than ``most`` bytes, which is what the ``taker`` takes, or no UTF-8."""
    if len(content) > most:
        raise Unreadable(f"it has {len(content):,} bytes, and {taker} takes {most:,}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8") from None


def need_sound(value: Any, text: str, deepest: int) -> None:
    """Raises Unreadable for JSON with something inside more than ``deepest`` others, or with half of a letter."""
    level = [value]
    for _ in range(deepest):
        level = [
            inside
            for item in level
            for inside in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
        ]
    if level:
        raise Unreadable("it is nested too deep")
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Unreadable("it has half of a letter, as \\ud800 alone") from None


def place(marks: Mapping[str, tuple[int, int]], pointer: str) -> tuple[int, int]:
    """Line and column of what the pointer names, or of what that is inside of."""
    while pointer and pointer not in marks:
        pointer = pointer.rpartition("/")[0]
    return marks.get(pointer, (1, 1))
