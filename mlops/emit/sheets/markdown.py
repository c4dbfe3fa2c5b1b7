"""A page as Markdown, as GitHub reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import assert_never

from mlops.ir.sheet import Block, Facts, Gap, Heading, Paragraph, Picture, Printed, Sheet, Table

_SPECIAL = re.compile(r"[\\`*{}\[\]<>#|~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BEGINS = re.compile(r"^([-+](?=\s|$)|[-=]+$|\d{1,9}[.)](?=\s|$))")
"""What begins a list or underlines a heading."""
_LINK = re.compile(r"(?i)\b(https?|ftp|www)(:|\.)|@")


def emit(sheet: Sheet) -> str:
    lines = [f"# {_text(sheet.title)}", ""]
    under = [_text(sheet.under), *map(_bold, sheet.badges)]
    lines += [" · ".join(filter(None, under)), ""]
    for section in sheet.sections:
        lines += [f"## {_text(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"### {_text(block.text)}"
        case Paragraph():
            yield "\n\n".join(_lines(part) for part in re.split(r"\n\s*\n", block.text.strip()))
        case Printed():
            yield "\n".join(f"    {line}" for line in block.text.splitlines())
        case Picture():
            yield _text(block.said)
        case Gap():
            yield f"> **Missing:** {_text(block.text)}"
        case Facts():
            yield from _table(("", ""), [(_bold(name), _text(value)) for name, value in block.rows])
        case Table():
            rows = [[_text(cell) for cell in row] for row in block.rows]
            yield from _table([_text(name) for name in block.header], rows, block.numeric)
        case _:
            assert_never(block)


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int] = frozenset()
) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join('---:' if at in numeric else '---' for at in range(len(header)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _bold(text: str) -> str:
    told = _text(text)
    return f"**{told}**" if told else ""


def _lines(text: str) -> str:
    """What an author wrote on lines of their own stays there."""
    return "  \n".join(_text(line) for line in text.splitlines())


def _text(text: str) -> str:
    r"""One line that is nothing but text.

    >>> print(_text("a|b <img> **c**\n# d"))
    a\|b \<img\> \*\*c\*\* \# d
    >>> print(_text("1. no list"), _text("- no list"), _text("1.5"), _text("a_b"), _text("see https://a.b"))
    1\. no list \- no list 1.5 a_b see https&#58;//a.b
    """
    one = " ".join(text.split())
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", one)
    escaped = _LINK.sub(
        lambda found: found[0].replace(":", "&#58;").replace(".", "&#46;").replace("@", "&#64;"), escaped
    )
    return _BEGINS.sub(_as_text, escaped)


def _as_text(found: re.Match[str]) -> str:
    begins = found[0]
    return f"{begins[:-1]}\\{begins[-1]}" if begins[0].isdigit() else f"\\{begins}"
