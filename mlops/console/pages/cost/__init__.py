"""What pipelines and their endpoints cost, by the project's file of prices."""

from __future__ import annotations

from mlops.console.page import Page, Shown, Visit


def show(visit: Visit) -> Shown:
    from mlops.check.costs.bounds import money
    from mlops.use_cases.cost import costs_beside

    connected, history = visit.connected, visit.query.one("history") == "1"
    environment = connected.environment
    command, told = costs_beside(visit.program, connected.root, environment.name, history=history)
    return {
        "command": command,
        "found": None if isinstance(told, str) else told,
        "told": told if isinstance(told, str) else "",
        "history": history,
        "turned": visit.query.but(history=None if history else "1"),
        "budget": environment.cost,
        "money": money,
    }


PAGE = Page("/cost", "Cost", show, place=80)
