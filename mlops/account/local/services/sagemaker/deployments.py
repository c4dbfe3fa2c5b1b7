"""How an update takes traffic to a new fleet: what a DeploymentConfig asks for, what is refused of it, and where the
service falls back to all at once without a word.

Bounds are those of the API reference (TrafficRoutingConfig, RollingUpdatePolicy); exclusions those of the guide
(deployment-guardrails-exclusions). The words of a refusal, and how a share of few instances is rounded, are documented
nowhere: here it is rounded down, to one instance at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import models, resources
from mlops.account.local.state import State, now
from mlops.ir.dataclass import dataclass

ALARM = "Alarm"
"""Their kind among the resources."""
_MOST = 50
_WAITS = ("WaitIntervalInSeconds", "TerminationWaitInSeconds")


@dataclass(frozen=True, slots=True)
class Size:
    kind: Literal["INSTANCE_COUNT", "CAPACITY_PERCENT"]
    value: int

    def of(self, count: int, times: int = 1) -> int:
        """So many of ``count`` instances are ``times`` as much.

        >>> [Size("CAPACITY_PERCENT", 40).of(3, times) for times in (1, 2, 3)], Size("INSTANCE_COUNT", 2).of(3, 2)
        ([1, 2, 3], 3)
        """
        wanted = self.value * times if self.kind == "INSTANCE_COUNT" else count * self.value * times // 100
        return min(count, max(1, wanted))


@dataclass(frozen=True, slots=True)
class Policy:
    """``size`` is that of the first step, or of each where it ``repeats``; without one all traffic goes at once.
    ``wait`` in seconds follows each step but the last, ``last_wait`` that. ``rollback`` is a batch of the way back of a
    rolling one, None for all in one."""

    size: Size | None = None
    repeats: bool = False
    rolling: bool = False
    wait: float = 0.0
    last_wait: float = 0.0
    limit: float | None = None
    alarms: tuple[str, ...] = ()
    rollback: Size | None = None

    @property
    def is_plain(self) -> bool:
        """All at once, and nothing is waited for."""
        return self.size is None and not self.last_wait

    def steps(self, count: int) -> tuple[int, ...]:
        """How many of ``count`` new instances have traffic after each.

        >>> Policy(Size("CAPACITY_PERCENT", 25), repeats=True).steps(4), Policy(Size("INSTANCE_COUNT", 1)).steps(4)
        ((1, 2, 3, 4), (1, 4))
        """
        found: list[int] = []
        times = 1
        while self.size is not None and (not found or found[-1] < count) and (self.repeats or times == 1):
            step = self.size.of(count, times)
            times += 1
            if not found or step > found[-1]:
                found.append(step)
        return tuple(found) if found and found[-1] == count else (*found, count)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A production variant as it is to be. ``count`` is None for a serverless one."""

    name: str
    count: int | None
    instance_type: str = ""
    marketplace: bool = False


def policy_of(told: Mapping[str, Any] | None) -> Policy:
    """Of a DeploymentConfig that was not refused."""
    told = told or {}
    alarms = tuple(alarm["AlarmName"] for alarm in _alarms(told) if alarm.get("AlarmName"))
    rolling = told.get("RollingUpdatePolicy")
    if rolling:
        wait, again = float(rolling["WaitIntervalInSeconds"]), rolling.get("RollbackMaximumBatchSize")
        limit = rolling.get("MaximumExecutionTimeoutInSeconds")
        back = _size(again) if again else None
        return Policy(_size(rolling["MaximumBatchSize"]), True, True, wait, wait, limit, alarms, back)
    blue_green = told.get("BlueGreenUpdatePolicy") or {}
    routing = blue_green.get("TrafficRoutingConfiguration") or {}
    size = routing.get({"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing.get("Type", ""), ""))
    return Policy(
        _size(size) if size else None,
        repeats=routing.get("Type") == "LINEAR",
        wait=float(routing.get("WaitIntervalInSeconds") or 0),
        last_wait=float(blue_green.get("TerminationWaitInSeconds") or 0),
        limit=blue_green.get("MaximumExecutionTimeoutInSeconds"),
        alarms=alarms,
    )


def effective(
    state: State, told: Mapping[str, Any] | None, wanted: Sequence[Wanted], serving: Iterable[str] | None
) -> Mapping[str, Any] | None:
    """``told``, or None where all traffic goes at once, be it that the service falls back to that. ``serving`` are the
    names of the variants by now, None where there are none. Raises Refusal."""
    if not told:
        return None
    if told.get("BlueGreenUpdatePolicy") and told.get("RollingUpdatePolicy"):
        raise invalid("DeploymentConfig takes one of BlueGreenUpdatePolicy and RollingUpdatePolicy, and not both.")
    _need_sizes(told)
    for variant in wanted:
        _need_fitting(told, variant)
    _need_time(told)
    need_alarms(state, told)
    policy = policy_of(told)
    if policy.rolling and len(wanted) > 1:
        raise invalid("RollingUpdatePolicy is not supported for an endpoint with several production variants.")
    names = sorted(variant.name for variant in wanted)
    if serving is not None and sorted(serving) != names and not policy.is_plain:
        raise invalid(
            "With this DeploymentConfig the new endpoint configuration must have the same variant names as the old "
            f"one; it has {', '.join(names)}, and {', '.join(sorted(serving))} serve."
        )
    return None if policy.is_plain or any(map(_falls_back, wanted)) else told


def need_alarms(state: State, told: Mapping[str, Any]) -> None:
    for alarm in _alarms(told):
        if resources.find(state, ALARM, alarm.get("AlarmName") or "") is None:
            raise invalid(f'Could not find the CloudWatch alarm "{alarm.get("AlarmName")}" of DeploymentConfig.')


def wanted_of(state: State, config: Mapping[str, Any], counts: Mapping[str, int]) -> list[Wanted]:
    """The production variants of a configuration. ``counts`` are retained of what serves."""
    return [
        Wanted(
            variant["VariantName"],
            None
            if variant.get("ServerlessConfig")
            else counts.get(variant["VariantName"], variant.get("InitialInstanceCount") or 1),
            variant.get("InstanceType") or "",
            any(container.get("ProductId") for container in _containers(state, variant)),
        )
        for variant in config["ProductionVariants"]
    ]


def _containers(state: State, variant: Mapping[str, Any]) -> list[dict[str, Any]]:
    """None of one that is there for inference components."""
    return models.containers(state, variant["ModelName"]) if variant.get("ModelName") else []


def begun(state: State, config: Mapping[str, Any], policy: Mapping[str, Any] | None) -> dict[str, Any]:
    """A deployment as the endpoint's body keeps it: its process reads it, and writes its progress into it."""
    variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]
    return {
        "EndpointConfigName": config["EndpointConfigName"],
        "StartTime": now(),
        "Policy": policy,
        "Images": {
            variant["VariantName"]: [
                container["Image"] for container in _containers(state, variant) if container.get("Image")
            ]
            for variant in variants
        },
    }


def pending(config: Mapping[str, Any] | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """The variants of a PendingDeploymentSummary. ``body`` is the endpoint's, with what its process wrote of it."""
    deployment = body["Deployment"]
    retained = body.get("Retained") or {}
    return {
        member: [_pending(variant, deployment, retained) for variant in (config or {}).get(member) or ()] or None
        for member in ("ProductionVariants", "ShadowProductionVariants")
    }


def _pending(
    variant: Mapping[str, Any], deployment: Mapping[str, Any], retained: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    name, start = variant["VariantName"], deployment["StartTime"]
    progress = (deployment.get("Variants") or {}).get(name)
    count = (retained.get("Counts") or {}).get(name, variant.get("InitialInstanceCount"))
    weight = (retained.get("Weights") or {}).get(name, variant["InitialVariantWeight"])
    now_there = progress or {
        "status": "Creating",
        "message": f"Launching {count} instance(s)." if count is not None else "Launching the serverless variant.",
        "since": start,
        "instances": 0,
    }
    capacity = (
        {"CurrentInstanceCount": now_there["instances"], "DesiredInstanceCount": count}
        if count is not None
        else {"DesiredServerlessConfig": variant.get("ServerlessConfig")}
    )
    return {
        "VariantName": name,
        "DeployedImages": images(deployment["Images"].get(name, ()), start),
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "InstanceType": variant.get("InstanceType"),
        "VariantStatus": [
            {"Status": now_there["status"], "StatusMessage": now_there["message"], "StartTime": now_there["since"]}
        ],
        **capacity,
    }


def images(found: Iterable[str], since: str) -> list[dict[str, str]]:
    return [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": since} for image in found]


def _falls_back(variant: Wanted) -> bool:
    """The guide: guardrails are for real-time and asynchronous endpoints; with Marketplace containers or Inf1 instances
    all traffic goes at once, without a final baking period."""
    return variant.count is None or variant.marketplace or variant.instance_type.startswith("ml.inf1.")


def _alarms(told: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (told.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()


def _size(told: Mapping[str, Any]) -> Size:
    return Size(told["Type"], told["Value"])


def _need_sizes(told: Mapping[str, Any]) -> None:
    routing = (told.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration")
    if not routing:
        return
    for kind, member in (("CANARY", "CanarySize"), ("LINEAR", "LinearStepSize")):
        if (routing["Type"] == kind) != bool(routing.get(member)):
            how = "is required" if routing["Type"] == kind else "is not allowed"
            raise invalid(f"{member} {how} where the type of TrafficRoutingConfiguration is {routing['Type']}.")


def _need_fitting(told: Mapping[str, Any], variant: Wanted) -> None:
    routing = (told.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    rolling = told.get("RollingUpdatePolicy") or {}
    if rolling and variant.count is None:
        raise invalid(f"RollingUpdatePolicy is not supported for the serverless variant {variant.name}.")
    for member, size, least in (
        ("CanarySize", routing.get("CanarySize"), 0),
        ("LinearStepSize", routing.get("LinearStepSize"), 10),
        ("MaximumBatchSize", rolling.get("MaximumBatchSize"), 5),
    ):
        if size:
            _need_share(member, _size(size), least, variant)
    back = rolling.get("RollbackMaximumBatchSize")
    if back and back["Value"] > (100 if back["Type"] == "CAPACITY_PERCENT" else variant.count or 0):
        raise invalid(f"RollbackMaximumBatchSize must not exceed the capacity of variant {variant.name}.")


def _need_share(member: str, size: Size, least: int, variant: Wanted) -> None:
    bounds = f"{least} to {_MOST} percent" if least else f"at most {_MOST} percent"
    if size.kind == "CAPACITY_PERCENT":
        if not least <= size.value <= _MOST:
            raise invalid(f"{member} must be {bounds} of the capacity, and is {size.value}.")
    elif variant.count is None:
        raise invalid(f"{member} counts instances, and the variant {variant.name} is serverless.")
    elif not least * variant.count <= 100 * size.value <= _MOST * variant.count:
        raise invalid(f"{member} must be {bounds} of the {variant.count} instances of variant {variant.name}.")
    if variant.count == 1:
        raise invalid(f"{member} must be {bounds} of the instances of variant {variant.name}, which has one.")


def _need_time(told: Mapping[str, Any]) -> None:
    blue_green, rolling = told.get("BlueGreenUpdatePolicy") or {}, told.get("RollingUpdatePolicy") or {}
    waits = {**(blue_green.get("TrafficRoutingConfiguration") or {}), **blue_green, **rolling}
    limit = waits.get("MaximumExecutionTimeoutInSeconds")
    waiting = sum(waits.get(member) or 0 for member in _WAITS)
    if limit is not None and limit <= waiting:
        raise invalid(
            f"MaximumExecutionTimeoutInSeconds ({limit}) must be larger than the waiting time of {waiting} seconds."
        )
