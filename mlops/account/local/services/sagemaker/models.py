"""Models: which containers with which data serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import registry, resources
from mlops.account.local.state import State
from mlops.ir.s3_uri import as_s3

KIND = "Model"
MULTI_MODEL, DIRECT = "MultiModel", "Direct"
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
    _need_modes(request)
    given = {member: request[member] for member in _KEPT if request.get(member) is not None}
    with state.store.transaction():
        taken = invalid(f'Cannot create already existing model "{arn}".')
        resources.insert(state, KIND, name, {"ModelName": name, "EnableNetworkIsolation": False, **given}, taken=taken)
        resources.tag(state, arn, request)
    return {"ModelArn": arn}


def describe_model(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return told(state, found(state, request["ModelName"]))


def list_models(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = resources.query(KIND, request, descending=True).page(state.store, request)
    return {"Models": [told(state, resources.body_of(row)) for row in rows], "NextToken": token}


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
    resolved: list[dict[str, Any]] = []
    for container in listed(body):
        if "ModelPackageName" not in container:
            resolved.append(container)
            continue
        row = registry.package(state, container["ModelPackageName"])
        for packaged in registry.containers(row):
            environment = {**packaged.get("Environment", {}), **container.get("Environment", {})}
            own = {member: container[member] for member in ("ContainerHostname", "Mode") if container.get(member)}
            resolved.append({**packaged, **own, "Environment": environment})
    return resolved


def listed(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The containers as they were given, in order."""
    return list(body.get("Containers") or [body["PrimaryContainer"]])


def data_of(container: Mapping[str, Any]) -> str:
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return as_s3(str(container.get("ModelDataUrl") or source.get("S3Uri") or ""))


def _need_modes(request: Mapping[str, Any]) -> None:
    """What a container that hosts many models, and containers that are invoked one by one, have to be."""
    given = listed(request)
    many = [container for container in given if container.get("Mode") == MULTI_MODEL]
    if many and len(given) > 1:
        raise invalid("More than one container in MultiModel mode is not supported with inference pipeline.")
    if any(container.get("ModelPackageName") or not data_of(container) for container in many):
        raise invalid("A MultiModel container needs an Image and a ModelDataUrl, below which its models lie.")
    if (request.get("InferenceExecutionConfig") or {}).get("Mode") != DIRECT:
        return
    names = [container.get("ContainerHostname") for container in given]
    if len(given) > 1 and (None in names or len(set(names)) != len(names)):
        raise invalid("Containers that are invoked directly need a ContainerHostname each, all different.")


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


def told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "ModelArn": state.arn(f"model/{body['ModelName']}")}


OPERATIONS = {
    "CreateModel": create_model,
    "DeleteModel": delete_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
}
