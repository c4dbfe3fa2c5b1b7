"""Annotations of a pull request: workflow commands that GitHub Actions reads from standard output."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.check.places import repository_file
from mlops.ir import Finding, Severity

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    file = repository_file(finding)
    properties = {
        "file": file if file != "-" else None,
        "line": finding.where.line,
        "col": finding.where.column,
        "title": f"{finding.code} {finding.name}",
    }
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    step = f"[{finding.step}] " if finding.step else ""
    text = step + finding.message + (f" ({finding.help})" if finding.help else "")
    return f"::{_LEVELS[finding.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
