"""One pipeline, without errors, compiled for the local environment."""

from __future__ import annotations

from mlops.check.reports import text
from mlops.check.sources import open_one
from mlops.ir import Checked, Finding, Refusal, Severity
from mlops.project.environments import LOCAL, Project


def open_sound(target: str) -> tuple[Checked, Project]:
    """With its project. Raises Refusal with every finding where one is an error."""
    opened = open_one(target, LOCAL)
    refuse_errors(opened.findings, target)
    return opened.pipelines[0], opened.project


def refuse_errors(findings: tuple[Finding, ...], target: str) -> None:
    if any(finding.severity is Severity.ERROR for finding in findings):
        told = [finding for finding in findings if finding.severity is not Severity.INFO]
        raise Refusal(f"{target} has errors:\n{text.render(told, colour=False)}")
