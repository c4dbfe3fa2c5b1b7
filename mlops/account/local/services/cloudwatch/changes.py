"""An alarm changes its state: that is kept, told as an event of the account and of EventBridge, and acted upon, all in
one transaction; the clock delivers what is to be heard elsewhere.

Actions of a composite alarm wait while its suppressor is in alarm, so long before as ``ActionsSuppressorWaitPeriod``
says, and so long behind as ``ActionsSuppressorExtensionPeriod`` does. What has been owed is done then, if the alarm
still stands as it did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local import clock, events
from mlops.account.local.services.cloudwatch import alarm_bodies
from mlops.account.local.services.cloudwatch.alarm_bodies import OWED, WAS, is_composite, type_of
from mlops.account.local.services.cloudwatch.judging import Verdict
from mlops.account.local.services.events import bus
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State, moment
from mlops.ir.events import Event
from mlops.ir.values import Value

CHANGED, CONFIGURED = "alarm.changed", "alarm.configured"
"""Kinds of events; :mod:`~mlops.account.local.services.cloudwatch.alarm_history` tells them."""
_PATIENCE = timedelta(days=1)


def change(state: State, body: Mapping[str, Any], verdict: Verdict, now: datetime) -> dict[str, Any]:
    """In the caller's transaction, who wakes the clock behind it (:func:`wake`)."""
    at, name = moment(now), str(body["AlarmName"])
    changed = {
        **{member: value for member, value in body.items() if member != OWED},
        "StateValue": verdict.standing,
        "StateReason": verdict.reason[:1023],
        "StateReasonData": verdict.data,
        "StateUpdatedTimestamp": at,
        "StateTransitionedTimestamp": at,
        WAS: body["StateValue"],
    }
    since = (body.get(OWED) or {}).get("from") or body["StateValue"]
    is_over = OWED in body and since == verdict.standing
    owed = None if is_over else _owed(state, changed, now)
    if owed is not None:
        changed[OWED] = {**owed, "from": since}
    resources.replace(state, alarm_bodies.KIND, name, changed)
    _tell(state, body, changed, now)
    event = bus.envelope(
        state,
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        [alarm_bodies.arn(state, name)],
        _detail(body, changed),
        now,
    )
    bus.put(state, event, now)
    if owed is None and not is_over:
        act(state, {**body, "StateValue": since}, changed, now)
    return changed


def _tell(state: State, before: Mapping[str, Any], body: Mapping[str, Any], now: datetime) -> None:
    detail: dict[str, Value] = {
        "type": type_of(body),
        "from": before["StateValue"],
        "to": body["StateValue"],
        "reason": body["StateReason"],
        "before": before["StateReason"],
    }
    events.append(state.store, Event(CHANGED, now, body["AlarmName"], {"alarm": body["AlarmName"]}, detail))


def wake(state: State) -> None:
    """Behind a transaction in which alarms may have changed."""
    if clock.has_posted(state):
        clock.wake(state)


def act(state: State, before: Mapping[str, Any], body: Mapping[str, Any], now: datetime) -> None:
    """Post its actions for the state in which it stands."""
    if body.get("ActionsEnabled") is False:
        return
    name, standing = body["AlarmName"], body["StateValue"]
    for action in alarm_bodies.actions_of(body, standing):
        once = f"{name} {action} {body['StateUpdatedTimestamp']} {standing}"
        told = _to_function(state, before, body) if ":lambda:" in action else _to_topic(state, before, body)
        clock.post(
            state,
            {"Arn": action},
            name,
            {"alarm": name, "action": action},
            token=hashlib.sha256(once.encode()).hexdigest(),
            now=now,
            until=now + _PATIENCE,
            text=json.dumps(told),
        )


def _owed(state: State, body: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """Whether the actions of a change wait for its suppressor, and how long."""
    if not is_composite(body) or not body.get("ActionsSuppressor"):
        return None
    by = alarm_bodies.find(state, alarm_bodies.name_of(body["ActionsSuppressor"]))
    if by is not None and by["StateValue"] == "ALARM":
        return _suppressed("Alarm", body, None)
    if by is not None:
        over = _changed(by) + _seconds(body, "Extension")
        if by.get(WAS) == "ALARM" and now < over:
            return _suppressed("ExtensionPeriod", body, over)
    wait = _seconds(body, "Wait")
    return _suppressed("WaitPeriod", body, now + wait) if wait else None


def settle(state: State, body: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], datetime | None]:
    """What is owed of a composite alarm, by now: done, dropped or waited for; and until when. In a transaction."""
    owed = body.get(OWED)
    if not owed:
        return dict(body), None
    by = alarm_bodies.find(state, alarm_bodies.name_of(body.get("ActionsSuppressor") or ""))
    rings = by is not None and by["StateValue"] == "ALARM"
    until = datetime.fromisoformat(owed["until"]) if owed.get("until") else None
    if rings:
        changed = owed if owed["by"] == "Alarm" else {**owed, **_suppressed("Alarm", body, None)}
        until = None
    elif owed["by"] == "Alarm":
        left = _changed(by) if by is not None else now
        until = left + _seconds(body, "Extension")
        changed = {**owed, **_suppressed("ExtensionPeriod", body, until)} if until > now else None
    else:
        changed = owed if until is not None and until > now else None
    if changed == owed:
        return dict(body), until
    kept = {member: value for member, value in body.items() if member != OWED}
    if changed is not None:
        kept[OWED] = changed
    else:
        act(state, {**body, "StateValue": owed["from"]}, kept, now)
        until = None
    resources.replace(state, alarm_bodies.KIND, body["AlarmName"], kept)
    return kept, until


def _suppressed(by: str, body: Mapping[str, Any], until: datetime | None) -> dict[str, Any]:
    reason = f"Actions suppressed by {by}"
    return {"by": by, "reason": reason, "until": None if until is None else moment(until)}


def _seconds(body: Mapping[str, Any], which: str) -> timedelta:
    return timedelta(seconds=body.get(f"ActionsSuppressor{which}Period") or 0)


def _changed(body: Mapping[str, Any]) -> datetime:
    """Since when it is in its state; an older store knows of one time alone."""
    return _time(body.get("StateTransitionedTimestamp") or body["StateUpdatedTimestamp"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _dated(text: str) -> str:
    return _time(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def _state(body: Mapping[str, Any]) -> dict[str, Any]:
    told = {"value": body["StateValue"], "reason": body["StateReason"]}
    if body.get("StateReasonData"):
        told["reasonData"] = body["StateReasonData"]
    return {**told, "timestamp": _dated(body["StateUpdatedTimestamp"])}


def _detail(before: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Of the event, as the guide's "Alarm events and EventBridge" has it."""
    return {
        "alarmName": body["AlarmName"],
        "configuration": _configuration(body),
        "previousState": _state(before),
        "state": _state(body),
    }


def _configuration(body: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": body["AlarmDescription"]} if body.get("AlarmDescription") else {}
    if is_composite(body):
        told = {"alarmRule": body["AlarmRule"]}
        for member in ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"):
            if body.get(member) is not None:
                told[member[0].lower() + member[1:]] = body[member]
        return {**told, **described}
    metrics = []
    for query in alarm_bodies.queries_of(body):
        listed: dict[str, Any] = {"id": query.id, "returnData": query.is_returned}
        if query.stat is not None:
            metric = query.stat["Metric"]
            listed["metricStat"] = {
                "metric": {
                    "namespace": metric["Namespace"],
                    "name": metric["MetricName"],
                    "dimensions": {item["Name"]: item["Value"] for item in metric.get("Dimensions") or ()},
                },
                "period": query.period,
                "stat": query.stat["Stat"],
            }
        else:
            listed["expression"] = query.expression
        metrics.append(listed)
    return {**described, "metrics": metrics}


def _to_topic(state: State, before: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """What CloudWatch sends to a topic."""
    kept = ("AlarmName", "AlarmDescription", "OKActions", "AlarmActions", "InsufficientDataActions")
    trigger = (
        *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "EvaluationPeriods"),
        *("DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "Metrics", "AlarmRule"),
    )
    return {
        **{member: body[member] for member in kept if body.get(member) is not None},
        "AWSAccountId": ACCOUNT_ID,
        "NewStateValue": body["StateValue"],
        "NewStateReason": body["StateReason"],
        "StateChangeTime": _dated(body["StateUpdatedTimestamp"]),
        "Region": state.region,
        "AlarmArn": alarm_bodies.arn(state, body["AlarmName"]),
        "OldStateValue": before["StateValue"],
        "Trigger": {member: body[member] for member in trigger if body.get(member) is not None},
    }


def _to_function(state: State, before: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """What CloudWatch calls a function with."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm_bodies.arn(state, body["AlarmName"]),
        "accountId": ACCOUNT_ID,
        "time": _dated(body["StateUpdatedTimestamp"]),
        "region": state.region,
        "alarmData": {
            "alarmName": body["AlarmName"],
            "state": _state(body),
            "previousState": _state(before),
            "configuration": _configuration(body),
        },
    }
