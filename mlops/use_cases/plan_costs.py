"""What is planned, in money: an execution, and a month of what serves, by the project's prices and as it was before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.check import bind
from mlops.check.costs.bounds import Bounds, money
from mlops.check.costs.sums import Costs, costs
from mlops.ir.reader import read
from mlops.project.prices import PriceFile, read_prices

if TYPE_CHECKING:
    from mlops.deploy.pipelines.state import PipelineState
    from mlops.use_cases.plan import Planned


def with_costs(planned: Planned, root: Path) -> Planned:
    """Noted where something changes. Nothing by the sample of prices, which is none to plan by."""
    prices, region = read_prices(root), planned.connected.environment.region
    if prices.sample:
        return planned
    plans = []
    for plan in planned.plans:
        there = plan.present.state if plan.present is not None else None
        told = _of_pipeline(there, plan.state, prices, region) if plan.verb != "nothing" else ()
        plans.append(replace(plan, notes=(*plan.notes, *told)))
    resources = []
    for declared in planned.resources:
        notes = [
            note
            for change in declared.changes
            if change.type == "endpoint-config" and change.action != "nothing" and change.new is not None
            for note in _of_month(change.name, change.old, change.new, prices, region)
        ]
        resources.append(replace(declared, notes=(*declared.notes, *notes)))
    return replace(planned, plans=tuple(plans), resources=tuple(resources))


def _of_pipeline(before: PipelineState | None, now: PipelineState, prices: PriceFile, region: str) -> Iterator[str]:
    was = None if before is None else _costs(before.definition, prices, region)
    found = _costs(now.definition, prices, region)
    if found is None:
        return
    yield from _told("an execution", None if was is None else was.execution, found.execution, prices.currency)
    for name, month in found.endpoints.items():
        earlier = was.endpoints.get(name) if was is not None else None
        yield from _told(f"a month of {name}", earlier, month, prices.currency)


def _of_month(
    name: str, before: Mapping[str, Any] | None, now: Mapping[str, Any], prices: PriceFile, region: str
) -> Iterator[str]:
    was, found = (
        None if request is None else _costs(_configuration(request), prices, region) for request in (before, now)
    )
    if found is not None:
        earlier = was.endpoints[_CONFIGURATION] if was is not None else None
        yield from _told(f"a month of {name}", earlier, found.endpoints[_CONFIGURATION], prices.currency)


_CONFIGURATION = "Configuration"


def _configuration(request: Mapping[str, Any]) -> str:
    step = {"Name": _CONFIGURATION, "Type": "EndpointConfig", "Arguments": request}
    return json.dumps({"Version": "2020-12-01", "Steps": [step]}, default=str)


def _costs(text: str, prices: PriceFile, region: str) -> Costs | None:
    definition, _ = read(text)
    return None if definition is None else costs(bind(definition), prices, region, {})


def _told(what: str, was: Bounds | None, now: Bounds, currency: str) -> Iterator[str]:
    if was == now:
        return
    why = f" ({'; '.join(now.unknown)})" if now.unknown else ""
    found = f"{what} costs {_between(now, currency)}{why}"
    if was is None:
        yield found
        return
    more = None if was.upper is None or now.upper is None else now.upper - was.upper
    differs = f": at most {money(abs(more))} {'more' if more > 0 else 'less'}" if more else ""
    yield f"{found}, and {_between(was, currency)} before{differs}"


def _between(bounds: Bounds, currency: str) -> str:
    """
    >>> _between(Bounds(1.0, None, 2.5), "USD"), _between(Bounds(1.0, 1.0, 1.0), "USD")
    ('1.00 to 2.50 USD', '1.00 USD')
    >>> _between(Bounds(1.0, None, None), "USD"), _between(Bounds(None, None, None), "USD")
    ('at least 1.00 USD', 'what nobody knows')
    """
    if bounds.lower is None:
        return "what nobody knows"
    if bounds.upper is None:
        return f"at least {money(bounds.lower)} {currency}"
    least, most = money(bounds.lower), money(bounds.upper)
    return f"{least if least == most else f'{least} to {most}'} {currency}"
