"""How many copies of an inference component there are: by the load, by the clock, and none while nobody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.declare.references import lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.scaling import At, predefined, scheduled, tracking
from mlops.declare.steps.shared_arguments import Count, Number
from mlops.ir import StepType, Value
from mlops.ir.fields import COUNT, NUMBER, PLAIN, REQUIRED, Constructor, Field
from mlops.ir.shape_notation import list_of, structure

__all__ = ["ComponentScaling"]

_SERVICE = "application-autoscaling"
_OF = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"}
_METRICS = {
    "invocations": "SageMakerInferenceComponentInvocationsPerCopy",
    "requests": "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
}
_WAKES: Mapping[str, Value] = {
    **_OF,
    "PolicyName": "wakes",
    "PolicyType": "StepScaling",
    "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 60,
        "StepAdjustments": ({"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1},),
    },
}
"""From none to one: a load for each copy says nothing where there is none (guide: endpoint-auto-scaling-zero-instances,
as its alarm)."""

STEP_TYPE = StepType(
    type="ComponentScaling",
    arguments=structure(
        ("InferenceComponentName", "MinCapacity", "MaxCapacity"),
        InferenceComponentName={"shape": "InferenceComponentName"},
        MinCapacity={"shape": "ResourceCapacity", "service": _SERVICE},
        MaxCapacity={"shape": "ResourceCapacity", "service": _SERVICE},
        Policies=list_of({"shape": "PutScalingPolicyRequest", "service": _SERVICE, "omits": ("ResourceId",)}),
        Scheduled=list_of({"shape": "PutScheduledActionRequest", "service": _SERVICE, "omits": ("ResourceId",)}),
        Tags={"shape": "TagList"},
    ),
    permissions=(),
)


def _policies(scaling: ComponentScaling, *_: object) -> Value:
    found: list[Value] = [
        {**_OF, **tracking(scaling, name, predefined(metric))}
        for name, metric in _METRICS.items()
        if getattr(scaling, name) is not None
    ]
    if scaling.sleeps:
        found.append(_WAKES)
    return tuple(found) or None


def _schedule(scaling: ComponentScaling, *_: object) -> Value:
    return tuple({**_OF, **scheduled(name, at)} for name, at in scaling.schedule.items()) or None


class ComponentScaling(DeclaredResource):
    """Between ``least`` and ``most`` copies of the inference component ``name``, whoever made that.

    By load: ``invocations`` a minute, or ``requests`` at once, that each copy is to have; ``cooldown_in`` and
    ``cooldown_out`` are seconds before the next step down and up. By the clock: ``schedule``, an :class:`At` by name.
    Where there may be none, the first request that fails for want of a copy brings one.
    """

    named_by: ClassVar[str | None] = "InferenceComponentName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("least", "MinCapacity", COUNT, REQUIRED),
            Field("most", "MaxCapacity", COUNT, REQUIRED),
            Field("invocations", "Policies", NUMBER, to=_policies),
            Field("requests", "Policies", NUMBER, to=lambda *_: None),
            Field("cooldown_in", "Policies", COUNT, 300, to=lambda *_: None),
            Field("cooldown_out", "Policies", COUNT, 60, to=lambda *_: None),
            Field("schedule", "Scheduled", PLAIN, to=_schedule),
        ),
    )

    def __init__(
        self,
        name: str,
        *,
        least: Count,
        most: Count,
        invocations: Number | None = None,
        requests: Number | None = None,
        cooldown_in: Count = 300,
        cooldown_out: Count = 60,
        schedule: Mapping[str, At] | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.least, self.most = least, most
        self.invocations, self.requests = invocations, requests
        self.cooldown_in, self.cooldown_out = cooldown_in, cooldown_out
        self.schedule = dict(schedule or {})

    @property
    def sleeps(self) -> bool:
        """There may be no copy."""
        return any(lower(least) == 0 for least in (self.least, *(at.least for at in self.schedule.values())))
