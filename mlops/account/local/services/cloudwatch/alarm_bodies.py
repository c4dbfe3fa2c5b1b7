"""What an alarm is, in the store and in ARNs: metric alarms and composite ones share their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from mlops.account.local.services.cloudwatch.queries import Query, read
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.deployments import ALARM
from mlops.account.local.state import ACCOUNT_ID, State, moment

KIND = ALARM
SET_UNTIL, OWED, WAS = "SetUntil", "Owed", "WasBefore"
"""Members of ours in a body: until when a state that somebody set stands; actions that are suppressed, and by what; the
state before."""
_OURS = (SET_UNTIL, OWED, WAS)
_SHORTEST_EVALUATION, _LONGEST_EVALUATION = 10, 60


def arn(state: State, name: str) -> str:
    return f"arn:aws:cloudwatch:{state.region}:{ACCOUNT_ID}:alarm:{name}"


def name_of(told: str) -> str:
    """Of a name or an ARN."""
    return told.partition(":alarm:")[2] if told.startswith("arn:") else told


def is_composite(body: Mapping[str, Any]) -> bool:
    return "AlarmRule" in body


def type_of(body: Mapping[str, Any]) -> str:
    return "CompositeAlarm" if is_composite(body) else "MetricAlarm"


def find(state: State, name: str) -> dict[str, Any] | None:
    return resources.find(state, KIND, name)


def every(state: State) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in state.store.all("SELECT * FROM resource WHERE kind = ? ORDER BY name", KIND):
        yield row["name"], resources.body_of(row)


def told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    """As DescribeAlarms has it."""
    found = {member: value for member, value in body.items() if member not in _OURS}
    owed = body.get(OWED)
    if owed:
        found |= {"ActionsSuppressedBy": owed["by"], "ActionsSuppressedReason": owed["reason"]}
    return {**found, "AlarmArn": arn(state, body["AlarmName"])}


def fresh(now: datetime) -> dict[str, str]:
    """Of one that was just made."""
    at = moment(now)
    return {
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": at,
        "StateTransitionedTimestamp": at,
    }


def states(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of it is no configuration, and stays when that is put anew."""
    return {
        member: value
        for member, value in body.items()
        if member.startswith("State") or member in (*_OURS, "EvaluationState")
    }


def queries_of(body: Mapping[str, Any]) -> tuple[Query, ...]:
    """Those that a metric alarm watches; one metric is one query."""
    if body.get("Metrics"):
        return read(body["Metrics"])
    metric = {member: body[member] for member in ("Namespace", "MetricName", "Dimensions") if body.get(member)}
    statistic = body.get("Statistic") or body.get("ExtendedStatistic")
    return read([{"Id": "m1", "MetricStat": {"Metric": metric, "Period": body["Period"], "Stat": statistic}}])


def every_seconds(period: int) -> int:
    """How often one is evaluated: each minute, one of a shorter period as often as that."""
    return min(max(period, _SHORTEST_EVALUATION), _LONGEST_EVALUATION)


def actions_of(body: Mapping[str, Any], standing: str) -> Iterable[str]:
    member = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(standing, "InsufficientDataActions")
    return tuple(body.get(member) or ())
