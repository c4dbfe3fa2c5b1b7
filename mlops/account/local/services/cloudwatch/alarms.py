"""Alarms over one metric. An alarm's state is worked out by whoever asks for it, and kept with its changes under the
store's lock: nobody has to run for it. While a deployment bakes, the endpoint's own process asks for those that it
watches, once a second.

How missing values are treated follows the guide ("Configuring how CloudWatch alarms treat missing data"). The service
looks back further than its evaluation periods where values are missing; here the periods alone are looked at.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from mlops.account.local import events
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch.metrics import metric_of, series, start_of, wrong
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.deployments import ALARM
from mlops.account.local.state import ACCOUNT_ID, State, moment
from mlops.ir.values import Value

KIND = ALARM
Standing: TypeAlias = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
_COMPARE: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_HISTORY = "alarm.changed"
_SET_UNTIL = "SetUntil"
_SHORTEST_SET, _LONGEST_SET = 10, 60
_PAGE = 100


def put_metric_alarm(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["AlarmName"]
    for member in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if request.get(member) is None:
            raise wrong(f"The parameter {member} is required.")
    if request["ComparisonOperator"] not in _COMPARE:
        raise wrong("Anomaly detection is not evaluated by the local account.")
    if (request.get("DatapointsToAlarm") or 1) > request["EvaluationPeriods"]:
        raise wrong("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    _statistic(request)
    body = {member: value for member, value in request.items() if member != "Tags" and value is not None}
    with state.store.transaction():
        before = resources.find(state, KIND, name)
        fresh = {"StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation"}
        kept = {member: value for member, value in (before or fresh).items() if member.startswith("State")}
        kept.setdefault("StateUpdatedTimestamp", moment(datetime.now(UTC)))
        if before is None:
            taken = wrong(f"{name} is there already.")
            resources.insert(state, KIND, name, {**body, **kept}, taken=taken)
        else:
            resources.replace(state, KIND, name, {**body, **kept})
        resources.tag(state, arn(state, name), request)
    return {}


def describe_alarms(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    now = datetime.now(UTC)
    names, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix") or ""
    rows = state.store.all("SELECT name FROM resource WHERE kind = ? ORDER BY name", KIND)
    wanted = [
        row["name"] for row in rows if row["name"].startswith(prefix) and (not names or row["name"] in set(names))
    ]
    found = [alarm for alarm in (evaluated(state, name, now) for name in wanted) if alarm is not None]
    if request.get("StateValue"):
        found = [alarm for alarm in found if alarm["StateValue"] == request["StateValue"]]
    start = start_of(request)
    size = request.get("MaxRecords") or _PAGE
    return {
        "MetricAlarms": found[start : start + size],
        "CompositeAlarms": [],
        "NextToken": str(start + size) if start + size < len(found) else None,
    }


def delete_alarms(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those that are not there are no mistake, as at the service."""
    with state.store.transaction():
        for name in request["AlarmNames"]:
            if resources.find(state, KIND, name) is not None:
                resources.remove(state, KIND, name, arn(state, name))
    return {}


def set_alarm_state(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Until the next evaluation, as at the service: that comes when its period, of 10 to 60 seconds, has gone by."""
    now = datetime.now(UTC)
    with state.store.transaction():
        body = resources.find(state, KIND, request["AlarmName"])
        if body is None:
            raise Refusal("ResourceNotFound", f"{request['AlarmName']} does not exist.", 404)
        _, _, period = _statistic(body)
        lasts = timedelta(seconds=min(max(period, _SHORTEST_SET), _LONGEST_SET))
        _change(state, {**body, _SET_UNTIL: moment(now + lasts)}, request["StateValue"], request["StateReason"], now)
    return {}


def describe_alarm_history(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request.get("AlarmName")
    told = events.read(state.store, kinds=(_HISTORY,), ids={"alarm": name} if name else None, limit=_PAGE)
    return {
        "AlarmHistoryItems": [
            {
                "AlarmName": event.about,
                "AlarmType": "MetricAlarm",
                "Timestamp": event.time,
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {event.detail['from']} to {event.detail['to']}",
            }
            for event in reversed(told)
        ]
    }


def evaluated(state: State, name: str, now: datetime) -> dict[str, Any] | None:
    """As DescribeAlarms tells it, with its state by ``now``; None where there is none. Values are read without the
    store's lock, and what came of them is written under it, unless somebody else was faster."""
    body = resources.find(state, KIND, name)
    if body is None:
        return None
    if moment(now) >= body.get(_SET_UNTIL, ""):
        standing, reason = _judge(state, body, now)
        if standing != body["StateValue"]:
            with state.store.transaction():
                there = resources.find(state, KIND, name)
                if there is None:
                    return None
                is_same = there == body
                body = _change(state, there, standing, reason, now) if is_same else there
    told = {member: value for member, value in body.items() if member != _SET_UNTIL}
    return {**told, "AlarmArn": arn(state, name)}


def red(state: State, names: Iterable[str]) -> str | None:
    """Why a deployment that these watch is to go back, a clause; None where none of them is in alarm. One that is gone
    can tell nothing good."""
    for name in names:
        found = evaluated(state, name, datetime.now(UTC))
        if found is None:
            return f"the alarm {name} does not exist any more"
        if found["StateValue"] == "ALARM":
            return f"the alarm {name} is in state ALARM: {found['StateReason']}"
    return None


def _judge(state: State, alarm: Mapping[str, Any], now: datetime) -> tuple[Standing, str]:
    metric, statistic, period = _statistic(alarm)
    count = alarm["EvaluationPeriods"]
    end = datetime.fromtimestamp(int(now.timestamp()) // period * period, UTC)
    values = [
        value for _, value in series(state, metric, statistic, period, end - timedelta(seconds=count * period), end)
    ]
    compare, words = _COMPARE[alarm["ComparisonOperator"]]
    threshold, needed = float(alarm["Threshold"]), alarm.get("DatapointsToAlarm") or count
    breaching = sum(compare(value, threshold) for value in values)
    standing = standing_of(
        len(values), breaching, count, needed, alarm.get("TreatMissingData") or "missing", alarm["StateValue"]
    )
    told = ", ".join(f"{value:g}" for value in values[-5:]) or "none"
    return standing, (
        f"{breaching} of the last {count} periods were {words} the threshold ({threshold:g}); {needed} are needed. "
        f"Values: {told}."
    )


def standing_of(known: int, breaching: int, count: int, needed: int, missing: str, before: Standing) -> Standing:
    """Of ``count`` periods ``known`` have a value, of which ``breaching`` are beyond the threshold; ``needed`` of them
    make an alarm."""
    unknown = count - known
    if missing == "breaching":
        breaching, unknown = breaching + unknown, 0
    elif missing == "notBreaching":
        unknown = 0
    if breaching >= needed:
        return "ALARM"
    if breaching + unknown < needed:
        return "OK"
    if missing == "ignore":
        return before
    if not known:
        return "INSUFFICIENT_DATA"
    return "ALARM" if breaching == known else "OK"


def _statistic(alarm: Mapping[str, Any]) -> tuple[Any, str, int]:
    """Its metric, statistic and period."""
    if alarm.get("Metrics"):
        queries: Sequence[Mapping[str, Any]] = alarm["Metrics"]
        if len(queries) != 1 or not queries[0].get("MetricStat"):
            raise wrong("Metric math is not evaluated by the local account.")
        wanted = queries[0]["MetricStat"]
        return metric_of(wanted["Metric"]), wanted["Stat"], wanted["Period"]
    if not alarm.get("MetricName") or not alarm.get("Namespace") or not alarm.get("Period"):
        raise wrong("The parameters MetricName, Namespace and Period are required.")
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
    if not statistic:
        raise wrong("One of Statistic and ExtendedStatistic is required.")
    return metric_of(alarm), statistic, alarm["Period"]


def _change(state: State, body: Mapping[str, Any], to: str, reason: str, now: datetime) -> dict[str, Any]:
    changed = {**body, "StateValue": to, "StateReason": reason, "StateUpdatedTimestamp": moment(now)}
    name = body["AlarmName"]
    resources.replace(state, KIND, name, changed)
    detail: dict[str, Value] = {"from": body["StateValue"], "to": to, "reason": reason}
    events.tell(state, _HISTORY, name, {"alarm": name}, detail)
    return changed


def arn(state: State, name: str) -> str:
    return f"arn:aws:cloudwatch:{state.region}:{ACCOUNT_ID}:alarm:{name}"


OPERATIONS = {
    "DeleteAlarms": delete_alarms,
    "DescribeAlarmHistory": describe_alarm_history,
    "DescribeAlarms": describe_alarms,
    "PutMetricAlarm": put_metric_alarm,
    "SetAlarmState": set_alarm_state,
}
