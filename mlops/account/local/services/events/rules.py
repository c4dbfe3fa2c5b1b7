"""Rules of event buses and what they aim at. What an event or a schedule makes of them, the clock delivers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import clock, events
from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.events import bus as events_bus
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.knowledge.eventbridge import event_patterns
from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge

KIND = events_bus.KIND
_DEFAULT = events_bus.DEFAULT
_KEPT = ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")


def put_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Made, or replaced whole but for its targets."""
    bus, name = _names(request)
    _judge(request, bus)
    body = {"State": "ENABLED", **{member: request[member] for member in _KEPT if request.get(member) is not None}}
    with state.store.transaction():
        _listen(state)
        before = resources.find(state, KIND, f"{bus}/{name}")
        body["Targets"] = before["Targets"] if before is not None else {}
        if before is None:
            resources.insert(state, KIND, f"{bus}/{name}", body, taken=Refusal("InternalException", "Ask again.", 500))
            resources.tag(state, _arn(state, bus, name), request)
        else:
            resources.replace(state, KIND, f"{bus}/{name}", body)
    _wake(state, body)
    return {"RuleArn": _arn(state, bus, name)}


def describe_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    bus, name, body = _found(state, request, "Name")
    return {**_told(state, bus, name, body), "CreatedBy": ACCOUNT_ID}


def list_rules(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    bus = _bus(request)
    prefix = f"{bus}/{request.get('NamePrefix') or ''}"
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    query.where("substr(name, 1, ?) = ?", len(prefix), prefix)
    # A bus of a partner has slashes in its name, a rule has none.
    query.where("instr(substr(name, ?), '/') = 0", len(bus) + 2)
    rows, token = query.page(state.store, {"MaxResults": request.get("Limit"), "NextToken": request.get("NextToken")})
    found = [(row["name"].rpartition("/")[2], resources.body_of(row)) for row in rows]
    return {"Rules": [_told(state, bus, name, body) for name, body in found], "NextToken": token}


def delete_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is not there is gone, as the service has it."""
    bus, name = _names(request)
    with state.store.transaction():
        body = resources.find(state, KIND, f"{bus}/{name}")
        if body is not None and body["Targets"]:
            raise invalid("Rule can't be deleted since it has targets.")
        resources.remove(state, KIND, f"{bus}/{name}", _arn(state, bus, name))
    return {}


def enable_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _switched(state, request, "ENABLED")


def disable_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _switched(state, request, "DISABLED")


def put_targets(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        bus, name, body = _found(state, request, "Rule")
        targets = {**body["Targets"], **{target["Id"]: target for target in request["Targets"]}}
        resources.replace(state, KIND, f"{bus}/{name}", {**body, "Targets": targets})
    return {"FailedEntryCount": 0, "FailedEntries": []}


def remove_targets(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        bus, name, body = _found(state, request, "Rule")
        left = {key: target for key, target in body["Targets"].items() if key not in request["Ids"]}
        resources.replace(state, KIND, f"{bus}/{name}", {**body, "Targets": left})
    missing = [key for key in request["Ids"] if key not in body["Targets"]]
    told = {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Rule {name} does not have such a target."}
    return {"FailedEntryCount": len(missing), "FailedEntries": [{"TargetId": key, **told} for key in missing]}


def list_targets_by_rule(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _, _, body = _found(state, request, "Rule")
    return {"Targets": [body["Targets"][key] for key in sorted(body["Targets"])]}


def put_events(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Each for itself, as the service takes them: one that lacks a member is told in its place."""
    now, told = datetime.now(UTC), list[dict[str, str]]()
    with state.store.transaction():
        for entry in request["Entries"]:
            told.append(_put(state, entry, now))
        waits = clock.has_posted(state)
    if waits:
        clock.wake(state)
    return {"FailedEntryCount": sum("ErrorCode" in item for item in told), "Entries": told}


def _listen(state: State) -> None:
    """Before a rule is changed: where none hears what SageMaker tells, one that is to do so hears nothing of before."""
    if not events_bus.hears_the_service(state):
        clock.mark_read(state, events_bus.SERVICE_EVENTS, events.last(state.store))


def _wake(state: State, body: Mapping[str, Any]) -> None:
    """A rule that waits for what somebody puts has nothing for the clock to do until that comes."""
    pattern = json.loads(body.get("EventPattern") or "null")
    waits = body.get("ScheduleExpression") or (pattern and events_bus.is_of_the_service(pattern))
    if waits and body["State"] == "ENABLED":
        clock.wake(state)


def _put(state: State, entry: Mapping[str, Any], now: datetime) -> dict[str, str]:
    for member in ("Source", "DetailType", "Detail"):
        if not entry.get(member):
            return {
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": f"Parameter {member} is not valid. Reason: it is empty",
            }
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    at = entry.get("Time") or now
    event = events_bus.envelope(
        state, entry["Source"], entry["DetailType"], list(entry.get("Resources") or ()), detail, at.astimezone(UTC)
    )
    events_bus.put(state, event, now, bus=_bus(entry))
    return {"EventId": str(event["id"])}


def _judge(request: Mapping[str, Any], bus: str) -> None:
    schedule, pattern = request.get("ScheduleExpression"), request.get("EventPattern")
    if not (schedule or pattern):
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule:
        if bus != _DEFAULT:
            raise invalid("ScheduleExpression is supported only on the default event bus.")
        try:
            judge(schedule)
        except Malformed as error:
            raise invalid(f"Parameter ScheduleExpression is not valid: {error}") from None
        if schedule.startswith("at("):
            raise invalid("Parameter ScheduleExpression is not valid: a rule has no at(…), EventBridge Scheduler has")
    if pattern:
        try:
            read = json.loads(pattern)
        except (ValueError, RecursionError):
            raise _no_pattern("it is no JSON") from None
        for wrong in event_patterns.malformed(read):
            raise _no_pattern(wrong)


def _no_pattern(why: str) -> Refusal:
    return Refusal("InvalidEventPatternException", f"Event pattern is not valid. Reason: {why}")


def _switched(state: State, request: Mapping[str, Any], to: str) -> Mapping[str, Any]:
    with state.store.transaction():
        _listen(state)
        bus, name, body = _found(state, request, "Name")
        resources.replace(state, KIND, f"{bus}/{name}", {**body, "State": to})
    _wake(state, {**body, "State": to})
    return {}


def _found(state: State, request: Mapping[str, Any], member: str) -> tuple[str, str, dict[str, Any]]:
    bus, name = _bus(request), request[member]
    body = resources.find(state, KIND, f"{bus}/{name}")
    if body is None:
        raise Refusal("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus}.")
    return bus, name, body


def _names(request: Mapping[str, Any]) -> tuple[str, str]:
    return _bus(request), request["Name"]


def _bus(request: Mapping[str, Any]) -> str:
    """By its name or ARN."""
    return str(request.get("EventBusName") or _DEFAULT).rpartition(":event-bus/")[2]


def _told(state: State, bus: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {member: body[member] for member in _KEPT if member in body}
    return {"Name": name, "Arn": _arn(state, bus, name), "EventBusName": bus, **kept}


def _arn(state: State, bus: str, name: str) -> str:
    place = name if bus == _DEFAULT else f"{bus}/{name}"
    return f"arn:aws:events:{state.region}:{ACCOUNT_ID}:rule/{place}"


OPERATIONS = {
    "DeleteRule": delete_rule,
    "DescribeRule": describe_rule,
    "DisableRule": disable_rule,
    "EnableRule": enable_rule,
    "ListRules": list_rules,
    "ListTargetsByRule": list_targets_by_rule,
    "PutEvents": put_events,
    "PutRule": put_rule,
    "PutTargets": put_targets,
    "RemoveTargets": remove_targets,
}
