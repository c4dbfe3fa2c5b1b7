"""What Application Auto Scaling is told of variants here: kept, refused as the service refuses, and in the way of what
would remove a variant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from endpoint_parts import refused

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.account.local.state import State

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/door/variant/A",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TRACK = {
    **TARGET,
    "PolicyName": "track",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
}
NIGHT = {
    **TARGET,
    "ScheduledActionName": "night",
    "Schedule": "cron(0 22 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 1},
}
Asked = dict[str, Any]


@pytest.fixture
def scaling(local: LocalAccount) -> Iterator[Any]:
    """Of an endpoint that serves A, as its process would say."""
    sagemaker = local.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "i"})
    for name, types in (
        ("first", {"A": "ml.m5.large"}),
        ("larger", {"A": "ml.m5.xlarge"}),
        ("other", {"B": "ml.m5.large"}),
        ("both", {"A": "ml.m5.large", "B": "ml.m5.large"}),
    ):
        variants = [
            {"VariantName": variant, "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": 1}
            for variant, kind in types.items()
        ]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    state: State = local.state
    held = ownership.take(state.endpoint_folder("door"))
    assert held is not None
    body = {"EndpointName": "door", "EndpointConfigName": "first", "Weights": {"A": 1.0}, "Counts": {"A": 1}}
    resources.insert(state, endpoints.KIND, "door", body, taken=invalid("it is there"), status="InService")
    yield local.client("application-autoscaling")
    os.close(held)


def found(scaling: Any) -> list[Asked]:
    targets: list[Asked] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return targets


def test_what_is_registered_is_kept_and_changed_by_what_is_given(scaling: Any) -> None:
    first = scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"]
    suspended = {"DynamicScalingInSuspended": True}
    assert scaling.register_scalable_target(**TARGET, SuspendedState=suspended)["ScalableTargetARN"] == first
    scaling.register_scalable_target(**TARGET, MaxCapacity=6)
    (target,) = found(scaling)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_policies_and_actions_hang_on_their_target(scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    arn = scaling.put_scaling_policy(**TRACK)["PolicyARN"]
    assert scaling.put_scaling_policy(**TRACK)["PolicyARN"] == arn
    scaling.put_scheduled_action(**NIGHT)
    (policy,) = scaling.describe_scaling_policies(**TARGET, PolicyNames=["track"])["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    (action,) = scaling.describe_scheduled_actions(**TARGET)["ScheduledActions"]
    assert action["ScheduledActionName"] == "night"
    assert scaling.describe_scaling_policies(**TARGET, PolicyNames=["x"])["ScalingPolicies"] == []
    scaling.delete_scaling_policy(**TARGET, PolicyName="track")
    scaling.delete_scheduled_action(**TARGET, ScheduledActionName="night")
    scaling.put_scaling_policy(**TRACK)
    scaling.put_scheduled_action(**NIGHT)
    scaling.deregister_scalable_target(**TARGET)
    for listed in (
        scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"],
        scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"],
        scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"],
    ):
        assert listed == []


WITHOUT = (
    ("register_scalable_target", {**TARGET, "MinCapacity": 1}, "ValidationException", "MaxCapacity are required"),
    ("register_scalable_target", {**TARGET, "MinCapacity": 5, "MaxCapacity": 1}, "ValidationException", "less than"),
    ("register_scalable_target", {**TARGET, "MinCapacity": -1, "MaxCapacity": 1}, "ValidationException", "less than 0"),
    (
        "register_scalable_target",
        {**TARGET, "ResourceId": "endpoint/door/variant/B", "MinCapacity": 1, "MaxCapacity": 1},
        "ValidationException",
        "Variant B of the endpoint door does not exist",
    ),
    (
        "register_scalable_target",
        {**TARGET, "ResourceId": "endpoint/window/variant/A", "MinCapacity": 1, "MaxCapacity": 1},
        "ValidationException",
        "Could not find endpoint",
    ),
    (
        "register_scalable_target",
        {**TARGET, "ResourceId": "inference-component/c", "MinCapacity": 1, "MaxCapacity": 1},
        "ValidationException",
        "Unsupported",
    ),
    (
        "register_scalable_target",
        {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "inference-component/c",
            "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
            "MinCapacity": 1,
            "MaxCapacity": 1,
        },
        "ValidationException",
        "Inference component c does not exist",
    ),
    (
        "register_scalable_target",
        {**TARGET, "ServiceNamespace": "ecs", "MinCapacity": 1, "MaxCapacity": 1},
        "ValidationException",
        "nothing of ecs",
    ),
    ("deregister_scalable_target", TARGET, "ObjectNotFoundException", "No scalable target found"),
    ("put_scaling_policy", TRACK, "ObjectNotFoundException", "No scalable target registered"),
    ("put_scheduled_action", NIGHT, "ObjectNotFoundException", "No scalable target registered"),
    ("delete_scaling_policy", {**TARGET, "PolicyName": "p"}, "ObjectNotFoundException", "No scaling policy found"),
    (
        "delete_scheduled_action",
        {**TARGET, "ScheduledActionName": "a"},
        "ObjectNotFoundException",
        "No scheduled action found",
    ),
    (
        "describe_scalable_targets",
        {"ServiceNamespace": "sagemaker", "ScalableDimension": TARGET["ScalableDimension"]},
        "ValidationException",
        "give a resource ID too",
    ),
)


def test_what_cannot_be_is_refused(scaling: Any) -> None:
    for operation, request, code, said in WITHOUT:
        with refused(code, said):
            getattr(scaling, operation)(**request)
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    for request, said in (
        ({**TRACK, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}}, "Exactly one of"),
        ({**TARGET, "PolicyName": "p"}, "StepScalingPolicyConfiguration is required"),
        ({**TRACK, "PolicyType": "PredictiveScaling"}, "not scaled by PredictiveScaling"),
    ):
        with refused("ValidationException", said):
            scaling.put_scaling_policy(**request)


@pytest.mark.parametrize(("config", "goes"), [("other", False), ("larger", False), ("both", True)])
def test_a_variant_that_is_scaled_is_neither_removed_nor_retyped(
    local: LocalAccount, scaling: Any, config: str, goes: bool
) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    sagemaker = local.client("sagemaker")
    if not goes:
        with refused("ValidationException", "must be deregistered as a scalable target"):
            sagemaker.update_endpoint(EndpointName="door", EndpointConfigName=config)
        scaling.deregister_scalable_target(**TARGET)
    sagemaker.update_endpoint(EndpointName="door", EndpointConfigName=config)


def test_with_an_endpoint_goes_what_scaled_it(local: LocalAccount, scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
    local.client("sagemaker").delete_endpoint(EndpointName="door")
    assert found(scaling) == []
    with pytest.raises(ClientError):
        scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=4)
