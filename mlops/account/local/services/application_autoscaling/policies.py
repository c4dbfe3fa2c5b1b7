"""Scaling policies of targets. Target tracking keeps no alarms here, since nothing is scaled."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.application_autoscaling.targets import missing, name_of, need_target, page
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.scaled import POLICY
from mlops.account.local.state import ACCOUNT_ID, State

_CONFIGURED = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}


def put_scaling_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        target = need_target(state, request)
        name = _name(target, request)
        before = resources.find(state, POLICY, name)
        kind = request.get("PolicyType") or (before or {}).get("PolicyType") or "StepScaling"
        configured = _configured(kind, request)
        if before is not None and before["PolicyType"] != kind:
            raise invalid("The type of a scaling policy cannot be changed.")
        body = {
            **{
                member: request[member]
                for member in ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension", configured)
            },
            "PolicyType": kind,
            "PolicyARN": before["PolicyARN"] if before is not None else _arn(state, request),
            "Alarms": [],
        }
        if before is None:
            resources.insert(state, POLICY, name, body, taken=invalid(f"{name} is there already."))
        else:
            resources.replace(state, POLICY, name, body)
    return {"PolicyARN": body["PolicyARN"], "Alarms": []}


def describe_scaling_policies(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    of = [request["ResourceId"]] if request.get("ResourceId") else None
    found, token = page(state, POLICY, request, of, request.get("PolicyNames"))
    return {"ScalingPolicies": found, "NextToken": token}


def delete_scaling_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(name_of(request), request)
    with state.store.transaction():
        found = resources.find(state, POLICY, name)
        if found is None:
            raise missing("scaling policy found", request, f", policy name: {request['PolicyName']}")
        resources.remove(state, POLICY, name, found["PolicyARN"])
    return {}


def _configured(kind: str, request: Mapping[str, Any]) -> str:
    """The member that says how."""
    member = _CONFIGURED.get(kind)
    if member is None:
        raise invalid(f"Variants are not scaled by {kind}.")
    how = request.get(member)
    if not how:
        raise invalid(f"{member} is required for a policy of the type {kind}.")
    metrics = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    if kind == "TargetTrackingScaling" and sum(bool(how.get(metric)) for metric in metrics) != 1:
        raise invalid(f"Exactly one of {' and '.join(metrics)} is needed.")
    return member


def _name(target: str, request: Mapping[str, Any]) -> str:
    return f"{target} {request['PolicyName']}"


def _arn(state: State, request: Mapping[str, Any]) -> str:
    resource = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
    return (
        f"arn:aws:autoscaling:{state.region}:{ACCOUNT_ID}:scalingPolicy:{uuid.uuid4()}:{resource}:"
        f"policyName/{request['PolicyName']}"
    )


OPERATIONS = {
    "DeleteScalingPolicy": delete_scaling_policy,
    "DescribeScalingPolicies": describe_scaling_policies,
    "PutScalingPolicy": put_scaling_policy,
}
