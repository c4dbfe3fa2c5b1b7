"""What `mlops check` finds in the project's pipelines, each beside its lines."""

from __future__ import annotations

from mlops.console.page import Page, Shown, Visit


def show(visit: Visit) -> Shown:
    from mlops.use_cases.findings import findings

    return {"found": findings(visit.program, visit.connected.root, visit.connected.environment.name)}


PAGE = Page("/findings", "Findings", show, place=90)
