"""What budgets say of what was opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops.project.environments import LOCAL

if TYPE_CHECKING:
    from mlops.check.sources import Opened


def with_budgets(opened: Opened, environment: str, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Opened:
    """With a finding for each budget of ``environment`` that is passed or cannot be judged."""
    if environment == LOCAL or not (opened.pipelines or opened.resources):
        return opened
    project = opened.project
    found = project.environments.get(environment)
    if found is None or found.cost is None:
        return opened
    from mlops.check.costs.budgets import over_budget
    from mlops.check.selection import listed_codes, read_selection
    from mlops.project.prices import read_prices

    prices = read_prices(opened.root)
    told = [
        finding
        for checked in (*opened.pipelines, *opened.resources)
        for finding in over_budget(checked, found, opened.root, prices)
    ]
    wanted, unwanted = listed_codes("--select", select), listed_codes("--ignore", ignore)
    chosen = replace(read_selection(opened.root), select=wanted, ignore=unwanted).chosen(told)
    return replace(opened, findings=(*opened.findings, *chosen))
