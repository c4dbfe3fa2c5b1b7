"""What a use case tells while it is under way, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mlops.cli.printing import is_coloured, talk
from mlops.ir import Event, Finding, MlopsError, Severity
from mlops.use_cases.news import Failed, Judged, Said


def hear(event: Event) -> None:
    """Every command's listener, or what its own falls back on."""
    match event:
        case Said(text=text):
            talk(text)
        case Judged(findings=findings):
            tell_findings(finding for finding in findings if finding.severity is not Severity.INFO)
        case Failed(error=error):
            tell_error(error)


def tell_findings(findings: Iterable[Finding]) -> None:
    """Nothing where there is none."""
    told = list(findings)
    if told:
        from mlops.check.reports import text  # a command that finds nothing has no use for it

        talk(text.render(told, colour=is_coloured(sys.stderr)).rstrip("\n"))


def tell_error(error: MlopsError) -> None:
    talk(f"error: {error.message}" + (f"\n  help: {error.hint}" if error.hint else ""))
