"""Findings between the two processes, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir import Edit, Finding, Severity, Where


def written_finding(finding: Finding) -> dict[str, Any]:
    """:func:`read_finding` is the inverse."""
    edit = finding.edit
    return {
        **finding.members,
        "where": written_where(finding.where),
        "edit": None if edit is None else [edit.old, edit.new],
    }


def read_finding(given: Mapping[str, Any]) -> Finding:
    return Finding(
        code=str(given["code"]),
        name=str(given["name"]),
        severity=Severity(given["severity"]),
        message=str(given["message"]),
        help=given["help"],
        step=given["step"],
        path=given["path"],
        where=read_where(given["where"]),
        edit=None if given["edit"] is None else Edit(*map(str, given["edit"])),
    )


def written_where(where: Where) -> list[Any]:
    return [where.file, where.line, where.column]


def read_where(given: list[Any]) -> Where:
    file, line, column = given
    return Where(file, line, column)
