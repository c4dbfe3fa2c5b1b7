"""SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mlops.check.explain import Story, stories
from mlops.check.places import repository_file
from mlops.ir import Finding, Severity

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(findings: Sequence[Finding], *, files: int | None = None, colour: bool = False) -> str:
    names = {finding.code: finding.name for finding in findings}
    codes = sorted(names)
    told = stories() if codes else {}
    rules = [_rule(code, names[code], told.get(code)) for code in codes]
    run = {
        "tool": {"driver": {"name": "mlops", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code)) for finding in findings],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2) + "\n"


def _rule(code: str, name: str, story: Story | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code, "name": name}
    if story is not None:
        rule["shortDescription"] = {"text": name.replace("-", " ")}
        rule["fullDescription"] = {"text": story.text.partition("\n\n")[0]}
        rule["help"] = {"text": story.text + (f"\n\nSource: {story.source}" if story.source else "")}
        rule["defaultConfiguration"] = {"level": _LEVELS[story.severity]}
    return rule


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message + (f" ({finding.help})" if finding.help else "")
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
    }
    location: dict[str, Any] = {}
    file = repository_file(finding)
    if file is not None and file != "-":
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(file)}}
        if finding.where.line is not None:
            region = {"startLine": finding.where.line}
            if finding.where.column is not None:
                region["startColumn"] = finding.where.column
            location["physicalLocation"]["region"] = region
    if finding.path is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path or "/", "kind": "member"}]
    if location:
        result["locations"] = [location]
    return result


def _uri(file: str) -> str:
    """Relative paths stay relative, so that a service finds them in the repository."""
    return ("file://" if file.startswith("/") else "") + quote(file)
