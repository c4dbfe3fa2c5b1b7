"""``# mlops: allow CODE reason`` in a pipeline file: a person says that a finding is right as it is, and why.

It stands on the line of the step or of the value, or alone on the line above. One that suppresses nothing, or names
what does not exist, is a finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mlops.check.codes import ALLOWANCES, is_firm, known_codes, unknown_code
from mlops.check.python_source import PythonSource
from mlops.ir import Finding, Severity, Where
from mlops.ir.dataclass import dataclass

MARK = "mlops:"
_ALLOW = re.compile(r"#\s*mlops:\s*allow\b(?P<rest>.*)")
_CODES = re.compile(r"\s*([A-Za-z]\w*\d\w*)(?:\s*,)?")


@dataclass(frozen=True, slots=True)
class Allow:
    """One code of one comment; ``covers`` is the line that it speaks of."""

    code: str
    line: int
    column: int
    covers: int


def allowances(source: PythonSource, file: str) -> tuple[list[Allow], list[Finding]]:
    """The usable ones, and what is wrong with the others."""
    allows: list[Allow] = []
    findings: list[Finding] = []
    if MARK not in source.text:
        return allows, findings
    for comment in source.comments():
        match = _ALLOW.match(comment.text)
        if match is None:
            continue
        codes = _codes(match["rest"])
        where = Where(file, comment.line, comment.column)
        if not codes:
            findings.append(_finding("A002", "the comment names no code", "write # mlops: allow CODE reason", where))
        covers = source.next_code_line(comment.line) if comment.alone else comment.line
        for code in codes:
            if code not in known_codes():
                said = unknown_code(code) or f"{code} is the beginning of several codes: name the one that is meant"
                findings.append(_finding("A002", f"the comment allows what there is not: {said}", None, where))
            elif is_firm(code) or code in ALLOWANCES:
                message = f"{code} cannot be allowed: what follows would build on it"
                findings.append(_finding("A002", message, "mend it, and remove the comment", where))
            else:
                allows.append(Allow(code, comment.line, comment.column, covers))
    return allows, findings


def without_allowed(
    findings: Iterable[Finding], lines: Mapping[Finding, Sequence[int]], allows: Sequence[Allow]
) -> tuple[list[Finding], set[Allow]]:
    """What is left, and which comments were needed. ``lines`` are those of each finding's step and value."""
    by_code: dict[str, list[Allow]] = {}
    for allow in allows:
        by_code.setdefault(allow.code, []).append(allow)
    left: list[Finding] = []
    used: set[Allow] = set()
    for finding in findings:
        fitting = [allow for allow in by_code.get(finding.code, ()) if allow.covers in lines.get(finding, ())]
        used.update(fitting)
        if not fitting:
            left.append(finding)
    return left, used


def idle(allow: Allow, file: str) -> Finding:
    """The finding about a comment that nothing needed."""
    message = f"the comment allows {allow.code} ({known_codes()[allow.code]}), and nothing here gives it"
    return _finding("A001", message, "remove it", Where(file, allow.line, allow.column))


def _codes(rest: str) -> list[str]:
    """Codes up to the first word that looks like none: the reason."""
    found: list[str] = []
    position = 0
    while match := _CODES.match(rest, position):
        found.append(match.group(1).upper())
        position = match.end()
        if not match.group().endswith(","):
            break
    return found


def _finding(code: str, message: str, help: str | None, where: Where) -> Finding:
    return Finding(code, ALLOWANCES[code][0], Severity.WARNING, message, help=help, where=where)
