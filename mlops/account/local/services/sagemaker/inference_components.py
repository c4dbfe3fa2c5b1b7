"""Inference components: models on an endpoint that holds several, each with copies of its own, which the endpoint's
process starts and stops. Refusals have the service's words where those are known.

A body has the ``Specification`` that serves, or is to serve first, ``CopyCount`` as it was asked for and
``CurrentCopyCount`` as it is; ``Pending`` is what the process is to take up: a revision and its specification.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import deployments, endpoints, models, resources, scaled
from mlops.account.local.state import State, now
from mlops.ir.values import Value
from mlops.knowledge.this_machine import of_step

KIND = "InferenceComponent"
_STARTED = {"Creating": "CREATE_IN_PROGRESS", "Deleting": "DELETE_IN_PROGRESS"}
_PLACED = ("InferenceComponentName", "EndpointName", "VariantName")
_STEP, _ACTION = "InferenceComponent", "inference_component"


def create_inference_component(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, endpoint = request["InferenceComponentName"], request["EndpointName"]
    arn = arn_of(state, name)
    _need_possible(request)
    _need_sound(request)
    endpoints.found(state, endpoint)
    with state.store.transaction():
        there = endpoints.found(state, endpoint)
        if there["Status"] not in endpoints.SERVING:
            raise invalid(
                f'Endpoint "{endpoints.endpoint_arn(state, endpoint)}" is {there["Status"]}, and has to be InService '
                "to take inference components."
            )
        variant = _variant(state, there, request.get("VariantName"))
        specification = request["Specification"]
        _need_model(state, specification)
        body = {
            "InferenceComponentName": name,
            "EndpointName": endpoint,
            "VariantName": variant,
            "Specification": specification,
            "CopyCount": (request.get("RuntimeConfig") or {}).get("CopyCount", 1),
            "CurrentCopyCount": 0,
            "Revision": 1,
            "Pending": {"Revision": 1, "Specification": specification},
            "AskedAt": now(),
        }
        taken = invalid(f'Cannot create already existing inference component "{arn}".')
        resources.insert(state, KIND, name, body, taken=taken, status="Creating")
        resources.tag(state, arn, request)
        tell(state, name, "creating", {"endpoint": endpoint})
    return {"InferenceComponentArn": arn}


def describe_inference_component(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    body = found(state, request["InferenceComponentName"])
    return {
        **_summary(state, body),
        "FailureReason": body.get("FailureReason"),
        "Specification": _specification(body),
        "RuntimeConfig": {"DesiredCopyCount": body["CopyCount"], "CurrentCopyCount": body["CurrentCopyCount"]},
        "LastDeploymentConfig": body.get("LastDeploymentConfig"),
    }


def list_inference_components(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    for row in state.store.all("SELECT DISTINCT json_extract(body, '$.EndpointName') AS endpoint FROM resource "
                               "WHERE kind = ?", KIND):  # fmt: skip
        endpoints.settle(state, row["endpoint"])
    query = resources.query(KIND, request, descending=True)
    for member in ("EndpointName", "VariantName"):
        if request.get(f"{member}Equals"):
            query.where(f"json_extract(body, '$.{member}') = ?", request[f"{member}Equals"])
    rows, token = query.page(state.store, request)
    return {"InferenceComponents": [_summary(state, body_of(row)) for row in rows], "NextToken": token}


def update_inference_component(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """To another specification, whose copies come before those that serve go; or to another number of copies."""
    specification, count = request.get("Specification"), request.get("RuntimeConfig")
    if specification is None and count is None:
        raise invalid("UpdateInferenceComponent needs a Specification or a RuntimeConfig.")
    _need_possible({**request, "EndpointName": ""})
    return _change(state, request["InferenceComponentName"], specification, count, request.get("DeploymentConfig"))


def update_inference_component_runtime_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request["InferenceComponentName"], None, request["DesiredRuntimeConfig"])


def delete_inference_component(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["InferenceComponentName"]
    endpoint = found(state, name)["EndpointName"]
    with state.store.transaction():
        body = _body(state, name)
        _need_settled(state, name, body, "delete")
        tell(state, name, "deleting")
        scaled.let_go_component(state, name)
        if ownership.owned(state.endpoint_folder(endpoint)):
            store(state, name, body, "Deleting")
        else:
            forget(state, name)
    return {}


def found(state: State, name: str) -> dict[str, Any]:
    """The body with its ``Status``, after looking whether its endpoint's process lives."""
    endpoints.settle(state, _body(state, name)["EndpointName"])
    return _body(state, name)


def of_endpoint(state: State, endpoint: str) -> list[dict[str, Any]]:
    """Their bodies, in the order of their names."""
    rows = state.store.all(
        "SELECT * FROM resource WHERE kind = ? AND json_extract(body, '$.EndpointName') = ? ORDER BY name",
        KIND,
        endpoint,
    )
    return [body_of(row) for row in rows]


def body_of(row: sqlite3.Row) -> dict[str, Any]:
    return {**resources.body_of(row), "Status": row["status"]}


def store(state: State, name: str, body: Mapping[str, Any], status: str) -> None:
    kept = {member: value for member, value in body.items() if member != "Status"}
    resources.replace(state, KIND, name, kept, status)


def forget(state: State, name: str) -> None:
    resources.remove(state, KIND, name, arn_of(state, name))
    tell(state, name, "deleted")


def tell(state: State, name: str, happened: str, detail: Mapping[str, Value] | None = None) -> None:
    """In the transaction of the change."""
    events.tell(state, f"inference-component.{happened}", arn_of(state, name), {"component": name}, detail)


def arn_of(state: State, name: str) -> str:
    return state.arn(f"inference-component/{name}")


def _body(state: State, name: str) -> dict[str, Any]:
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        raise invalid(f'Could not find inference component "{arn_of(state, name)}".')
    return body_of(row)


def _change(
    state: State,
    name: str,
    specification: Mapping[str, Any] | None,
    count: Mapping[str, Any] | None,
    deployment: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    endpoint = found(state, name)["EndpointName"]
    with state.store.transaction():
        body = _body(state, name)
        _need_settled(state, name, body, "update")
        if body["Status"] == "Failed" and (
            specification is None or not ownership.owned(state.endpoint_folder(endpoint))
        ):
            raise invalid(
                f'Cannot update inference component "{arn_of(state, name)}" while it is in state FAILED: '
                f"{body.get('FailureReason')}"
            )
        body |= {"AskedAt": now(), "FailureReason": None}
        if count is not None:
            body["CopyCount"] = count["CopyCount"]
        if specification is not None:
            merged = _merged(body["Specification"], specification)
            _need_sound({**{member: body[member] for member in _PLACED}, "Specification": merged})
            _need_model(state, merged)
            body["Revision"] += 1
            policy = _policy(state, deployment, body["CopyCount"])
            body |= {
                "Pending": {"Revision": body["Revision"], "Specification": merged, "Policy": policy},
                "LastDeploymentConfig": deployment,
            }
        store(state, name, body, "Updating")
        tell(state, name, "updating", {"copies": body["CopyCount"]})
    return {"InferenceComponentArn": arn_of(state, name)}


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is not given stays; a model takes a container's place, and the other way."""
    kept = dict(before)
    for one, other in (("ModelName", "Container"), ("Container", "ModelName")):
        if given.get(one) is not None:
            kept.pop(other, None)
    return {**kept, **{member: value for member, value in given.items() if value is not None}}


def _policy(state: State, deployment: Mapping[str, Any] | None, count: int) -> Mapping[str, Any] | None:
    """As that of an endpoint's update: copies are its instances."""
    if not deployment:
        return None
    rolling = deployment.get("RollingUpdatePolicy") or {}
    sizes = {
        member: {**rolling[member], "Type": rolling[member]["Type"].replace("COPY_COUNT", "INSTANCE_COUNT")}
        for member in ("MaximumBatchSize", "RollbackMaximumBatchSize")
        if rolling.get(member)
    }
    asked = {**deployment, "RollingUpdatePolicy": {**rolling, **sizes}}
    deployments.need_alarms(state, asked)
    # One copy, or none, is replaced at once: there is no batch of it.
    return asked if count > 1 else None


def _need_settled(state: State, name: str, body: Mapping[str, Any], verb: str) -> None:
    status = body["Status"]
    if status in ("InService", "Failed"):
        return
    wanted = "UPDATE_IN_PROGRESS" if body.get("Pending") else "UPDATE_RC_IN_PROGRESS"
    raise invalid(
        f'Cannot {verb} inference component "{arn_of(state, name)}" while it is in state '
        f"{_STARTED.get(status, wanted)}."
    )


def _need_possible(request: Mapping[str, Any]) -> None:
    for obstacle in of_step(_STEP, _ACTION, request):
        raise invalid(f"This inference component cannot run in the local account: {obstacle.message}")


def _need_sound(request: Mapping[str, Any]) -> None:
    """A step of a pipeline, and an update, come by no door that judges what is made."""
    from mlops.check.refused import refused  # loads rules

    if wrong := [*refused("CreateInferenceComponent", request)]:
        raise invalid("; ".join(wrong))


def _need_model(state: State, specification: Mapping[str, Any]) -> None:
    if specification.get("ModelName") is None:
        return
    given = models.listed(models.found(state, specification["ModelName"]))
    if len(given) > 1 or any(container.get("Mode") == models.MULTI_MODEL for container in given):
        raise invalid(
            f"Model {specification['ModelName']} has several containers or models: an inference component serves one."
        )


def _variant(state: State, endpoint: Mapping[str, Any], wanted: str | None) -> str:
    production = endpoints.config(state, endpoint["EndpointConfigName"])["ProductionVariants"]
    if any(variant.get("ModelName") for variant in production):
        raise invalid(
            "Inference Components are not supported in this Endpoint. Please make sure this endpoint can deploy "
            "inference components."
        )
    names = [str(variant["VariantName"]) for variant in production]
    if wanted not in names:
        raise invalid(f"Endpoint {endpoint['EndpointName']} has no variant {wanted}; it has {', '.join(names)}.")
    return str(wanted)


def _summary(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "InferenceComponentName": body["InferenceComponentName"],
        "InferenceComponentArn": arn_of(state, body["InferenceComponentName"]),
        "EndpointName": body["EndpointName"],
        "EndpointArn": endpoints.endpoint_arn(state, body["EndpointName"]),
        "VariantName": body["VariantName"],
        "InferenceComponentStatus": body["Status"],
        "CreationTime": body["CreationTime"],
        "LastModifiedTime": body["LastModifiedTime"],
    }


def _specification(body: Mapping[str, Any]) -> dict[str, Any]:
    """As it is told: a container with the image that was deployed."""
    told = dict(body["Specification"])
    container = told.get("Container")
    if container is not None:
        image = container.get("Image")
        deployed = deployments.images([image], body["CreationTime"])[0] if image else None
        rest = {member: value for member, value in container.items() if member != "Image"}
        told["Container"] = {**rest, **({"DeployedImage": deployed} if deployed else {})}
    return told


OPERATIONS = {
    "CreateInferenceComponent": create_inference_component,
    "DeleteInferenceComponent": delete_inference_component,
    "DescribeInferenceComponent": describe_inference_component,
    "ListInferenceComponents": list_inference_components,
    "UpdateInferenceComponent": update_inference_component,
    "UpdateInferenceComponentRuntimeConfig": update_inference_component_runtime_config,
}
