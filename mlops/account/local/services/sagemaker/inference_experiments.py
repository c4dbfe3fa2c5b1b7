"""Inference experiments: for a time an endpoint has a shadow variant beside its production variant, then it is as it
was before, or as whoever stops the experiment says.

An experiment knows the configuration that its endpoint is to come to (``Wanted``) and what it is itself then
(``Then``). :func:`advance` takes it as far as it comes, in steps that may be done twice, so that whoever is killed on
the way is followed by whoever comes next: the endpoint's own process, which looks each second, or the next call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mlops.account.local import events
from mlops.account.local.refusal import Refusal, conflict, invalid, not_found
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.account.local.services.sagemaker.experiment_configs import (
    basis,
    configuration,
    endpoint_of,
    stopped,
    variant_names,
)
from mlops.account.local.state import State, moment, now

KIND = endpoints.EXPERIMENT
UNDER_WAY = endpoints.EXPERIMENT_UNDER_WAY
USUAL, LONGEST = timedelta(days=7), timedelta(days=30)
_KEPT = ("Type", "Description", "RoleArn", "EndpointName", "ModelVariants", "DataStorageConfig", "ShadowModeConfig",
         "KmsKey")  # fmt: skip
_DELETABLE = ("Created", "Completed", "Cancelled")
_STEPS = 6
"""Of one look: more than there are from the first status to the last."""
_TRIES = 3
"""Of an update whose process died."""
_CLAIMED = timedelta(seconds=10)
"""So long whoever is about to ask the endpoint has to do so."""


class _Failed(Exception):
    """The endpoint does not come to what is wanted; the text says why."""


def create_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, endpoint = request["Name"], request["EndpointName"]
    time = datetime.now(UTC)
    body = {"Name": name, **{member: request[member] for member in _KEPT if request.get(member) is not None}}
    body["Schedule"] = _schedule(request.get("Schedule") or {}, time, time, time + USUAL)
    configuration(state, body)
    with state.store.transaction():
        for row in _under_way(state, endpoint):
            if row["name"] != name:
                raise _in_use(f"Inference experiment {row['name']} is {row['status']} on endpoint {endpoint}.")
        taken = _in_use(f"Inference experiment {name} already exists.")
        resources.insert(state, KIND, name, body, taken=taken, status="Created")
        resources.tag(state, _arn(state, name), request)
        _tell(state, name, endpoint, "Created")
    advance(state, name)
    return {"InferenceExperimentArn": _arn(state, name)}


def describe_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    advance(state, name)
    body = _body(state, name)
    return {
        **body,
        "Arn": _arn(state, name),
        "EndpointMetadata": _endpoint_metadata(state, body["EndpointName"]),
        "ModelVariants": [
            {**variant, "Status": _variant_status(body, variant["VariantName"])} for variant in body["ModelVariants"]
        ],
    }


def list_inference_experiments(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    for row in _under_way(state):
        advance(state, row["name"])
    rows, token = resources.query(KIND, request, descending=True).page(state.store, request)
    found = [{**resources.body_of(row), "Name": row["name"], "Status": row["status"]} for row in rows]
    return {"InferenceExperiments": found, "NextToken": token}


def start_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Before its time."""
    name = request["Name"]
    advance(state, name)
    with state.store.transaction():
        body = _need(state, name, ("Created",), "started")
        body["Schedule"] = {**body["Schedule"], "StartTime": now()}
        _put(state, name, "Created", body)
    advance(state, name)
    return {"InferenceExperimentArn": _arn(state, name)}


def stop_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    advance(state, name)
    with state.store.transaction():
        body = _need(state, name, ("Created", "Running"), "stopped")
        wanted, gone = stopped(state, body, request)
        # "Cancelled: when you conclude your experiment early" (DescribeInferenceExperiment).
        body |= {
            "Then": request.get("DesiredState") or "Cancelled",
            "StatusReason": request.get("Reason"),
            "Gone": gone,
        }
        if body["Status"] == "Created":
            _put(state, name, "Cancelled", {**body, "CompletionTime": now(), "Gone": variant_names(body)[1:]})
        else:
            changes = {"Scheduled": False, "Serves": body["Wanted"], **_bound_for(wanted)}
            _put(state, name, "Stopping", {**body, **changes})
    advance(state, name)
    return {"InferenceExperimentArn": _arn(state, name)}


def update_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What may be another one before it runs, and what while it does, is the guide's (Edit a shadow test)."""
    name = request["Name"]
    advance(state, name)
    with state.store.transaction():
        body = _need(state, name, ("Created", "Running"), "updated")
        runs = body["Status"] == "Running"
        changed = {**body}
        if request.get("Description") is not None:
            changed["Description"] = request["Description"]
        if request.get("Schedule"):
            start, end = (datetime.fromisoformat(body["Schedule"][member]) for member in ("StartTime", "EndTime"))
            changed["Schedule"] = _schedule(request["Schedule"], datetime.now(UTC), start, end)
            if runs and changed["Schedule"]["StartTime"] != body["Schedule"]["StartTime"]:
                raise invalid("A running inference experiment has begun; only its EndTime can be another one.")
        for member in ("DataStorageConfig", "ShadowModeConfig"):
            if request.get(member) is not None:
                changed[member] = request[member]
        if request.get("ModelVariants"):
            given = {variant["VariantName"]: variant for variant in request["ModelVariants"]}
            kept = {variant["VariantName"]: variant for variant in body["ModelVariants"]}
            changed["ModelVariants"] = list({**kept, **given}.values())
        if not runs:
            configuration(state, changed)
            _put(state, name, "Created", changed)
        else:
            _need_running(body, changed)
            if changed["ShadowModeConfig"] == body["ShadowModeConfig"]:
                _put(state, name, "Running", changed)
            else:
                wanted = configuration(state, changed, basis(body))
                _put(state, name, "Updating", {**changed, "Serves": body["Wanted"], **_bound_for(wanted)})
    advance(state, name)
    return {"InferenceExperimentArn": _arn(state, name)}


def delete_inference_experiment(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of it; the endpoint and its configurations stay."""
    name = request["Name"]
    advance(state, name)
    with state.store.transaction():
        _need(state, name, _DELETABLE, "deleted")
        resources.remove(state, KIND, name, _arn(state, name))
    return {"InferenceExperimentArn": _arn(state, name)}


# How it goes on.


def advance_all(state: State, endpoint: str) -> None:
    """Those of one endpoint. Where nothing is due this reads and writes nothing."""
    for row in _under_way(state, endpoint):
        advance(state, row["name"])


def advance(state: State, name: str) -> None:
    """As far as it comes by now."""
    for _ in range(_STEPS):
        row = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
        if row is None or row["status"] not in UNDER_WAY or not _step(state, name, _body(state, name)):
            return


def _step(state: State, name: str, body: dict[str, Any]) -> bool:
    """Whether its status is another one."""
    status, time = body["Status"], now()
    match status:
        case "Created":
            return body["Schedule"]["StartTime"] <= time and _begin(state, name, body)
        case "Starting" | "Updating" | "Stopping":
            try:
                if not _bring(state, name, body):
                    return False
            except _Failed as failed:
                return _not_there(state, name, body, str(failed))
            ended = {"CompletionTime": time} if status == "Stopping" else {}
            then = body["Then"] if status == "Stopping" else "Running"
            return _move(state, name, body, then, ended)
        case "Running":
            if body["Schedule"]["EndTime"] <= time:
                source, shadow = variant_names(body)
                wanted, gone = stopped(state, body, {"ModelVariantActions": {source: "Retain", shadow: "Remove"}})
                changes = {"Then": "Completed", "Scheduled": True, "Gone": gone, "Serves": body["Wanted"]}
                return _move(state, name, body, "Stopping", {**changes, **_bound_for(wanted)})
            try:
                _bring(state, name, body)
            except _Failed as failed:
                return _end(state, name, body, str(failed))
    return False


def _begin(state: State, name: str, body: dict[str, Any]) -> bool:
    before = endpoint_of(state, body["EndpointName"])
    if before is not None and before["Status"] in ("Creating", "Updating", "RollingBack"):
        return False
    try:
        wanted = configuration(state, body)
    except Refusal as refusal:
        return _end(state, name, body, refusal.message)
    changes = {"Before": before["EndpointConfigName"] if before is not None else None, **_bound_for(wanted)}
    return _move(state, name, body, "Starting", changes)


def _not_there(state: State, name: str, body: dict[str, Any], reason: str) -> bool:
    """What serves did before. One that somebody stops goes on, so that it can be stopped in another way; a time that is
    over does not begin anew."""
    if body["Status"] == "Updating":
        changes = {"StatusReason": _short(reason), **_bound_for(body["Serves"])}
        return _move(state, name, body, "Running", changes)
    if body["Status"] == "Stopping" and not body["Scheduled"]:
        there = resources.find(state, endpoints.KIND, body["EndpointName"])
        if there is not None and there["EndpointConfigName"] == body["Serves"]["EndpointConfigName"]:
            changes = {"StatusReason": _short(reason), "Gone": [], **_bound_for(body["Serves"])}
            return _move(state, name, body, "Running", changes)
    return _end(state, name, body, reason)


def _end(state: State, name: str, body: dict[str, Any], reason: str) -> bool:
    """Before it came to what it was to."""
    return _move(state, name, body, "Cancelled", {"StatusReason": _short(reason), "CompletionTime": now()})


def _bring(state: State, name: str, body: dict[str, Any]) -> bool:
    """Whether the endpoint serves what is wanted; where it was not asked to yet, it is asked now. Raises _Failed."""
    endpoint, wanted = body["EndpointName"], body["Wanted"]["EndpointConfigName"]
    there = endpoint_of(state, endpoint)
    if there is None:
        if body.get("Before") is not None or body["Status"] != "Starting":
            raise _Failed(f"Endpoint {endpoint} was deleted.")
    else:
        status, config, failure = there["Status"], there["EndpointConfigName"], there.get("FailureReason") or ""
        if (status, config) == ("InService", wanted):
            return True
        if status == "InService":
            if body["Status"] == "Running" or body.get("From") not in (None, config):
                raise _Failed(f"Endpoint {endpoint} was updated to {config} meanwhile.")
            if _was_asked(body, there) and endpoints.DIED not in failure:
                raise _Failed(failure or f"Endpoint {endpoint} still serves {config}.")
        elif status in ("Deleting", "UpdateRollbackFailed"):
            raise _Failed(f"Endpoint {endpoint} is {status}.")
        elif status != "Failed":
            return False
        elif failure != endpoints.GONE:
            raise _Failed(failure or f"Endpoint {endpoint} failed.")
    if _claim(state, name, body, there):
        _ask(state, endpoint, body["Wanted"], exists=there is not None)
    return False


def _was_asked(body: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    """Since somebody was about to."""
    claimed, asked = body.get("Claimed"), (there or {}).get("AskedAt")
    return claimed is not None and asked is not None and asked >= claimed


def _claim(state: State, name: str, body: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    """Whether it is for us to ask the endpoint. Of two that come at once one does; one that was killed then is waited
    for a while."""
    with state.store.transaction():
        found = _body(state, name)
        if (found["Status"], found.get("Wanted")) != (body["Status"], body["Wanted"]):
            return False
        claimed, late = found.get("Claimed"), moment(datetime.now(UTC) - _CLAIMED)
        if claimed is not None and claimed > late and not _was_asked(found, there):
            return False
        tries = found.get("Tries", 0) + 1
        if tries > _TRIES and body["Status"] != "Running":
            raise _Failed((there or {}).get("FailureReason") or f"Endpoint {body['EndpointName']} does not come up.")
        config = there["EndpointConfigName"] if there is not None else None
        _put(state, name, body["Status"], {**found, "Claimed": now(), "From": config, "Tries": tries})
    return True


def _ask(state: State, endpoint: str, wanted: Mapping[str, Any], *, exists: bool) -> None:
    name = wanted["EndpointConfigName"]
    try:
        if resources.find(state, endpoints.CONFIG, name) is None:
            endpoints.create_endpoint_config(state, wanted)
        given = {"EndpointName": endpoint, "EndpointConfigName": name}
        if exists:
            endpoints.update_endpoint(state, given)
        else:
            endpoints.create_endpoint(state, given)
    except Refusal as refusal:
        raise _Failed(refusal.message) from None


def _move(state: State, name: str, body: Mapping[str, Any], status: str, changes: Mapping[str, Any]) -> bool:
    """Where nobody else was faster."""
    with state.store.transaction():
        row = state.store.one("SELECT 1 FROM resource WHERE kind = ? AND name = ?", KIND, name)
        found = _body(state, name) if row is not None else {}
        if found.get("Status") != body["Status"] or found.get("Wanted") != body.get("Wanted"):
            return False
        _put(state, name, status, {**found, **changes})
        return True


def _bound_for(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {"Wanted": dict(wanted), "Claimed": None, "From": None, "Tries": 0}


def _need_running(body: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """Raises Refusal for what cannot be another one any more."""
    if changed["ModelVariants"] != body["ModelVariants"] or changed.get("DataStorageConfig") != body.get(
        "DataStorageConfig"
    ):
        raise invalid("While it runs only Description, SamplingPercentage and EndTime of an experiment can be changed.")
    if variant_names(changed) != variant_names(body):
        raise invalid("While it runs the variants of an experiment stay as they are.")


def _schedule(given: Mapping[str, Any], time: datetime, start: datetime, end: datetime) -> dict[str, str]:
    begins = given.get("StartTime") or start
    try:
        ends = given.get("EndTime") or (end if begins == start else begins + (end - start))
        if not time < ends or not begins < ends:
            raise invalid("Schedule: EndTime must be later than StartTime, and not over.")
        if ends - begins > LONGEST:
            raise invalid(f"Schedule: an inference experiment lasts {LONGEST.days} days at the most.")
        return {"StartTime": moment(begins), "EndTime": moment(ends)}
    except OverflowError:
        raise invalid("Schedule: there is no such time.") from None


def _endpoint_metadata(state: State, endpoint: str) -> dict[str, Any]:
    try:
        there = endpoints.found(state, endpoint)
    except Refusal:
        return {"EndpointName": endpoint}
    return {
        "EndpointName": endpoint,
        "EndpointConfigName": there["EndpointConfigName"],
        "EndpointStatus": there["Status"],
        "FailureReason": there.get("FailureReason"),
    }


_STATUSES: Mapping[str, Literal["Creating", "Updating", "InService", "Deleting", "Deleted"]] = {
    "Created": "Creating",
    "Starting": "Creating",
    "Running": "InService",
    "Updating": "Updating",
    "Stopping": "Updating",
}


def _variant_status(body: Mapping[str, Any], variant: str) -> str:
    over = body["Status"] not in UNDER_WAY
    if variant in (body.get("Gone") or ()):
        return "Deleted" if over else "Deleting"
    if over and not body.get("Then"):  # it was cut off: what serves did before
        return "InService" if variant == variant_names(body)[0] else "Deleted"
    if body["Status"] in ("Created", "Starting") and body.get("Before") and variant == variant_names(body)[0]:
        return "InService"
    return "InService" if over else _STATUSES[body["Status"]]


# Rows.


def _under_way(state: State, endpoint: str | None = None) -> list[Any]:
    """The rows of those that have not ended."""
    marks = ", ".join("?" for _ in UNDER_WAY)
    rows = state.store.all(
        f"SELECT * FROM resource WHERE kind = ? AND status IN ({marks})",  # noqa: S608 - question marks
        KIND,
        *UNDER_WAY,
    )
    return [row for row in rows if endpoint in (None, resources.body_of(row)["EndpointName"])]


def _body(state: State, name: str) -> dict[str, Any]:
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", KIND, name)
    if row is None:
        raise not_found(f"Inference experiment {name}")
    return {**resources.body_of(row), "Status": row["status"]}


def _need(state: State, name: str, statuses: tuple[str, ...], doing: str) -> dict[str, Any]:
    body = _body(state, name)
    if body["Status"] not in statuses:
        raise conflict(f"Inference experiment {name} is {body['Status']} and cannot be {doing}.")
    return body


def _put(state: State, name: str, status: str, body: Mapping[str, Any]) -> None:
    """In the caller's transaction."""
    before = state.store.one("SELECT status FROM resource WHERE kind = ? AND name = ?", KIND, name)
    kept = {member: value for member, value in body.items() if member != "Status"}
    resources.replace(state, KIND, name, kept, status)
    if before is None or before["status"] != status:
        _tell(state, name, body["EndpointName"], status, body.get("StatusReason"))


def _tell(state: State, name: str, endpoint: str, status: str, reason: str | None = None) -> None:
    detail = {"reason": reason} if reason else {}
    ids = {"inference-experiment": name, "endpoint": endpoint}
    events.tell(state, f"inference-experiment.{status.lower()}", _arn(state, name), ids, detail)


def _in_use(message: str) -> Refusal:
    return Refusal("ResourceInUse", message)


def _short(reason: str) -> str:
    return reason[: endpoints.LONGEST_REASON]


def _arn(state: State, name: str) -> str:
    return state.arn(f"inference-experiment/{name}")


OPERATIONS = {
    "CreateInferenceExperiment": create_inference_experiment,
    "DeleteInferenceExperiment": delete_inference_experiment,
    "DescribeInferenceExperiment": describe_inference_experiment,
    "ListInferenceExperiments": list_inference_experiments,
    "StartInferenceExperiment": start_inference_experiment,
    "StopInferenceExperiment": stop_inference_experiment,
    "UpdateInferenceExperiment": update_inference_experiment,
}
