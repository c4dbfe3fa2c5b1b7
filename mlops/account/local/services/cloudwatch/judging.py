"""How alarms stand by a moment: what their values or the alarms that they are made of say."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local.services.cloudwatch import alarm_bodies
from mlops.account.local.services.cloudwatch.metric_math import Result, Series, Span, as_series
from mlops.account.local.services.cloudwatch.queries import Query, period_of, worked_out
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.knowledge.cloudwatch import alarm_rules
from mlops.knowledge.cloudwatch.standing import BEYOND, Standing, standing

COMPARE: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
BANDED = {
    "LessThanLowerOrGreaterThanUpperThreshold": "less than the lower or greater than the upper",
    "LessThanLowerThreshold": "less than the lower",
    "GreaterThanUpperThreshold": "greater than the upper",
}
_SHOWN = 5
_FEW = 10
"""Values beyond a percentile without which it says little: for p99 a thousand values."""
_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Verdict:
    standing: Standing
    reason: str
    data: str


def of_metrics(state: State, alarm: Mapping[str, Any], now: datetime) -> Verdict:
    """Of the periods that are over."""
    queries = alarm_bodies.queries_of(alarm)
    period = period_of(queries)
    count = alarm["EvaluationPeriods"]
    end = datetime.fromtimestamp(int(now.timestamp()) // period * period, UTC)
    start = end - timedelta(seconds=(count + BEYOND) * period)
    span = Span(int(start.timestamp()), int(end.timestamp()), period)
    results = worked_out(state, queries, start, end)
    values = watched(alarm, queries, results, span)
    test, words, beyond = _test(alarm, results, span)
    breaches = [None if (value := values.get(at)) is None else test(at, value) for at in span.times]
    before, needed = alarm["StateValue"], alarm.get("DatapointsToAlarm") or count
    missing = alarm.get("TreatMissingData") or "missing"
    found = standing(breaches, count, needed, missing, before)
    if _too_few(state, alarm, queries, start, end):
        found = before
    recent = [(at, values[at]) for at in span.times if at in values][-count:]
    breaching = sum(test(at, value) for at, value in recent)
    data = {
        "version": "1.0",
        "queryDate": _dated(now),
        "startDate": _dated(start),
        "period": period,
        "recentDatapoints": [value for _, value in recent],
        "threshold": alarm.get("Threshold"),
        "evaluatedDatapoints": [
            {"timestamp": _dated(datetime.fromtimestamp(at, UTC)), "value": value} for at, value in reversed(recent)
        ],
    }
    return Verdict(found, _reason(found, recent, breaching, count, needed, words, beyond, missing), json.dumps(data))


def watched(alarm: Mapping[str, Any], queries: Sequence[Query], results: Mapping[str, Result], span: Span) -> Series:
    """The one series of it that is compared; what is no number is none."""
    (query,) = [query for query in queries if query.is_returned and query.id != alarm.get("ThresholdMetricId")]
    found = as_series(results[query.id], span)
    series = found[0] if found else {}
    return {at: value for at, value in series.items() if not math.isnan(value)}


def _test(
    alarm: Mapping[str, Any], results: Mapping[str, Result], span: Span
) -> tuple[Callable[[int, float], bool], str, str]:
    """Whether a value at a time is beyond; how that is said; and beyond what."""
    how = alarm["ComparisonOperator"]
    if how in COMPARE:
        compare, words = COMPARE[how]
        threshold = float(alarm["Threshold"])
        return lambda at, value: compare(value, threshold), words, f"the threshold ({threshold:g})"
    ends = as_series(results[alarm["ThresholdMetricId"]], span)
    low, high = (ends[0], ends[-1]) if ends else ({}, {})
    above, below = how != "LessThanLowerThreshold", how != "GreaterThanUpperThreshold"

    def beyond(at: int, value: float) -> bool:
        return bool((above and at in high and value > high[at]) or (below and at in low and value < low[at]))

    return beyond, BANDED[how], "thresholds of its band"


def _reason(
    found: Standing,
    recent: Sequence[tuple[int, float]],
    breaching: int,
    count: int,
    needed: int,
    words: str,
    beyond: str,
    missing: str,
) -> str:
    """In the words of the service."""
    unknown = count - len(recent)
    if not recent:
        treated = f" missing datapoints were treated as {missing}." if missing != "missing" else ""
        head = "Insufficient Data" if found == "INSUFFICIENT_DATA" else "Threshold Crossed"
        return f"{head}: {_many(unknown)} unknown.{treated}"
    listed = ", ".join(
        f"{value:g} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in reversed(recent[-_SHOWN:])
    )
    shown = breaching if found == "ALARM" else len(recent) - breaching
    verb = "was" if shown == 1 else "were"
    told = "" if found == "ALARM" else "not "
    blank = f" and {unknown} were unknown" if unknown else ""
    return (
        f"Threshold Crossed: {shown} out of the last {count} datapoints [{listed}] {verb} {told}{words} {beyond}{blank}"
        " "
        f"(minimum {_datapoints(needed)} for OK -> ALARM transition)."
    )


def _many(count: int) -> str:
    return f"{_datapoints(count)} {'was' if count == 1 else 'were'}"


def _datapoints(count: int) -> str:
    return f"{count} datapoint{'' if count == 1 else 's'}"


def _too_few(state: State, alarm: Mapping[str, Any], queries: Sequence[Query], start: datetime, end: datetime) -> bool:
    """Values for a percentile to say anything, where the alarm shall not be judged by fewer."""
    found = _PERCENTILE.fullmatch(str(alarm.get("ExtendedStatistic") or ""))
    if alarm.get("EvaluateLowSampleCountPercentile") != "ignore" or found is None:
        return False
    share = float(found[1]) / 100
    least = _FEW / (1 - share if share >= 0.5 else share) if 0 < share < 1 else 0.0
    (query,) = queries
    counted = {**(query.stat or {}), "Stat": "SampleCount"}
    series = worked_out(state, [Query("n", counted, None, query.period, True, "n")], start, end)["n"]
    return isinstance(series, Mapping) and any(0 < value < least for value in series.values())


def of_others(state: State, alarm: Mapping[str, Any]) -> Verdict:
    """As the alarms that a composite one is made of stand in the store."""
    rule = alarm_rules.parse(alarm["AlarmRule"])
    known: dict[str, dict[str, Any] | None] = {}

    def state_of(told: str) -> str | None:
        name = alarm_bodies.name_of(told)
        if name not in known:
            known[name] = alarm_bodies.find(state, name)
        found = known[name]
        return None if found is None else str(found["StateValue"])

    holds = alarm_rules.holds(rule, state_of)
    for child in dict.fromkeys(alarm_rules.alarms(rule)):
        state_of(child)
    listed = [f"{name} is {body['StateValue'] if body else 'gone'}" for name, body in known.items()]
    data = {
        "triggeringAlarms": [
            {"arn": alarm_bodies.arn(state, name), "state": {"value": body["StateValue"]}}
            for name, body in known.items()
            if body is not None
        ]
    }
    reason = f"The rule {'holds' if holds else 'does not hold'}: {', '.join(listed) or 'it names no alarm'}"
    return Verdict("ALARM" if holds else "OK", reason[:1023], json.dumps(data))


def _dated(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
