"""A new version's way to an endpoint: what a deployment policy wants of the configuration that it puts there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

from mlops.check.expressions import literal
from mlops.check.instances import family
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.serving import Endpoint, Variant, endpoints
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_ROUTING = ("BlueGreenUpdatePolicy", "TrafficRoutingConfiguration")
_ROLLING = ("RollingUpdatePolicy", "MaximumBatchSize")
_SIZES: Mapping[str, tuple[tuple[str, ...], str, int]] = {
    "CANARY": ((*_ROUTING, "CanarySize"), "a canary", 0),
    "LINEAR": ((*_ROUTING, "LinearStepSize"), "a step", 10),
    "ROLLING": (_ROLLING, "a batch", 5),
}
"""By the way of deploying: where its size stands, what that is a size of, and how many percent it is at least."""


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _way(policy: Value) -> str | None:
    """CANARY, LINEAR, ALL_AT_ONCE or ROLLING; None where the policy does not say."""
    if get(policy, "RollingUpdatePolicy") is not None:
        return "ROLLING"
    kind = get(policy, *_ROUTING, "Type")
    return kind if isinstance(kind, str) else None


def _configured(subject: Subject) -> Iterator[tuple[Endpoint, Mapping[str, Value], tuple[Variant, ...]]]:
    """Endpoints with a policy, and the production variants that are known."""
    for endpoint in endpoints(subject):
        policy = endpoint.settings.get("DeploymentConfig")
        if isinstance(policy, Mapping):
            yield endpoint, policy, endpoint.configuration.production if endpoint.configuration else ()


@rule(
    "X903",
    "rolling-exclusion",
    Severity.ERROR,
    source="AWS docs: deployment-guardrails-exclusions",
)
def rolling_exclusion(subject: Subject) -> Iterator[Fault]:
    """A rolling deployment to an endpoint that is serverless or has several variants, which is not supported; or any
    guardrail on Inf1 instances, where all traffic moves at once without being told (a warning).

    Bad:  "RollingUpdatePolicy" with two ProductionVariants
    Good: "BlueGreenUpdatePolicy" with two ProductionVariants
    """
    for endpoint, policy, variants in _configured(subject):
        at, placed, way = f"{endpoint.at}/DeploymentConfig", endpoint.placed, _way(policy)
        where = f"{at}/RollingUpdatePolicy" if way == "ROLLING" else at + pointer(*_ROUTING, "Type")
        if way == "ROLLING" and len(variants) > 1:
            message = f"a rolling deployment is for one variant, and the endpoint has {len(variants)}"
            yield Fault(where, message, "use BlueGreenUpdatePolicy", placed)
        if way == "ROLLING" and any(variant.is_serverless for variant in variants):
            message = "a rolling deployment goes instance by instance, and the endpoint is serverless"
            yield Fault(where, message, "use BlueGreenUpdatePolicy", placed)
        kinds = [literal(subject, variant.settings.get("InstanceType")) for variant in variants]
        if way in _SIZES and any(isinstance(kind, str) and family(kind) == "inf1" for kind in kinds):
            message = f"on Inf1 instances all traffic moves at once, whatever {way} says, and nothing is watched"
            yield Fault(where, message, "use other instances, or ALL_AT_ONCE", placed, severity=Severity.WARNING)


@rule(
    "X904",
    "step-of-all-instances",
    Severity.ERROR,
    source="CreateEndpoint API: CanarySize, LinearStepSize and MaximumBatchSize are shares of the variant's instances",
)
def step_of_all_instances(subject: Subject) -> Iterator[Fault]:
    """A canary, a step or a batch is more than half of the instances of a variant: always so where that has one. A step
    is at least a tenth of them, a batch a twentieth; a serverless variant has none to count.

    Bad:  "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1} with "InitialInstanceCount": 1
    Good: "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1} with "InitialInstanceCount": 2
    """
    for endpoint, policy, variants in _configured(subject):
        way = _way(policy)
        if way is None or way not in _SIZES:
            continue
        members, what, least = _SIZES[way]
        size = get(policy, *members)
        kind, value = literal(subject, get(size, "Type")), _integer(literal(subject, get(size, "Value")))
        at = f"{endpoint.at}/DeploymentConfig{pointer(*members)}"
        for variant in variants:
            count = _integer(literal(subject, variant.settings.get("InitialInstanceCount")))
            told = _misfit(what, kind, value, least, variant, count)
            if told is not None:
                yield Fault(f"{at}/Value", told, _help(least, count), endpoint.placed)
                break
        again = get(policy, "RollingUpdatePolicy", "RollbackMaximumBatchSize")
        share = _integer(literal(subject, get(again, "Value")))
        if get(again, "Type") == "CAPACITY_PERCENT" and share is not None and share > 100:
            where = f"{endpoint.at}/DeploymentConfig/RollingUpdatePolicy/RollbackMaximumBatchSize/Value"
            yield Fault(where, f"{share} percent is more than all instances", "at most 100", endpoint.placed)


def _misfit(what: str, kind: Value, value: int | None, least: int, variant: Variant, count: int | None) -> str | None:
    if variant.is_serverless:
        return f"{variant.name} is serverless: it has no instances to count" if kind == "INSTANCE_COUNT" else None
    if count is None or count < 1:
        return None
    has = "the one instance" if count == 1 else f"{count} instances"
    if count == 1:
        return f"{what} is at most half of the instances, and {variant.name} has one"
    if kind != "INSTANCE_COUNT" or value is None:
        return None
    if value * 2 > count:
        return f"{what} of {value} is more than half of the {has} of {variant.name}"
    if value * 100 < least * count:
        return f"{what} of {value} is less than {least} percent of the {has} of {variant.name}"
    return None


def _help(least: int, count: int | None) -> str:
    if count is None:
        return "give it as CAPACITY_PERCENT"
    if count == 1:
        return "raise InitialInstanceCount to 2 or more, or use ALL_AT_ONCE"
    low = max(1, ceil(least * count / 100))
    return f"write {low}" if low == count // 2 else f"from {low} to {count // 2}"


@rule(
    "X905",
    "rollout-without-alarms",
    Severity.WARNING,
    source="AWS docs: deployment-guardrails-configuration, alarms are a prerequisite for baking and for rolling back",
)
def rollout_without_alarms(subject: Subject) -> Iterator[Fault]:
    """A deployment waits between its steps, and no alarm is there to stop it, or one is named by its ARN: a bad version
    is waited for and then gets all traffic.

    Bad:  "Type": "CANARY" without AutoRollbackConfiguration
    Good: the same with "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-errors"}]}
    """
    for endpoint, policy, _ in _configured(subject):
        rollback = policy.get("AutoRollbackConfiguration")
        for where, item in entries(rollback, "Alarms"):
            name = item.get("AlarmName")
            if isinstance(name, str) and name.startswith("arn:"):
                at = f"{endpoint.at}/DeploymentConfig/AutoRollbackConfiguration{where}/AlarmName"
                yield Fault(at, "an ARN is no name of an alarm", f"write {name.rpartition(':')[2]}", endpoint.placed)
        if _way(policy) in _SIZES and (rollback is None or rollback == {}):
            at = f"{endpoint.at}/DeploymentConfig/AutoRollbackConfiguration"
            yield Fault(
                at, "no alarm watches the new version, so nothing is ever rolled back", "add Alarms", endpoint.placed
            )


@rule(
    "X906",
    "rollout-beyond-its-limit",
    Severity.WARNING,
    source="CreateEndpoint API: MaximumExecutionTimeoutInSeconds is more than all waits together",
)
def rollout_beyond_its_limit(subject: Subject) -> Iterator[Fault]:
    """The waits between all steps of a linear or a rolling deployment take longer than the whole of it may.

    Bad:  ten steps with "WaitIntervalInSeconds": 600 and "MaximumExecutionTimeoutInSeconds": 3600
    Good: ten steps with "WaitIntervalInSeconds": 300 and "MaximumExecutionTimeoutInSeconds": 3600
    """
    for endpoint, policy, variants in _configured(subject):
        way = _way(policy)
        if way not in ("LINEAR", "ROLLING"):
            continue
        name = "BlueGreenUpdatePolicy" if way == "LINEAR" else "RollingUpdatePolicy"
        own = policy.get(name)
        limit = _integer(literal(subject, get(own, "MaximumExecutionTimeoutInSeconds")))
        waiter = get(policy, *_ROUTING) if way == "LINEAR" else own
        wait = _integer(literal(subject, get(waiter, "WaitIntervalInSeconds")))
        counts = [_integer(literal(subject, variant.settings.get("InitialInstanceCount"))) for variant in variants]
        steps = _steps(subject, get(policy, *_SIZES[way][0]), [count for count in counts if count])
        last = _integer(literal(subject, get(own, "TerminationWaitInSeconds"))) or 0
        if limit is None or wait is None or steps is None or limit <= wait + last:
            continue  # one wait alone is longer: told by X802
        total = (steps - 1) * wait + last
        if total >= limit:
            at = f"{endpoint.at}/DeploymentConfig/{name}/MaximumExecutionTimeoutInSeconds"
            message = f"{steps} steps wait {total} s in all, and the deployment may take {limit} s"
            yield Fault(at, message, "raise it, wait less, or take larger steps", endpoint.placed)


def _steps(subject: Subject, size: Value, counts: list[int]) -> int | None:
    value = _integer(literal(subject, get(size, "Value")))
    if value is None or value < 1:
        return None
    if get(size, "Type") == "CAPACITY_PERCENT":
        return ceil(100 / value)
    return max((ceil(count / value) for count in counts), default=None)
