"""Python source as a tree, and its layout: what ``ruff format`` leaves alone at 120 columns.

What fits stays on one line; what does not is broken at its outermost brackets, one item a line, with a comma behind the
last, which every formatter takes as the wish to keep it so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from mlops.ir.dataclass import dataclass

WIDTH = 120
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Text:
    """Source that is never broken: a name, a number, a string."""

    text: str

    def flat(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list, tuple or dictionary; each item has the text that stands before it."""

    opening: str
    items: tuple[tuple[str, Node], ...]
    closing: str

    def flat(self) -> str:
        inside = ", ".join(before + node.flat() for before, node in self.items)
        lone = self.opening == "(" and len(self.items) == 1
        return f"{self.opening}{inside}{',' if lone else ''}{self.closing}"


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands with one operator between them; ``&`` and ``|`` want parentheses around what they join."""

    operator: str
    operands: tuple[Node, ...]

    def flat(self) -> str:
        return f" {self.operator} ".join(operand.flat() for operand in self.operands)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """``before(inside)``, the inside being one operand, or ``before[inside]``."""

    before: str
    inside: Node
    brackets: str = "()"

    def flat(self) -> str:
        return f"{self.before}{self.brackets[0]}{self.inside.flat()}{self.brackets[1]}"


Node: TypeAlias = Text | Items | Operation | Enclosed


def call(function: str, positional: Iterable[Node] = (), keywords: Mapping[str, Node] | None = None) -> Items:
    named = tuple((f"{name}=", node) for name, node in (keywords or {}).items())
    return Items(f"{function}(", (*(("", node) for node in positional), *named), ")")


def dictionary(items: Iterable[tuple[str, Node]]) -> Items:
    return Items("{", tuple((f"{string(key)}: ", node) for key, node in items), "}")


def listing(items: Iterable[Node]) -> Items:
    return Items("[", tuple(("", node) for node in items), "]")


def lines(node: Node, indent: int, before: str = "", after: str = "") -> list[str]:
    """The source lines of ``before node after``, each with its indentation."""
    margin = " " * indent
    one = f"{margin}{before}{node.flat()}{after}"
    if width(one) <= WIDTH:
        return [one]
    deeper = indent + _INDENT
    match node:
        case Items(opening, items, closing) if items:
            broken = [f"{margin}{before}{opening}"]
            for prefix, item in items:
                broken += lines(item, deeper, prefix, ",")
            return [*broken, f"{margin}{closing}{after}"]
        case Operation(operator, operands):
            broken = lines(operands[0], indent, before)
            for operand in operands[1:]:
                broken += lines(operand, indent, f"{operator} ")
            broken[-1] += after
            return broken
        case Enclosed(prefix, inside, brackets):
            return [f"{margin}{before}{prefix}{brackets[0]}", *lines(inside, deeper), f"{margin}{brackets[1]}{after}"]
    return [one]


def assignment(name: str, value: Node, indent: int = 0) -> list[str]:
    """A string that is too long for the line, but not for one of its own, is put in parentheses."""
    written = lines(value, indent, f"{name} = ")
    if isinstance(value, Text) and width(written[0]) > WIDTH:
        own = " " * (indent + _INDENT) + value.text
        if width(own) <= WIDTH:
            return [" " * indent + f"{name} = (", own, " " * indent + ")"]
    return written


def width(line: str) -> int:
    """Columns in a terminal: wide characters take two."""
    if line.isascii():
        return len(line)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in line
    )


def string(text: str) -> str:
    """A literal, in double quotes unless single ones save escapes.

    >>> print(string('a "b"'), string("it's"), string("x\\n"))
    'a "b"' "it's" "x\\n"
    """
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_letter(letter, quote) for letter in text) + quote


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _letter(letter: str, quote: str) -> str:
    if letter == quote:
        return f"\\{letter}"
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def joined(parts: Sequence[str]) -> str:
    return "\n".join(parts) + "\n"
