"""The line of every key and table header of a TOML text, which tomllib does not tell.

The text is one that tomllib has read: only as much of the grammar is known here as it takes to see where a key ends and
a value begins, and to step over strings and comments.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import IntEnum
from typing import TypeAlias

Path: TypeAlias = tuple[str, ...]


class Said(IntEnum):
    """How a path is there: by a key or a header of its own, or because one that is longer begins with it."""

    BY_KEY = 0
    BY_HEADER = 1
    IMPLIED = 2


_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' + r"|'''.*?'{3,5}(?!')" + r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""", re.DOTALL
)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def lines(text: str) -> Iterator[tuple[Path, Said, int]]:
    """Every path with its line, in the order of the text. Items of an array have no number of their own: what stands
    in one has the path of the array before its own."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._counted_at, self._line = 0, 1

    @property
    def line(self) -> int:
        self._line += self.text.count("\n", self._counted_at, self.at)
        self._counted_at = self.at
        return self._line

    def document(self) -> Iterator[tuple[Path, Said, int]]:
        header: Path = ()
        self._over(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                many = self.text.startswith("[[", self.at)
                self.at += 2 if many else 1
                line = self.line
                header = self._key()
                self.at += 2 if many else 1
                yield from ((header[:end], Said.IMPLIED, line) for end in range(1, len(header)))
                yield header, Said.BY_HEADER, line
            else:
                yield from self._pair(header)
            self._over(_BLANK)

    def _pair(self, table: Path) -> Iterator[tuple[Path, Said, int]]:
        line = self.line
        path = (*table, *self._key())
        self.at += 1  # the sign between key and value
        yield from ((path[:end], Said.IMPLIED, line) for end in range(len(table) + 1, len(path)))
        yield path, Said.BY_KEY, line
        yield from self._value(path)

    def _value(self, path: Path) -> Iterator[tuple[Path, Said, int]]:
        self._over(_BLANK)
        match self.text[self.at : self.at + 1]:
            case "{":
                yield from self._inside("}", path)
            case "[":
                yield from self._inside("]", path)
            case '"' | "'":
                self._over(_STRING)
            case _:
                self._over(_SCALAR)

    def _inside(self, end: str, path: Path) -> Iterator[tuple[Path, Said, int]]:
        """An inline table or an array."""
        self.at += 1
        while True:
            self._over(_BLANK)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif self.text.startswith(end, self.at) or self.at >= len(self.text):
                self.at += 1
                return
            else:
                yield from self._pair(path) if end == "}" else self._value(path)

    def _key(self) -> Path:
        parts: list[str] = []
        while (found := _KEY.match(self.text, self.at)) is not None:
            self.at = found.end()
            parts.append(_plain(found[1]))
            if not self.text.startswith(".", self.at):
                break
            self.at += 1
        return tuple(parts)

    def _over(self, what: re.Pattern[str]) -> None:
        found = what.match(self.text, self.at)
        # A text that is no TOML ends the reading and not the program.
        self.at = len(self.text) if found is None or (what is not _BLANK and not found[0]) else found.end()


def _plain(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        return key
    try:
        return str(next(iter(tomllib.loads(f"{key} = 0"))))
    except tomllib.TOMLDecodeError:  # of a text that tomllib does not take there are keys that are none
        return key
