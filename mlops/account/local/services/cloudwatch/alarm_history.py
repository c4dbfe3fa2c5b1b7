"""DescribeAlarmHistory: what the account's events say of alarms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local import events
from mlops.account.local.services.cloudwatch.changes import CHANGED, CONFIGURED
from mlops.account.local.services.cloudwatch.series import start_of
from mlops.account.local.state import State
from mlops.ir.events import Event

_MADE, _FAILED = "delivery.made", "delivery.failed"
_TYPES = {CHANGED: "StateUpdate", CONFIGURED: "ConfigurationUpdate", _MADE: "Action", _FAILED: "Action"}
_PAGE = 100
_EVERY = 1_000_000


def describe_alarm_history(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Newest first, unless it is asked for otherwise; also of alarms that are gone."""
    name, wanted = request.get("AlarmName"), request.get("HistoryItemType")
    kinds = [kind for kind, type_ in _TYPES.items() if wanted in (None, type_)]
    told = events.read(state.store, kinds=kinds, ids={"alarm": name} if name else None, limit=_EVERY) if kinds else []
    start, end = request.get("StartDate"), request.get("EndDate")
    types = request.get("AlarmTypes") or ("MetricAlarm", "CompositeAlarm")
    found = [
        _item(event)
        for event in told
        if "alarm" in event.ids
        and (start is None or event.time >= _utc(start))
        and (end is None or event.time < _utc(end))
        and event.detail.get("type", "MetricAlarm") in types
    ]
    if request.get("ScanBy") != "TimestampAscending":
        found.reverse()
    first, size = start_of(request), request.get("MaxRecords") or _PAGE
    token = str(first + size) if first + size < len(found) else None
    return {"AlarmHistoryItems": found[first : first + size], "NextToken": token}


def _item(event: Event) -> dict[str, Any]:
    summary, data = _said(event)
    return {
        "AlarmName": event.ids["alarm"],
        "AlarmType": event.detail.get("type", "MetricAlarm"),
        "Timestamp": event.time,
        "HistoryItemType": _TYPES[event.kind],
        "HistorySummary": summary[:255],
        "HistoryData": json.dumps({"version": "1.0", **data})[:4095],
    }


def _said(event: Event) -> tuple[str, dict[str, Any]]:
    detail = event.detail
    if event.kind == CHANGED:
        states = {"oldState": ("from", "before"), "newState": ("to", "reason")}
        data = {
            name: {"stateValue": detail.get(value), "stateReason": detail.get(reason, "")}
            for name, (value, reason) in states.items()
        }
        return f"Alarm updated from {detail['from']} to {detail['to']}", data
    if event.kind == CONFIGURED:
        verb = str(detail["what"])
        return f'Alarm "{event.ids["alarm"]}" {verb}', {"type": "Create" if verb == "created" else verb.capitalize()}
    action = event.ids.get("action", "")
    if event.kind == _MADE:
        return f"Successfully executed action {action}", {"actionState": "Succeeded", "notificationResource": action}
    failed = {"actionState": "Failed", "notificationResource": action, "error": detail.get("reason", "")}
    return f"Failed to execute action {action}", failed


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


OPERATIONS = {"DescribeAlarmHistory": describe_alarm_history}
