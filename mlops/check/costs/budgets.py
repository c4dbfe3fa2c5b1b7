"""Budgets of an environment, held against what costs at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.check.costs.bounds import Bounds
from mlops.check.costs.sums import costs
from mlops.check.templates.template import Told
from mlops.ir import Checked, Finding, Severity
from mlops.project.environments import Environment, place_of
from mlops.project.prices import FILE, PriceFile

FINDINGS: Mapping[str, Told] = {
    "A040": Told(
        "over-budget",
        Severity.ERROR,
        """By the project's prices, an execution or a month of an endpoint may cost more than `[env.NAME.cost]` allows.

Bad:  budget_execution = 5.0 and a training of a day on ml.p4d.24xlarge
Good: MaxRuntimeInSeconds and instances that stay below it, or a larger budget""",
    ),
    "A041": Told(
        "budget-not-judged",
        Severity.WARNING,
        """An environment has a budget, and nobody knows what is the most that it is spent on: a price is missing, a job
has no limit of time, or there is no prices.toml and the shipped sample is none to judge by.

Bad:  budget_execution = 5.0 without a price of ml.m5.xlarge for training
Good: `mlops cost import index.json -o prices.toml`""",
    ),
}


def over_budget(checked: Checked, environment: Environment, root: Path, prices: PriceFile) -> Iterator[Finding]:
    budgets = environment.cost
    if budgets is None:
        return
    found = costs(checked, prices, environment.region, {})
    judged: list[tuple[str, float | None, str, Bounds]] = [
        (
            "budget_month",
            budgets.budget_month,
            f"a month of the endpoint configuration {name} of {found.pipeline}",
            month,
        )
        for name, month in found.endpoints.items()
    ]
    if not checked.definition.of_resources:
        what = f"an execution of {found.pipeline}"
        judged.insert(0, ("budget_execution", budgets.budget_execution, what, found.execution))
    for key, budget, what, bounds in judged:
        if budget is None:
            continue
        told = _told(what, budget, bounds, environment, prices)
        if told is not None:
            code, message, help = told
            story, where = FINDINGS[code], place_of(root, environment.name, "cost", key)
            assert where is not None  # noqa: S101 - a budget is written somewhere
            yield Finding(code, story.name, story.severity, message, help=help, where=where)


def _told(
    what: str, budget: float, bounds: Bounds, environment: Environment, prices: PriceFile
) -> tuple[str, str, str] | None:
    allowed = f"the budget of {environment.name} is {budget:g} {prices.currency}"
    if prices.sample:
        why = f"{what}: {allowed}, and the sample of prices is none to judge by"
        return "A041", why, f"`mlops cost import FILE -o {FILE}` makes a file of AWS's own prices"
    lower, upper = bounds.lower or 0.0, bounds.upper
    if upper is not None and upper > budget:
        return "A040", f"{what} costs up to {upper:.2f}, {allowed}", "`mlops cost` tells which step costs it"
    if lower > budget:
        return "A040", f"{what} costs at least {lower:.2f}, {allowed}", "`mlops cost` tells which step costs it"
    if upper is None:
        reasons = "; ".join(bounds.unknown)
        return "A041", f"{what}: {allowed}, and what it costs at most is not known: {reasons}", f"see {FILE}"
    return None
