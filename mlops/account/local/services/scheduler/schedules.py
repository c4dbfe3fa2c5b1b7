"""Schedules and their groups. They are fired by the clock (:mod:`mlops.account.local.process.clock`)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Mapping
from typing import Any

from mlops.account.local import clock
from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge

KIND, GROUP = "Schedule", "ScheduleGroup"
_DEFAULT = "default"
_KEPT = (
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)
_DEFAULTS = {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE"}


def create_schedule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group, name = _need_group(state, request), request["Name"]
    taken = Refusal("ConflictException", f"Schedule {name} already exists.", 409)

    def act() -> Mapping[str, Any]:
        resources.insert(state, KIND, f"{group}/{name}", _body(request), taken=taken)
        return {"ScheduleArn": arn(state, f"{group}/{name}")}

    reply = _once(state, "CreateSchedule", request, act)
    if request.get("State") != "DISABLED":
        clock.wake(state)
    return reply


def update_schedule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is not given has its default again, as the service has it."""
    with state.store.transaction():
        group, name, _ = _found(state, request)
        resources.replace(state, KIND, f"{group}/{name}", _body(request))
    if request.get("State") != "DISABLED":
        clock.wake(state)
    return {"ScheduleArn": arn(state, f"{group}/{name}")}


def get_schedule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group, name, body = _found(state, request)
    return {**_dated(body), "Name": name, "GroupName": group, "Arn": arn(state, f"{group}/{name}")}


def delete_schedule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group, name, _ = _found(state, request)
    with state.store.transaction():
        resources.remove(state, KIND, f"{group}/{name}", arn(state, f"{group}/{name}"))
        clock.forget(state, KIND, f"{group}/{name}")
    return {}


def list_schedules(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    if request.get("GroupName"):
        _begins(query, f"{request['GroupName']}/")
    if request.get("NamePrefix"):
        prefix = request["NamePrefix"]
        query.where("substr(name, instr(name, '/') + 1, ?) = ?", len(prefix), prefix)
    if request.get("State"):
        query.where("json_extract(body, '$.State') = ?", request["State"])
    rows, token = query.page(state.store, request)
    found = []
    for row in rows:
        group, _, name = row["name"].partition("/")
        body = _dated(resources.body_of(row))
        target = {"Target": {"Arn": body["Target"]["Arn"]}}
        found.append({**body, **target, "Name": name, "GroupName": group, "Arn": arn(state, row["name"])})
    return {"Schedules": found, "NextToken": token}


def create_schedule_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    taken = Refusal("ConflictException", f"Schedule group {name} already exists.", 409)
    if name == _DEFAULT:
        raise taken

    def act() -> Mapping[str, Any]:
        told = _arn_of(state, "schedule-group", name)
        resources.insert(state, GROUP, name, {"State": "ACTIVE"}, taken=taken)
        resources.tag(state, told, request)
        return {"ScheduleGroupArn": told}

    return _once(state, "CreateScheduleGroup", request, act)


def get_schedule_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    body = resources.find(state, GROUP, name)
    if body is None and name != _DEFAULT:
        raise _missing(f"Schedule group {name}")
    return {"State": "ACTIVE", **_dated(body or {}), "Name": name, "Arn": _arn_of(state, "schedule-group", name)}


def delete_schedule_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """With all that is in it."""
    name = request["Name"]
    with state.store.transaction() as connection:
        if resources.find(state, GROUP, name) is None:
            raise _missing(f"Schedule group {name}")
        connection.execute(
            "DELETE FROM resource WHERE kind = ? AND substr(name, 1, ?) = ?", (KIND, len(name) + 1, f"{name}/")
        )
        resources.remove(state, GROUP, name, _arn_of(state, "schedule-group", name))
    return {}


def list_schedule_groups(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", GROUP)
    if request.get("NamePrefix"):
        _begins(query, request["NamePrefix"])
    rows, token = query.page(state.store, request)
    made = [(row["name"], _dated(resources.body_of(row))) for row in rows]
    if not request.get("NextToken") and _DEFAULT.startswith(request.get("NamePrefix") or ""):
        made = [(_DEFAULT, {"State": "ACTIVE"}), *made]
    groups = [{**body, "Name": name, "Arn": _arn_of(state, "schedule-group", name)} for name, body in made]
    return {"ScheduleGroups": groups, "NextToken": token}


def _begins(query: Query, prefix: str) -> None:
    query.where("substr(name, 1, ?) = ?", len(prefix), prefix)


def _body(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        judge(request["ScheduleExpression"])
    except Malformed as wrong:
        raise invalid(f"Invalid Schedule Expression {request['ScheduleExpression']}: {wrong}") from None
    zone = request.get("ScheduleExpressionTimezone") or "UTC"
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Provided ScheduleExpressionTimezone {zone} is not valid.") from None
    return {**_DEFAULTS, **{member: request[member] for member in _KEPT if request.get(member) is not None}}


def _found(state: State, request: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    group, name = request.get("GroupName") or _DEFAULT, request["Name"]
    body = resources.find(state, KIND, f"{group}/{name}")
    if body is None:
        raise _missing(f"Schedule {name}")
    return group, name, body


def _need_group(state: State, request: Mapping[str, Any]) -> str:
    group: str = request.get("GroupName") or _DEFAULT
    if group != _DEFAULT and resources.find(state, GROUP, group) is None:
        raise _missing(f"Schedule group {group}")
    return group


def _missing(what: str) -> Refusal:
    return Refusal("ResourceNotFoundException", f"{what} does not exist.", 404)


def _once(
    state: State, operation: str, request: Mapping[str, Any], act: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """A client token that comes again has the first reply again."""
    return resources.once(state, operation, request.get("ClientToken"), request, act)


def _dated(body: Mapping[str, Any]) -> dict[str, Any]:
    """Its times by the names that this service has for them."""
    told = {name: value for name, value in body.items() if name not in ("CreationTime", "LastModifiedTime")}
    if "CreationTime" in body:
        told |= {"CreationDate": body["CreationTime"], "LastModificationDate": body["LastModifiedTime"]}
    return told


def arn(state: State, name: str) -> str:
    """``name`` with its group: ``default/daily``."""
    return _arn_of(state, "schedule", name)


def _arn_of(state: State, kind: str, name: str) -> str:
    return f"arn:aws:scheduler:{state.region}:{ACCOUNT_ID}:{kind}/{name}"


OPERATIONS = {
    "CreateSchedule": create_schedule,
    "CreateScheduleGroup": create_schedule_group,
    "DeleteSchedule": delete_schedule,
    "DeleteScheduleGroup": delete_schedule_group,
    "GetSchedule": get_schedule,
    "GetScheduleGroup": get_schedule_group,
    "ListScheduleGroups": list_schedule_groups,
    "ListSchedules": list_schedules,
    "UpdateSchedule": update_schedule,
}
