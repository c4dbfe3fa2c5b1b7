"""What pipelines, and the endpoints that a file declares, cost by a file of prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.check.costs.bounds import Bounds
from mlops.check.costs.sums import Costs, costs
from mlops.check.sources import open_targets
from mlops.ir import Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.prices import PriceFile, read_prices
from mlops.use_cases.judging import need_sound
from mlops.use_cases.promotion_costs import promotion_costs
from mlops.use_cases.targets import project_target
from mlops.use_cases.told_by_command import told_by_command


@dataclass(frozen=True, slots=True)
class Priced:
    """``costs`` are of pipelines, then of what is declared beside them; ``promotions`` are by endpoint."""

    region: str
    prices: PriceFile
    costs: tuple[Costs, ...]
    promotions: Mapping[str, Bounds]


def priced(target: str | None, environment: str, named: Path | None, listener: Listener, *, history: bool) -> Priced:
    """With ``history`` the account tells how long steps took. Raises Refusal where a pipeline has errors."""
    opened = open_targets([target or project_target()], environment)
    if opened.templates or opened.machines:
        raise UsageError(
            f"{target} is no pipeline", hint="a TARGET is a pipeline file, a folder or a definition in JSON"
        )
    need_sound(opened.findings, listener, doing="cost")
    project = opened.project
    region = project.environment(environment).region
    prices = read_prices(opened.root, named)
    found: list[Costs] = []
    for checked in (*opened.pipelines, *opened.resources):
        seconds: Mapping[str, float] = {}
        if history and not checked.definition.of_resources and checked.definition.name:
            from mlops.deploy.executions.durations import typical_seconds  # loads boto3
            from mlops.use_cases.connecting import connect_here

            seconds = typical_seconds(connect_here(environment, project).account, checked.definition.name)
        found.append(costs(checked, prices, region, seconds))
    promotions = promotion_costs(opened, project.environment(environment), opened.root, prices, region)
    return Priced(region, prices, tuple(found), promotions)


def costs_beside(
    program: Sequence[str], root: Path, environment: str, *, history: bool
) -> tuple[str, Mapping[str, Any] | str]:
    """The command that tells what all of a project's pipelines cost, and what it told: in a process of its own."""
    words = ["cost", "show", ".", "--env", environment, *(["--history"] if history else [])]
    return f"mlops {' '.join(words)}", told_by_command(program, words, root)


def import_offer(file: Path) -> tuple[str, PriceFile]:
    """AWS's offer file as the text of a file of prices."""
    from mlops.project.price_offers import from_offer
    from mlops.project.prices import written

    found = from_offer(file)
    return written(found), found
