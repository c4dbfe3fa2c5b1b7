"""What promotions to endpoints cost, as far as what serves there is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops.check.costs.asked import Asked
from mlops.check.costs.bounds import Bounds, unknown
from mlops.check.costs.instances import by_the_hour
from mlops.check.jobs import Machine
from mlops.check.members import entries
from mlops.check.sources import Opened
from mlops.check.subject import Subject
from mlops.deploy.shifting.costs import promotion_cost
from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.ir import Placed, Ref, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Variant
from mlops.project.environments import Environment
from mlops.project.prices import PriceFile


@dataclass(frozen=True, slots=True)
class _Configured:
    """A configuration, and of what it is read."""

    asked: Asked
    placed: Placed
    config: Mapping[str, Value]


def promotion_costs(
    opened: Opened, environment: Environment, root: Path, prices: PriceFile, region: str
) -> Mapping[str, Bounds]:
    """By endpoint, of the groups in which pipelines register. None where neither a promotion nor an endpoint is
    declared."""
    parts = [
        Asked(Subject(checked.definition, checked.step_types), prices, region, {})
        for checked in (*opened.pipelines, *opened.resources)
    ]
    groups = dict.fromkeys(group for asked in parts for group in _groups(asked))
    if not groups:
        return {}
    settings = read(environment, root)
    served = {name: configured for asked in parts for name, configured in _endpoints(asked)}
    found: dict[str, Bounds] = {}
    for endpoint in dict.fromkeys(map(settings.endpoint_of, groups)):
        if endpoint in served:
            found[endpoint] = _of(served[endpoint], settings)
        elif environment.promote:
            found[endpoint] = unknown("what serves there is declared in nothing that was read")
    return found


def _groups(asked: Asked) -> Iterator[str]:
    for _, arguments in asked.subject.of_type("RegisterModel"):
        group = asked.text(arguments.get("ModelPackageGroupName"))
        if group is not None:
            yield group


def _endpoints(asked: Asked) -> Iterator[tuple[str, _Configured]]:
    configs = {placed.step.name: (placed, config) for placed, config in asked.subject.of_type("EndpointConfig")}
    for _, arguments in asked.subject.of_type("Endpoint"):
        name, by = asked.text(arguments.get("EndpointName")), arguments.get("EndpointConfigName")
        path = by.path if isinstance(by, Ref) else None
        if name is not None and path is not None and path.name in configs:
            yield name, _Configured(asked, *configs[path.name])


def _of(there: _Configured, settings: PromotionSettings) -> Bounds:
    asked = there.asked
    if settings.component is not None:
        return unknown("a component takes room on instances that are there, or more come: only a run knows")
    machines = [
        Machine(f"{there.placed.pointer}/Arguments{at}", item, there.placed, "InitialInstanceCount")
        for at, item in entries(there.config, "ProductionVariants")
    ]
    if len(machines) != 1:
        return unknown("several variants serve there")
    (machine,) = machines
    if "ServerlessConfig" in machine.settings:
        return unknown("it is billed by requests")
    count = asked.number(machine.settings.get(machine.counted), 1)
    if count is None or "ManagedInstanceScaling" in machine.settings:
        return unknown("how many instances serve is known at run time only")
    one = Machine(machine.at, {**machine.settings, machine.counted: 1}, there.placed, machine.counted)
    use = "asynchronous" if "AsyncInferenceConfig" in there.config else "endpoint"
    hourly = by_the_hour(asked, one, use)
    if isinstance(hourly, str):
        return unknown(hourly)
    variant = Variant("serves", {"InstanceType": asked.text(machine.type)}, 1.0, count)
    return promotion_cost(settings, variant, hourly, shadows="ShadowProductionVariants" in there.config)
