"""Endpoint configurations and endpoints. An endpoint is served by a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mlops.account.local import events, ownership
from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import capturing, deployments, models, resources, scaled
from mlops.account.local.settling import remove_containers
from mlops.account.local.state import State, now
from mlops.ir.values import Value
from mlops.run.beneath import remove

KIND = "Endpoint"
CONFIG = "EndpointConfig"
EXPERIMENT = "InferenceExperiment"
COMPONENT = "InferenceComponent"
EXPERIMENT_UNDER_WAY = ("Creating", "Created", "Starting", "Running", "Updating", "Stopping")
LOG_FOLDER = "logs"
SERVING = ("InService", "Updating", "RollingBack", "UpdateRollbackFailed")
ALIVE = ("Creating", *SERVING, "Deleting")
GONE = "its process is gone; UpdateEndpoint starts it again"
DIED = "the endpoint's process died while it was under way"
LONGEST_REASON = 1024
_MOST_REVIVALS = 3
_WAIT_SECONDS = 10.0
_CHANGEABLE = ("InService", "UpdateRollbackFailed")
_NOT_KEPT = frozenset({"Tags"})
WAITING = "waiting"
"""The folder of asynchronous requests that no model was asked yet, below the endpoint's."""


def create_endpoint_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointConfigName"]
    arn = _config_arn(state, name)
    body = judged_config(state, request)
    with state.store.transaction():
        taken = invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        resources.insert(state, CONFIG, name, body, taken=taken)
        resources.tag(state, arn, request)
    return {"EndpointConfigArn": arn}


def judged_config(state: State, request: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a request for one. Raises Refusal where it could not serve."""
    production, shadow = request["ProductionVariants"], request.get("ShadowProductionVariants") or []
    names = [variant["VariantName"] for variant in [*production, *shadow]]
    if len(set(names)) != len(names):
        raise invalid("Variant names must be unique within an endpoint configuration.")
    if shadow and (len(production), len(shadow)) != (1, 1):
        raise invalid("With a shadow variant there is exactly one production and one shadow variant.")
    body = {member: value for member, value in request.items() if member not in _NOT_KEPT and value is not None}
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        if body.get(member):
            body[member] = [_variant(state, variant) for variant in body[member]]
    capturing.need_destination(body)
    if any(not variant.get("ModelName") for variant in [*production, *shadow]):
        _need_hosting(body)
    else:
        _need_modes(state, body)
    if all(variant["InitialVariantWeight"] == 0 for variant in body["ProductionVariants"]):
        raise invalid("At least one production variant needs a weight above 0.")
    return body


def describe_endpoint_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointConfigName"]
    return {**config(state, name), "EndpointConfigArn": _config_arn(state, name)}


def list_endpoint_configs(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows, token = resources.query(CONFIG, request, descending=True).page(state.store, request)
    return {
        "EndpointConfigs": [
            {**resources.body_of(row), "EndpointConfigArn": _config_arn(state, row["name"])} for row in rows
        ],
        "NextToken": token,
    }


def delete_endpoint_config(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointConfigName"]
    with state.store.transaction():
        config(state, name)
        for row in state.store.all("SELECT * FROM resource WHERE kind = ?", KIND):
            body = resources.body_of(row)
            if name in (body.get("EndpointConfigName"), body.get("PendingConfigName")):
                raise invalid(f"Endpoint configuration {name} is in use by endpoint {row['name']}.")
        held = state.store.one(
            "SELECT name FROM resource WHERE kind = ? AND status IN (SELECT value FROM json_each(?)) "
            "AND json_extract(body, '$.Before') = ?",
            EXPERIMENT,
            json.dumps(EXPERIMENT_UNDER_WAY),
            name,
        )
        if held is not None:
            raise invalid(f"Inference experiment {held['name']} brings {name} back when it ends.")
        resources.remove(state, CONFIG, name, _config_arn(state, name))
    return {}


def create_endpoint(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointName"]
    arn = endpoint_arn(state, name)
    settle(state, name)
    body = {
        "EndpointName": name,
        "EndpointConfigName": request["EndpointConfigName"],
        "PendingConfigName": request["EndpointConfigName"],
        "LastDeploymentConfig": request.get("DeploymentConfig"),
        "Weights": {},
        "Counts": {},
    }
    taken = invalid(f'Cannot create already existing endpoint "{arn}".')
    if resources.find(state, KIND, name) is not None:
        raise taken
    descriptor = _take(state, name)
    inserted = False
    try:
        # Of one of that name that was deleted; before there is an endpoint that would be asked for it.
        remove(state.endpoint_folder(name) / WAITING)
        with state.store.transaction():
            _need_models(state, request["EndpointConfigName"])
            # It is kept for later: there is nothing yet from which traffic could be shifted.
            wanted = deployments.wanted_of(state, config(state, request["EndpointConfigName"]), {})
            deployments.effective(state, request.get("DeploymentConfig"), wanted, None)
            body["Deployment"] = deployments.begun(state, config(state, request["EndpointConfigName"]), None)
            resources.insert(state, KIND, name, body, taken=taken, status="Creating")
            resources.tag(state, arn, request)
            tell(state, name, "creating", {"config": body["PendingConfigName"]})
        inserted = True
    finally:
        if not inserted:
            os.close(descriptor)
    ownership.hand_over(descriptor, state.folder, state.region, "endpoint", name, state.endpoint_folder(name))
    return {"EndpointArn": arn}


def describe_endpoint(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return told(state, found(state, request["EndpointName"]))


def told(state: State, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a body with its ``Status``."""
    name, status = body["EndpointName"], body["Status"]
    serving = status in SERVING and bool(body.get("Port"))
    deployment = body.get("Deployment")
    described = {
        **body,
        "EndpointArn": endpoint_arn(state, name),
        "EndpointStatus": status,
        "ProductionVariants": _summaries(body, "ProductionVariants") if serving else None,
        "ShadowProductionVariants": _summaries(body, "ShadowProductionVariants") if serving else None,
    }
    if status in ("Creating", "Updating", "RollingBack") and deployment:
        described["PendingDeploymentSummary"] = {
            "EndpointConfigName": deployment["EndpointConfigName"],
            "StartTime": deployment["StartTime"],
            **deployments.pending(resources.find(state, CONFIG, deployment["EndpointConfigName"]), body),
        }
    return described


def list_endpoints(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    for row in state.store.all("SELECT name FROM resource WHERE kind = ?", KIND):
        settle(state, row["name"])
    rows, token = resources.query(KIND, request, descending=True).page(state.store, request)
    return {
        "Endpoints": [
            {
                **resources.body_of(row),
                "EndpointArn": endpoint_arn(state, row["name"]),
                "EndpointStatus": row["status"],
            }
            for row in rows
        ],
        "NextToken": token,
    }


def update_endpoint(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Also the way back for an endpoint whose process is gone, which SageMaker cannot have."""
    name, wanted = request["EndpointName"], request["EndpointConfigName"]
    found(state, name)
    # Where no process holds the endpoint, we do, and hand it to a new one.
    descriptor = ownership.take(state.endpoint_folder(name))
    changed = False
    try:
        with state.store.transaction():
            body = _body(state, name)
            allowed = (*_CHANGEABLE, *(("Failed",) if descriptor is not None else ()))
            if body["Status"] not in allowed:
                raise invalid(f'Cannot update endpoint "{endpoint_arn(state, name)}" while it is {body["Status"]}.')
            _need_models(state, wanted)
            serving = config(state, body["EndpointConfigName"])["ProductionVariants"]
            scaled.need_free(state, name, serving, config(state, wanted)["ProductionVariants"])
            _need_places(state, name, config(state, wanted))
            _retain(body, request)
            body["LastDeploymentConfig"] = _deployment_config(body, request)
            policy = _policy(state, body, wanted) if descriptor is None else None
            body |= {
                "PendingConfigName": wanted,
                "FailureReason": None,
                "AskedAt": now(),
                "Deployment": deployments.begun(state, config(state, wanted), policy),
            }
            _store(state, name, body, "Updating" if descriptor is None else "Creating")
            tell(state, name, "updating" if descriptor is None else "creating", {"config": wanted})
        changed = True
    finally:
        if not changed and descriptor is not None:
            os.close(descriptor)
    if descriptor is not None:
        ownership.hand_over(descriptor, state.folder, state.region, "endpoint", name, state.endpoint_folder(name))
    return {"EndpointArn": endpoint_arn(state, name)}


def update_endpoint_weights_and_capacities(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Takes effect when the endpoint's process looks next, some tenths of a second later."""
    name = request["EndpointName"]
    found(state, name)
    with state.store.transaction():
        body = _body(state, name)
        if body["Status"] != "InService":
            raise invalid(f'Cannot update endpoint "{endpoint_arn(state, name)}" while it is {body["Status"]}.')
        weights, counts = dict(body["Weights"]), dict(body["Counts"])
        for item in request["DesiredWeightsAndCapacities"]:
            variant = item["VariantName"]
            if variant not in weights:
                raise invalid(f"Endpoint {name} has no variant {variant}; it has {', '.join(sorted(weights))}.")
            if item.get("DesiredWeight") is not None:
                weights[variant] = item["DesiredWeight"]
            if item.get("DesiredInstanceCount") is not None:
                counts[variant] = item["DesiredInstanceCount"]
        if not any(weights.values()):
            raise invalid("At least one production variant needs a weight above 0.")
        body |= {"Weights": weights, "Counts": counts, "AskedAt": now()}
        _store(state, name, body, "Updating")
        tell(state, name, "updating", {"weights": weights, "counts": counts})
    return {"EndpointArn": endpoint_arn(state, name)}


def delete_endpoint(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["EndpointName"]
    with state.store.transaction():
        body = _body(state, name)
        held = [component for component, _ in components_on(state, name)]
        if held:
            raise invalid(
                f'Cannot delete endpoint "{endpoint_arn(state, name)}": it has the inference components '
                f"{', '.join(held)}. Delete them first."
            )
        if body["Status"] != "Deleting":
            tell(state, name, "deleting")
        _store(state, name, body, "Deleting")
        scaled.let_go(state, name)
    settle(state, name)
    return {}


def found(state: State, name: str) -> dict[str, Any]:
    """The body with its ``Status``, after looking whether the endpoint's process lives."""
    settle(state, name)
    return _body(state, name)


def config(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, CONFIG, name)
    if body is None:
        raise invalid(f'Could not find endpoint configuration "{_config_arn(state, name)}".')
    return body


def address(state: State, name: str) -> str | None:
    """Where its process takes requests as SageMaker Runtime does; None where it takes none."""
    body = resources.find(state, KIND, name)
    return f"http://127.0.0.1:{body['Port']}/endpoints/{name}/invocations" if body and body.get("Port") else None


def endpoint_arn(state: State, name: str) -> str:
    return state.arn(f"endpoint/{name}")


def tell(state: State, name: str, happened: str, detail: Mapping[str, Value] | None = None) -> None:
    """In the transaction of the change. ``happened`` is the new status as an event says it, e.g. ``in-service``."""
    events.tell(state, f"endpoint.{happened}", endpoint_arn(state, name), {"endpoint": name}, detail)


def config_of(state: State, name: str) -> dict[str, Any] | None:
    """The configuration that an endpoint is to have, or has; None where it is gone."""
    body = resources.find(state, KIND, name) or {}
    wanted = body.get("PendingConfigName") or body.get("EndpointConfigName")
    return None if wanted is None else resources.find(state, CONFIG, wanted)


def _config_arn(state: State, name: str) -> str:
    return state.arn(f"endpoint-config/{name}")


def _variant(state: State, variant: Mapping[str, Any]) -> dict[str, Any]:
    if variant.get("ModelName"):
        models.found(state, variant["ModelName"])
    elif variant.get("ServerlessConfig"):
        raise invalid(f"Variant {variant['VariantName']} is serverless, and inference components want instances.")
    has_instances = variant.get("InstanceType") or variant.get("InstancePools")
    if bool(variant.get("ServerlessConfig")) == bool(has_instances):
        raise invalid(f"Variant {variant['VariantName']} needs an InstanceType or a ServerlessConfig, and not both.")
    return {"InitialVariantWeight": 1.0, **variant}


def _need_modes(state: State, body: Mapping[str, Any]) -> None:
    """What does not go together; said before anything is started."""
    production, shadow = body["ProductionVariants"], body.get("ShadowProductionVariants") or []
    for variant in [*production, *shadow]:
        name, model = variant["VariantName"], models.found(state, variant["ModelName"])
        given = models.listed(model)
        many = any(container.get("Mode") == models.MULTI_MODEL for container in given)
        if shadow and (many or len(given) > 1):
            raise invalid(f"Variant {name}: a shadow variant does not go with several containers or MultiModel.")
        if not variant.get("ServerlessConfig"):
            continue
        against = {
            "other variants": len(production) + len(shadow) > 1,
            "several containers": len(given) > 1,
            "a MultiModel container": many,
            "a VpcConfig": bool(model.get("VpcConfig")),
            "network isolation": bool(model.get("EnableNetworkIsolation")),
            "data capture": capturing.enabled(body),
        }
        found = next((what for what, is_so in against.items() if is_so), None)
        if found is not None:
            raise invalid(f"Variant {name} is serverless, which does not go with {found}.")


def _need_hosting(body: Mapping[str, Any]) -> None:
    """A configuration is for models or for inference components."""
    variants = [*body["ProductionVariants"], *(body.get("ShadowProductionVariants") or ())]
    serving = [variant["VariantName"] for variant in variants if variant.get("ModelName")]
    if serving:
        raise invalid(f"Variant {serving[0]} has a ModelName, and others have none: all of them have one, or none has.")
    if body.get("ShadowProductionVariants"):
        raise invalid("A shadow variant needs a ModelName: inference components have no shadow.")
    if not body.get("ExecutionRoleArn"):
        raise invalid("ExecutionRoleArn is required for an endpoint configuration whose variants have no ModelName.")


def _need_models(state: State, config_name: str) -> None:
    body = config(state, config_name)
    for variant in [*body["ProductionVariants"], *body.get("ShadowProductionVariants", [])]:
        if variant.get("ModelName"):
            models.found(state, variant["ModelName"])


def _need_places(state: State, name: str, wanted: Mapping[str, Any]) -> None:
    """For the inference components that are on the endpoint."""
    free = {variant["VariantName"] for variant in wanted["ProductionVariants"] if not variant.get("ModelName")}
    for held, variant in components_on(state, name):
        if variant not in free:
            raise invalid(
                f"Inference component {held} is on variant {variant} of endpoint {name}, which "
                f"{wanted['EndpointConfigName']} has not for inference components; delete it first."
            )


def components_on(state: State, endpoint: str) -> list[tuple[str, str]]:
    """The names of its inference components, and of the variants that they are on."""
    rows = state.store.all(
        "SELECT name, json_extract(body, '$.VariantName') AS variant FROM resource "
        "WHERE kind = ? AND json_extract(body, '$.EndpointName') = ? ORDER BY name",
        COMPONENT,
        endpoint,
    )
    return [(row["name"], row["variant"]) for row in rows]


def _body(state: State, name: str) -> dict[str, Any]:
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        raise invalid(f'Could not find endpoint "{endpoint_arn(state, name)}".')
    return {**resources.body_of(row), "Status": row["status"]}


def _store(state: State, name: str, body: Mapping[str, Any], status: str) -> None:
    kept = {member: value for member, value in body.items() if member != "Status"}
    resources.replace(state, KIND, name, kept, status)


def _retain(body: dict[str, Any], request: Mapping[str, Any]) -> None:
    """``Retained`` is read by the endpoint's process when it takes the new configuration up."""
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties") or ()}
    keep = bool(request.get("RetainAllVariantProperties"))
    body["Retained"] = {
        "Weights": body["Weights"] if keep and "DesiredWeight" not in excluded else {},
        "Counts": body["Counts"] if keep and "DesiredInstanceCount" not in excluded else {},
    }


def _deployment_config(body: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    given: Mapping[str, Any] | None = request.get("DeploymentConfig")
    if not request.get("RetainDeploymentConfig"):
        return given
    if given:
        raise invalid("RetainDeploymentConfig reuses the last DeploymentConfig, and takes no other one.")
    last: Mapping[str, Any] | None = body.get("LastDeploymentConfig")
    return last


def _policy(state: State, body: Mapping[str, Any], wanted: str) -> Mapping[str, Any] | None:
    variants = deployments.wanted_of(state, config(state, wanted), body["Retained"]["Counts"])
    return deployments.effective(state, body["LastDeploymentConfig"], variants, body["Weights"])


def kept(config_name: str, wanted: str, reason: str) -> str:
    """A FailureReason."""
    return f"The update to {wanted} failed, {config_name} still serves: {reason}"[:LONGEST_REASON]


def settle(state: State, name: str) -> None:
    """What is told of an endpoint whose process is gone is brought in line, and what was to go with it."""
    row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None or row["status"] not in (*ALIVE, "Failed") or ownership.owned(state.endpoint_folder(name)):
        return
    if row["status"] in ALIVE:
        remove_containers()
    if row["status"] in ("Updating", "RollingBack") and _revive(state, name):
        return
    with state.store.transaction():
        row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
        if row is None or ownership.owned(state.endpoint_folder(name)):
            return
        if row["status"] == "Deleting":
            resources.remove(state, KIND, name, endpoint_arn(state, name))
            tell(state, name, "deleted")
        elif row["status"] in ALIVE:
            tell(state, name, "failed", {"failure": GONE})
            _store(state, name, {**_body(state, name), "FailureReason": GONE, "Port": None}, "Failed")
            _fail_components(state, name)


def _fail_components(state: State, name: str) -> None:
    """Those that served with the process that is gone come again with the next one."""
    rows = state.store.all(
        "SELECT * FROM resource WHERE kind = ? AND json_extract(body, '$.EndpointName') = ?", COMPONENT, name
    )
    for row in rows:
        if row["status"] == "Deleting":
            resources.remove(state, COMPONENT, row["name"], state.arn(f"inference-component/{row['name']}"))
        elif row["status"] != "Failed":
            gone = {"FailureReason": GONE, "Gone": True, "Pending": None, "CurrentCopyCount": 0}
            resources.replace(state, COMPONENT, row["name"], {**resources.body_of(row), **gone}, "Failed")


def _revive(state: State, name: str) -> bool:
    """Another process for an endpoint whose own died while it was changed: it serves what served before, as much of it
    as was asked for, and a deployment is rolled back. Whether somebody is at it now."""
    descriptor = ownership.take(state.endpoint_folder(name))
    if descriptor is None:
        return True
    revived = False
    try:
        with state.store.transaction():
            row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
            body = _body(state, name) if row is not None else {}
            times = (body.get("Revivals") or 0) + 1
            if body.get("Status") not in ("Updating", "RollingBack") or times > _MOST_REVIVALS:
                return False
            before, pending = body["EndpointConfigName"], body.get("Deployment") or {}
            # Older versions wrote no more of a deployment than this.
            wanted = pending.get("EndpointConfigName") or body.get("PendingConfigName") or before
            body |= {"PendingConfigName": before, "AskedAt": now(), "Port": None, "Revivals": times}
            body["Retained"] = {"Weights": body["Weights"], "Counts": body["Counts"]}
            if wanted != before:
                reason = pending.get("Back") or DIED
                body["TakenBack"] = kept(before, wanted, reason)
                body["Deployment"] = {**pending, "Policy": None, "Back": reason} if pending else None
            _store(state, name, body, "RollingBack" if wanted != before else "Updating")
            tell(state, name, "revived", {"config": before})
        revived = True
    finally:
        if not revived:
            os.close(descriptor)
    ownership.hand_over(descriptor, state.folder, state.region, "endpoint", name, state.endpoint_folder(name))
    return True


def _take(state: State, name: str) -> int:
    """The process of a deleted endpoint of this name may still be stopping its model servers."""
    descriptor = ownership.take(state.endpoint_folder(name), _WAIT_SECONDS)
    if descriptor is None:
        raise invalid(f"Endpoint {name} is still being deleted.")
    return descriptor


def _summaries(body: Mapping[str, Any], member: str) -> list[dict[str, Any]] | None:
    variants = (body.get("Serving") or {}).get(member)
    if not variants:
        return None
    shadow = member.startswith("Shadow")
    return [
        {
            "VariantName": variant["VariantName"],
            "DeployedImages": deployments.images(variant["Images"], variant["Since"]) or None,
            **(
                {"CurrentWeight": variant["Weight"], "DesiredWeight": variant["Weight"]}
                if shadow
                else {
                    "CurrentWeight": body["CurrentWeights"][variant["VariantName"]],
                    "DesiredWeight": body["Weights"][variant["VariantName"]],
                }
            ),
            **_capacity(body, variant, shadow),
        }
        for variant in variants
    ]


def _capacity(body: Mapping[str, Any], variant: Mapping[str, Any], shadow: bool) -> dict[str, Any]:
    if variant.get("ServerlessConfig"):
        return {
            "CurrentServerlessConfig": variant["ServerlessConfig"],
            "DesiredServerlessConfig": variant["ServerlessConfig"],
        }
    count = variant["Count"] if shadow else body["Counts"].get(variant["VariantName"], variant["Count"])
    progress = ((body.get("Deployment") or {}).get("Variants") or {}).get(variant["VariantName"])
    current = progress["left"] if progress and not shadow else count
    return {"CurrentInstanceCount": current, "DesiredInstanceCount": count}


OPERATIONS = {
    "CreateEndpoint": create_endpoint,
    "CreateEndpointConfig": create_endpoint_config,
    "DeleteEndpoint": delete_endpoint,
    "DeleteEndpointConfig": delete_endpoint_config,
    "DescribeEndpoint": describe_endpoint,
    "DescribeEndpointConfig": describe_endpoint_config,
    "ListEndpointConfigs": list_endpoint_configs,
    "ListEndpoints": list_endpoints,
    "UpdateEndpoint": update_endpoint,
    "UpdateEndpointWeightsAndCapacities": update_endpoint_weights_and_capacities,
}
