"""For people: a line per finding, its source line with a caret, and how to mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mlops.check.places import shown_place
from mlops.ir import Finding, Severity
from mlops.ir.hiding import hide_text

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_MAX_SOURCE = 160
_INDENT = 4
_BEFORE = 40
"""How much of a long line is shown before the place that is meant."""
_HIDDEN = "X840"
"""The line that it points to may hold the secret itself, whatever else is told of it; logs keep what is printed. Where
nobody asks for that rule, a line in which something looks like a secret is not shown either."""


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    """Ends with a line that counts; sources that cannot be read any more are left out."""
    sources: dict[str, list[str]] = {}
    secret = {_line(finding) for finding in findings if finding.code == _HIDDEN}
    blocks = [_block(finding, sources, colour, shown=_line(finding) not in secret) for finding in findings]
    return "\n".join([*blocks, _summary(findings)]) + "\n"


def _block(finding: Finding, sources: dict[str, list[str]], colour: bool, *, shown: bool) -> str:
    severity = finding.severity.value
    if colour:
        severity = f"\x1b[1;{_COLOURS[finding.severity]}m{severity}\x1b[0m"
    step = f" [{finding.step}]" if finding.step else ""
    lines = [f"{_printable(shown_place(finding))}: {severity} {_printable(f'{finding.code}{step} {finding.message}')}"]
    line = _source(finding, sources) if shown else None
    if line is not None and hide_text(line) == line:
        # An author's line in Python is meant as a whole, so the caret stands at its first character.
        source, column = _around(line, (finding.where.column or 1 + len(line) - len(line.lstrip())) - 1)
        lines.append(f"    {_printable(source)}")
        if column < len(source):
            lines.append("    " + "".join("\t" if item == "\t" else " " for item in source[:column]) + "^")
    if finding.path and finding.where.file is not None:
        lines.append(f"    at {_printable(finding.path)}")
    if finding.help:
        lines.append(f"    help: {_printable(finding.help)}")
    return "\n".join(lines)


def _line(finding: Finding) -> tuple[str | None, int | None]:
    return finding.where.file, finding.where.line


def _source(finding: Finding, sources: dict[str, list[str]]) -> str | None:
    file, line = finding.where.file, finding.where.line
    if file is None or file == "-" or line is None:
        return None
    if file not in sources:
        try:
            # Not splitlines(): U+2028 inside of a string ends no line, neither in JSON nor in Python.
            sources[file] = Path(file).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError):  # the report goes on without the source line
            sources[file] = []
    lines = sources[file]
    return lines[line - 1] if 0 < line <= len(lines) else None


def _around(line: str, column: int) -> tuple[str, int]:
    """What is shown of a line, and where its column is then: a definition from the service is one line of all.

    >>> _around("{" + "x" * 300 + "here", 301)
    ('…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxhere', 41)
    """
    most = _room()
    if column < most:
        return line[:most], column
    start = column - _BEFORE
    return "…" + line[start : start + most], _BEFORE + 1


def _room() -> int:
    """Letters of a line of source: on a terminal a caret would stand below the wrong half of one that is wrapped."""
    for stream in (sys.stdout, sys.stderr):
        if stream.isatty():
            columns = os.get_terminal_size(stream.fileno()).columns or _MAX_SOURCE
            return max(min(_MAX_SOURCE, columns - _INDENT - 1), _BEFORE + 2)
    return _MAX_SOURCE


def _printable(text: str) -> str:
    """Names and values come from the document: they shall not steer a terminal."""
    return "".join(item if item.isprintable() or item == "\t" else "\N{REPLACEMENT CHARACTER}" for item in text)


def _summary(findings: Sequence[Finding]) -> str:
    counts = [(sum(item.severity is severity for item in findings), severity.value) for severity in Severity]
    said = [f"{count} {noun}{'s' if count > 1 and noun != 'info' else ''}" for count, noun in counts if count]
    return ", ".join(said) if said else "no findings"
