"""How many instances serve, or how much provisioned concurrency is kept: by the load, and by the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Number, Text
from mlops.ir import Value
from mlops.ir.shape_notation import ShapeNotation, list_of, structure

__all__ = ["At", "Scaling"]

_SERVICE = "application-autoscaling"
SCALED: ShapeNotation = list_of(
    structure(
        ("VariantName", "ScalableDimension", "MinCapacity", "MaxCapacity"),
        VariantName={"shape": "VariantName"},
        ScalableDimension={"shape": "ScalableDimension", "service": _SERVICE},
        MinCapacity={"shape": "ResourceCapacity", "service": _SERVICE},
        MaxCapacity={"shape": "ResourceCapacity", "service": _SERVICE},
        Policies=list_of({"shape": "PutScalingPolicyRequest", "service": _SERVICE, "omits": ("ResourceId",)}),
        Scheduled=list_of({"shape": "PutScheduledActionRequest", "service": _SERVICE, "omits": ("ResourceId",)}),
    )
)
DIMENSIONS = {
    "instances": "sagemaker:variant:DesiredInstanceCount",
    "concurrency": "sagemaker:variant:DesiredProvisionedConcurrency",
}
_METRICS = {
    "invocations": "SageMakerVariantInvocationsPerInstance",
    "requests": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    "utilization": "SageMakerVariantProvisionedConcurrencyUtilization",
}


@record
class At:
    """From ``when`` on (``"cron(0 8 ? * MON-FRI *)"``, ``"rate(1 day)"`` or ``"at(2027-01-01T08:00:00)"``, in
    ``timezone``, UTC without one) there are at ``least`` and at ``most`` so many, until another time comes."""

    when: Text
    least: Count
    most: Count
    timezone: Text | None = None


@record
class Scaling:
    """Between ``least`` and ``most`` instances of a variant, or ``of="concurrency"`` of one that is serverless.

    By load: ``invocations`` a minute that each instance is to have, ``requests`` at once that each model is to have,
    ``utilization`` of provisioned concurrency (0 to 1), or ``backlog`` of requests that wait for each instance of an
    asynchronous endpoint, which alone may go to 0. One load at most of each; ``cooldown_in`` and ``cooldown_out`` are
    seconds before the next step down and up. By the clock: ``schedule``, an :class:`At` by name.
    """

    least: Count
    most: Count
    invocations: Number | None = None
    requests: Number | None = None
    utilization: Number | None = None
    backlog: Number | None = None
    cooldown_in: Count = 300
    cooldown_out: Count = 60
    schedule: Mapping[str, At] | None = None
    of: Literal["instances", "concurrency"] = "instances"


def scaled(scaling: Scaling | Mapping[str, Scaling] | None, endpoint: str, only: str) -> Value:
    """The member of an endpoint that says so; ``only`` is the variant of one that is not named."""
    if scaling is None:
        return None
    found = scaling if isinstance(scaling, Mapping) else {only: scaling}
    return tuple(_of_variant(name, one, endpoint) for name, one in found.items())


def _of_variant(variant: str, scaling: Scaling, endpoint: str) -> Value:
    dimension = DIMENSIONS[scaling.of]
    told: dict[str, Value] = {
        "VariantName": variant,
        "ScalableDimension": dimension,
        "MinCapacity": lower(scaling.least),
        "MaxCapacity": lower(scaling.most),
    }
    given = {"ServiceNamespace": "sagemaker", "ScalableDimension": dimension}
    policies: list[Value] = [
        {**given, **tracking(scaling, name, predefined(metric))}
        for name, metric in _METRICS.items()
        if getattr(scaling, name) is not None
    ]
    if scaling.backlog is not None:
        waiting: dict[str, Value] = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": ({"Name": "EndpointName", "Value": endpoint},),
            "Statistic": "Average",
        }
        policies.append({**given, **tracking(scaling, "backlog", {"CustomizedMetricSpecification": waiting})})
    if policies:
        told["Policies"] = tuple(policies)
    if scaling.schedule:
        told["Scheduled"] = tuple({**given, **scheduled(name, at)} for name, at in scaling.schedule.items())
    return told


class Tracked(Protocol):
    """What has a load by each name that it is tracked by."""

    @property
    def cooldown_in(self) -> Count: ...

    @property
    def cooldown_out(self) -> Count: ...


def predefined(metric: str) -> dict[str, Value]:
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}


def tracking(scaling: Tracked, name: str, metric: Mapping[str, Value]) -> dict[str, Value]:
    return {
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": lower(getattr(scaling, name)),
            **metric,
            "ScaleOutCooldown": lower(scaling.cooldown_out),
            "ScaleInCooldown": lower(scaling.cooldown_in),
        },
    }


def scheduled(name: str, at: At) -> dict[str, Value]:
    told: dict[str, Value] = {"ScheduledActionName": name, "Schedule": lower(at.when)}
    if at.timezone is not None:
        told["Timezone"] = lower(at.timezone)
    return {**told, "ScalableTargetAction": {"MinCapacity": lower(at.least), "MaxCapacity": lower(at.most)}}
