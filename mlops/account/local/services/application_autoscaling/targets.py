"""What may be scaled between which bounds, and what of it is suspended."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import endpoints, resources, tags
from mlops.account.local.services.sagemaker.scaled import POLICY, TARGET, forget
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.account.local.tagging import as_list

_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_DIMENSIONS: Mapping[str, str] = {
    "sagemaker:variant:DesiredInstanceCount": "endpoint",
    "sagemaker:variant:DesiredProvisionedConcurrency": "endpoint",
    "sagemaker:inference-component:DesiredCopyCount": "inference-component",
}
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def register_scalable_target(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Also changes one that is there: what is not given stays."""
    name = name_of(request)
    asked = {member: request[member] for member in ("MinCapacity", "MaxCapacity") if request.get(member) is not None}
    with state.store.transaction():
        _need_variant(state, request)
        before = resources.find(state, TARGET, name)
        if before is None and len(asked) < 2:
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        body = {**(before or {}), **asked}
        if body["MinCapacity"] < 0:
            raise invalid("Minimum capacity must not be less than 0.")
        if body["MinCapacity"] > body["MaxCapacity"]:
            raise invalid("Maximum capacity cannot be less than minimum capacity.")
        given = request.get("SuspendedState") or {}
        kept = (before or {}).get("SuspendedState") or {}
        suspended = {member: given.get(member, kept.get(member, False)) for member in SUSPENDED}
        body |= {
            **{member: request[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            "SuspendedState": suspended,
            "RoleARN": _role(),
        }
        if before is None:
            body["ScalableTargetARN"] = _arn(state)
            resources.insert(state, TARGET, name, body, taken=invalid(f"{name} is registered already."))
        else:
            resources.replace(state, TARGET, name, body)
        if request.get("Tags"):
            tags.put_tags(state, body["ScalableTargetARN"], as_list(request["Tags"]))
    return {"ScalableTargetARN": body["ScalableTargetARN"]}


def deregister_scalable_target(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """With its policies and scheduled actions, as at the service."""
    name = name_of(request)
    with state.store.transaction():
        if resources.find(state, TARGET, name) is None:
            raise missing("scalable target found", request)
        forget(state, name)
    return {}


def describe_scalable_targets(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found, token = page(state, TARGET, request, request.get("ResourceIds"))
    return {"ScalableTargets": found, "NextToken": token}


def page(
    state: State, kind: str, request: Mapping[str, Any], of: list[str] | None, names: list[str] | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """``of`` are resources, ``names`` those of policies or actions: all of them where none is given."""
    dimension = request.get("ScalableDimension")
    if dimension and not of:
        raise invalid("To give a scalable dimension, give a resource ID too.")
    query = Query("resource", ("name",), False).where("kind = ?", kind)
    query.where("json_extract(body, '$.ServiceNamespace') = ?", request["ServiceNamespace"])
    if dimension:
        query.where("json_extract(body, '$.ScalableDimension') = ?", dimension)
    if of:
        query.where(f"json_extract(body, '$.ResourceId') IN ({', '.join('?' * len(of))})", *of)
    if names:
        member = "PolicyName" if kind == POLICY else "ScheduledActionName"
        query.where(f"json_extract(body, '$.{member}') IN ({', '.join('?' * len(names))})", *names)
    rows, token = query.page(state.store, request)
    return [resources.body_of(row) for row in rows], token


def name_of(request: Mapping[str, Any]) -> str:
    """Of a target. Raises :class:`Refusal` for what is none of SageMaker's."""
    namespace, resource, dimension = (
        str(request[member]) for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")
    )
    if namespace != "sagemaker":
        raise invalid(f"The local account has nothing of {namespace} that could be scaled.")
    if _DIMENSIONS.get(dimension) != resource.partition("/")[0]:
        raise invalid(f"Unsupported service namespace, resource type or scalable dimension: {resource}, {dimension}")
    return f"{resource} {dimension}"


def need_target(state: State, request: Mapping[str, Any]) -> str:
    name = name_of(request)
    if resources.find(state, TARGET, name) is None:
        raise missing("scalable target registered", request)
    return name


def missing(what: str, request: Mapping[str, Any], more: str = "") -> Refusal:
    return Refusal(
        "ObjectNotFoundException",
        f"No {what} for service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}{more}",
    )


def _need_variant(state: State, request: Mapping[str, Any]) -> None:
    resource = str(request["ResourceId"])
    named = _VARIANT.fullmatch(resource)
    if named is None:
        kind, _, component = resource.partition("/")
        if kind == "inference-component":
            if resources.find(state, endpoints.COMPONENT, component) is None:
                raise invalid(f"Inference component {component} does not exist.")
            return
        raise invalid(f"{resource} names no variant: endpoint/NAME/variant/NAME.")
    endpoint, variant = named.groups()
    body = endpoints.found(state, endpoint)
    if body["Status"] not in ("InService", "Updating") or variant not in body["Weights"]:
        raise invalid(f"Variant {variant} of the endpoint {endpoint} does not exist, or is not in service.")


def _arn(state: State) -> str:
    return f"arn:aws:application-autoscaling:{state.region}:{ACCOUNT_ID}:scalable-target/{uuid.uuid4().hex}"


def _role() -> str:
    name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    return f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/{name}"


OPERATIONS = {
    "DeregisterScalableTarget": deregister_scalable_target,
    "DescribeScalableTargets": describe_scalable_targets,
    "RegisterScalableTarget": register_scalable_target,
}
