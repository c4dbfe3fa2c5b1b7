"""Alarms over metrics and over other alarms: put, told, switched and removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import clock, events
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import alarm_bodies, changes, judging
from mlops.account.local.services.cloudwatch.alarm_bodies import KIND, SET_UNTIL, arn, find, is_composite, name_of
from mlops.account.local.services.cloudwatch.evaluating import evaluated, set_until
from mlops.account.local.services.cloudwatch.series import start_of, wrong
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State
from mlops.ir.events import Event
from mlops.knowledge.cloudwatch import alarm_rules, faults

_PAGE = 100
_NOT_HERE = ("EvaluationCriteria", "EvaluationWindow", "WarmUpConfiguration", "EvaluationInterval")


def put_metric_alarm(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _judge(request)
    _put(state, request)
    return {}


def put_composite_alarm(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    for fault in faults.of_composite(request):
        raise wrong(fault)
    rule = alarm_rules.parse(request["AlarmRule"])
    gone = [told for told in dict.fromkeys(alarm_rules.alarms(rule)) if find(state, name_of(told)) is None]
    if gone:
        raise wrong(f"Could not save the composite alarm as alarms [{', '.join(gone)}] in the alarm rule do not exist")
    if request.get("ActionsSuppressor") and find(state, name_of(request["ActionsSuppressor"])) is None:
        raise wrong(f"The actions suppressor {request['ActionsSuppressor']} does not exist.")
    _put(state, request)
    return {}


def _put(state: State, request: Mapping[str, Any]) -> None:
    """Made, or replaced but for its state and its tags."""
    name, now = request["AlarmName"], datetime.now(UTC)
    body = {member: value for member, value in request.items() if member != "Tags" and value is not None}
    with state.store.transaction():
        before = find(state, name)
        if before is not None and is_composite(before) != is_composite(body):
            raise wrong(f"There is an alarm {name} of another type.")
        kept = alarm_bodies.fresh(now) if before is None else alarm_bodies.states(before)
        kept.pop("EvaluationState", None)
        whole = {**body, **kept, "AlarmConfigurationUpdatedTimestamp": now}
        if before is None:
            resources.insert(state, KIND, name, whole, taken=wrong(f"{name} is there already."))
            resources.tag(state, arn(state, name), request)
        else:
            resources.replace(state, KIND, name, whole)
        _tell(state, body, "created" if before is None else "updated", now)
    clock.wake(state)


def _tell(state: State, body: Mapping[str, Any], what: str, now: datetime) -> None:
    name = body["AlarmName"]
    detail = {"what": what, "type": alarm_bodies.type_of(body)}
    events.append(state.store, Event(changes.CONFIGURED, now, name, {"alarm": name}, detail))


def describe_alarms(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    types = request.get("AlarmTypes") or ("MetricAlarm",)
    names = [name for name, body in alarm_bodies.every(state) if _is_asked(state, body, request, types)]
    found = [alarm for alarm in (evaluated(state, name, now) for name in names) if alarm is not None]
    if request.get("StateValue"):
        found = [alarm for alarm in found if alarm["StateValue"] == request["StateValue"]]
    start = start_of(request)
    size = request.get("MaxRecords") or _PAGE
    page = found[start : start + size]
    return {
        "MetricAlarms": [alarm for alarm in page if not is_composite(alarm)],
        "CompositeAlarms": [alarm for alarm in page if is_composite(alarm)],
        "NextToken": str(start + size) if start + size < len(found) else None,
    }


def _is_asked(state: State, body: Mapping[str, Any], request: Mapping[str, Any], types: Any) -> bool:
    name = body["AlarmName"]
    if alarm_bodies.type_of(body) not in types or not name.startswith(request.get("AlarmNamePrefix") or ""):
        return False
    if request.get("AlarmNames") and name not in request["AlarmNames"]:
        return False
    prefix = request.get("ActionPrefix")
    listed = [action for member in _ACTIONS for action in body.get(member) or ()]
    if prefix and not any(action.startswith(prefix) for action in listed):
        return False
    parent, child = request.get("ChildrenOfAlarmName"), request.get("ParentsOfAlarmName")
    if parent and name not in _children(find(state, parent)):
        return False
    return not child or child in _children(body)


_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def _children(body: Mapping[str, Any] | None) -> set[str]:
    if body is None or not is_composite(body):
        return set()
    return {name_of(told) for told in alarm_rules.alarms(alarm_rules.parse(body["AlarmRule"]))}


def describe_alarms_for_metric(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of one metric, without metric math, as the service has it."""
    wanted = {member: request.get(member) for member in ("Namespace", "MetricName")}
    pairs = _pairs(request.get("Dimensions"))
    found = []
    for name, body in alarm_bodies.every(state):
        if is_composite(body) or any(body.get(member) != value for member, value in wanted.items()):
            continue
        others = ("Statistic", "ExtendedStatistic", "Period", "Unit")
        if _pairs(body.get("Dimensions")) != pairs or any(
            request.get(member) not in (None, body.get(member)) for member in others
        ):
            continue
        found.append(evaluated(state, name, datetime.now(UTC)))
    return {"MetricAlarms": [alarm for alarm in found if alarm is not None]}


def _pairs(dimensions: Any) -> list[tuple[str, str]]:
    return sorted((item["Name"], item["Value"]) for item in dimensions or ())


def delete_alarms(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those that are not there are no mistake, as at the service."""
    with state.store.transaction():
        for name in request["AlarmNames"]:
            body = find(state, name)
            if body is not None:
                resources.remove(state, KIND, name, arn(state, name))
                clock.forget(state, KIND, name)
                _tell(state, body, "deleted", datetime.now(UTC))
    return {}


def set_alarm_state(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Until the next evaluation, as at the service: that comes when its period, of 10 to 60 seconds, has gone by."""
    now = datetime.now(UTC)
    with state.store.transaction():
        body = find(state, request["AlarmName"])
        if body is None:
            raise Refusal("ResourceNotFound", f"{request['AlarmName']} does not exist.", 404)
        body = {**body, SET_UNTIL: set_until(body, now)}
        data = request.get("StateReasonData") or json.dumps({"version": "1.0"})
        verdict = judging.Verdict(request["StateValue"], request["StateReason"], data)
        if verdict.standing == body["StateValue"]:
            resources.replace(state, KIND, body["AlarmName"], {**body, "StateReason": verdict.reason})
        else:
            changes.change(state, body, verdict, now)
    changes.wake(state)
    return {}


def _switched(to: bool) -> Callable[[State, Mapping[str, Any]], Mapping[str, Any]]:
    def switch(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with state.store.transaction():
            for name in request["AlarmNames"]:
                body = find(state, name)
                if body is not None:
                    resources.replace(state, KIND, name, {**body, "ActionsEnabled": to})
                    _tell(state, body, "updated", datetime.now(UTC))
        return {}

    return switch


def _judge(request: Mapping[str, Any]) -> None:
    for member in _NOT_HERE:
        if request.get(member) is not None:
            raise wrong(f"{member} is not evaluated by the local account.")
    for fault in faults.of_alarm(request):
        raise wrong(fault)
    alarm_bodies.queries_of(request)


OPERATIONS = {
    "DeleteAlarms": delete_alarms,
    "DescribeAlarms": describe_alarms,
    "DescribeAlarmsForMetric": describe_alarms_for_metric,
    "DisableAlarmActions": _switched(False),
    "EnableAlarmActions": _switched(True),
    "PutCompositeAlarm": put_composite_alarm,
    "PutMetricAlarm": put_metric_alarm,
    "SetAlarmState": set_alarm_state,
}
