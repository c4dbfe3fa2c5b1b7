"""How an endpoint goes to another configuration: limits that the service checks beside its schema (guide:
deployment-guardrails; API reference: TrafficRoutingConfig, RollingUpdatePolicy)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity

FINDINGS: Mapping[str, Told] = {
    "T050": Told(
        "guardrail-size",
        Severity.ERROR,
        """A step of a deployment is larger or smaller than guardrails take: a canary of at most 50 percent, linear
steps of 10 to 50, batches of 5 to 50.

Bad:  CanarySize: {Type: CAPACITY_PERCENT, Value: 90}
Good: CanarySize: {Type: CAPACITY_PERCENT, Value: 10}""",
    ),
    "T051": Told(
        "both-policies",
        Severity.ERROR,
        """A deployment has a blue/green and a rolling policy: it goes by one.

Bad:  BlueGreenUpdatePolicy: {…}  RollingUpdatePolicy: {…}
Good: one of them""",
    ),
    "T052": Told(
        "guardrail-step",
        Severity.ERROR,
        """A way of shifting traffic lacks the size of its steps, or has that of another one.

Bad:  TrafficRoutingConfiguration: {Type: CANARY, LinearStepSize: {…}}
Good: TrafficRoutingConfiguration: {Type: CANARY, CanarySize: {…}}""",
    ),
}
_SIZES = {"CANARY": ("CanarySize", 1, 50), "LINEAR": ("LinearStepSize", 10, 50)}


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    for resource in template.resources(scenario):
        deployment = resource.properties.get("DeploymentConfig")
        if deployment is not None and resource.type in (
            "AWS::SageMaker::Endpoint",
            "AWS::SageMaker::InferenceComponent",
        ):
            yield from _deployment(resource, deployment)


def _deployment(resource: Resource, deployment: Spot) -> Iterator[Fault]:
    blue, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    if blue is not None and rolling is not None:
        yield Fault(
            "T051", rolling.at, f"{resource.label} has a blue/green and a rolling policy", "leave one of them out"
        )
    if rolling is not None and resource.type == "AWS::SageMaker::Endpoint":
        yield from _size(resource, rolling.get("MaximumBatchSize"), "a batch", 5, 50)
        # The way back may take all at once.
        yield from _size(resource, rolling.get("RollbackMaximumBatchSize"), "a batch of the way back", 5, 100)
    routing = blue.get("TrafficRoutingConfiguration") if blue is not None else None
    if routing is None:
        return
    kind = routing.text("Type")
    for name, (member, low, high) in _SIZES.items():
        size = routing.get(member)
        if size is not None and kind is not None and kind != name:
            yield Fault(
                "T052", size.at, f"{member} of {resource.label} goes with {name}, and not with {kind}", "leave it out"
            )
        elif size is None and kind == name:
            yield Fault("T052", routing.at, f"{resource.label} goes by {name} and has no {member}", f"give {member}")
        elif kind == name:
            yield from _size(resource, size, "a canary" if name == "CANARY" else "a step", low, high)


def _size(resource: Resource, size: Spot | None, what: str, low: int, high: int) -> Iterator[Fault]:
    value = size.get("Value") if size is not None else None
    if size is None or value is None or size.text("Type") != "CAPACITY_PERCENT":
        return
    try:
        percent = float(value.value)
    except (TypeError, ValueError, OverflowError):
        return
    if not low <= percent <= high:
        said = f"{what} of {resource.label} is of {percent:g} percent, and {low} to {high} may be"
        yield Fault("T050", value.at, said, f"give {low} to {high}")
