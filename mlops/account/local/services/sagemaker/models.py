"""Models: which containers with which data serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import registry, resources
from mlops.account.local.state import State

KIND = "Model"
_KEPT = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


def create_model(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["ModelName"]
    arn = state.arn(f"model/{name}")
    if ("PrimaryContainer" in request) == bool(request.get("Containers")):
        raise invalid("Exactly one of PrimaryContainer and Containers must be given.")
    for container in [request["PrimaryContainer"]] if "PrimaryContainer" in request else request["Containers"]:
        _need_source(state, container)
    given = {member: request[member] for member in _KEPT if request.get(member) is not None}
    with state.store.transaction():
        taken = invalid(f'Cannot create already existing model "{arn}".')
        resources.insert(state, KIND, name, {"ModelName": name, "EnableNetworkIsolation": False, **given}, taken=taken)
        resources.tag(state, arn, request)
    return {"ModelArn": arn}


def describe_model(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _told(state, found(state, request["ModelName"]))


def list_models(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = resources.query(KIND, request, descending=True).page(state.store, request)
    return {"Models": [_told(state, resources.body_of(row)) for row in rows], "NextToken": token}


def delete_model(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name = found(state, request["ModelName"])["ModelName"]
        resources.remove(state, KIND, name, state.arn(f"model/{name}"))
    return {}


def found(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise invalid(f'Could not find model "{state.arn(f"model/{name}")}".')
    return body


def containers(state: State, name: str) -> list[dict[str, Any]]:
    """What serves, in order; model packages are resolved to what they hold."""
    body = found(state, name)
    listed: list[dict[str, Any]] = body.get("Containers") or [body["PrimaryContainer"]]
    resolved: list[dict[str, Any]] = []
    for container in listed:
        if "ModelPackageName" not in container:
            resolved.append(container)
            continue
        row = registry.package(state, container["ModelPackageName"])
        for packaged in registry.containers(row):
            environment = {**packaged.get("Environment", {}), **container.get("Environment", {})}
            resolved.append({**packaged, "Environment": environment})
    return resolved


def _need_source(state: State, container: Mapping[str, Any]) -> None:
    package = container.get("ModelPackageName")
    if package is None:
        if not container.get("Image"):
            raise invalid("A container needs an Image or a ModelPackageName.")
        if container.get("ModelDataUrl") and container.get("ModelDataSource"):
            raise invalid("ModelDataUrl and ModelDataSource exclude each other.")
        return
    if container.get("Image") or container.get("ModelDataUrl") or container.get("ModelDataSource"):
        raise invalid("A container with a ModelPackageName takes no Image and no model data.")
    row = registry.package(state, package)
    if row["version"] != registry.UNVERSIONED and row["approval"] != "Approved":
        raise invalid(
            f"Model package {package} must be approved before a model can be created from it; it is {row['approval']}."
        )


def _told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "ModelArn": state.arn(f"model/{body['ModelName']}")}


OPERATIONS = {
    "CreateModel": create_model,
    "DeleteModel": delete_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
}
