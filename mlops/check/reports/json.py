"""For programs: ``{"findings": [...], "summary": {"errors", "warnings", "files"}}``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mlops.check.places import shown_file
from mlops.ir import Finding, Severity


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    """``files`` is how many were looked at; unless given, those with findings are counted."""
    with_findings = len({finding.where.file for finding in findings})
    summary = {
        "errors": sum(finding.severity is Severity.ERROR for finding in findings),
        "warnings": sum(finding.severity is Severity.WARNING for finding in findings),
        "files": with_findings if files is None else files,
    }
    return json.dumps({"findings": [record(finding) for finding in findings], "summary": summary}, indent=2) + "\n"


def record(finding: Finding) -> dict[str, Any]:
    where = {"file": shown_file(finding), "line": finding.where.line, "column": finding.where.column}
    return {**finding.members, **where}
