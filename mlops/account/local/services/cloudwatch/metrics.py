"""PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import sources
from mlops.account.local.services.cloudwatch.sources import Metric
from mlops.account.local.services.cloudwatch.statistics import is_known, statistic_of
from mlops.account.local.state import State

_PAGE = 500
_LONGEST_PERIOD = 86_400
_MOST_VALUES = 150


def put_metric_data(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if str(request["Namespace"]).startswith("AWS/"):
        raise wrong("The value AWS/ for parameter Namespace is invalid.")
    with state.store.transaction():
        for datum in request.get("MetricData") or ():
            metric = Metric(request["Namespace"], datum["MetricName"], _pairs(datum.get("Dimensions")))
            at = datum.get("Timestamp") or datetime.now(UTC)
            for value, count in _values(datum):
                sources.put(state, metric, at, value, count)
    return {}


def _values(datum: Mapping[str, Any]) -> Iterator[tuple[float, int]]:
    if datum.get("StatisticValues"):
        raise wrong("Statistic sets are not kept here; put values.")
    if datum.get("Values"):
        values: Sequence[float] = datum["Values"]
        counts = datum.get("Counts") or [1.0] * len(values)
        if len(counts) != len(values) or len(values) > _MOST_VALUES:
            raise wrong(f"The parameters Values and Counts have to be of the same size, at most {_MOST_VALUES}.")
        yield from zip(values, map(int, counts), strict=True)
    elif datum.get("Value") is not None:
        yield datum["Value"], 1
    else:
        raise wrong(f"One of Value, Values and StatisticValues is required for {datum['MetricName']}.")


def get_metric_data(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without expressions: metric math is not evaluated here."""
    start, end = _span(request)
    identifiers = [query["Id"] for query in request["MetricDataQueries"]]
    if len(set(identifiers)) != len(identifiers):
        raise wrong("The values for parameter Id in MetricDataQueries are not unique.")
    results = []
    for query in request["MetricDataQueries"]:
        if query.get("ReturnData") is False:
            continue
        wanted = query.get("MetricStat")
        if not wanted:
            raise wrong(f"{query['Id']}: expressions are not evaluated by the local account.")
        found = list(series(state, metric_of(wanted["Metric"]), wanted["Stat"], wanted["Period"], start, end))
        if request.get("ScanBy") != "TimestampAscending":
            found.reverse()
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or wanted["Metric"]["MetricName"],
                "Timestamps": [at for at, _ in found],
                "Values": [value for _, value in found],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


def get_metric_statistics(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    start, end = _span(request)
    metric = Metric(request["Namespace"], request["MetricName"], _pairs(request.get("Dimensions")))
    points: dict[datetime, dict[str, Any]] = {}
    plain, extended = request.get("Statistics") or (), request.get("ExtendedStatistics") or ()
    for statistic in (*plain, *extended):
        for at, value in series(state, metric, statistic, request["Period"], start, end):
            point = points.setdefault(at, {"Timestamp": at, "Unit": request.get("Unit") or "None"})
            if statistic in extended:
                point.setdefault("ExtendedStatistics", {})[statistic] = value
            else:
                point[statistic] = value
    return {"Label": request["MetricName"], "Datapoints": [points[at] for at in sorted(points)]}


def list_metrics(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [metric for metric in sources.names(state) if _matches(metric, request)]
    start = start_of(request)
    page = found[start : start + _PAGE]
    return {
        "Metrics": [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            }
            for metric in page
        ],
        "NextToken": str(start + _PAGE) if start + _PAGE < len(found) else None,
    }


def _matches(metric: Metric, request: Mapping[str, Any]) -> bool:
    dimensions = dict(metric.dimensions)
    return (
        request.get("Namespace") in (None, metric.namespace)
        and request.get("MetricName") in (None, metric.name)
        and all(
            item["Name"] in dimensions and item.get("Value") in (None, dimensions[item["Name"]])
            for item in request.get("Dimensions") or ()
        )
    )


def metric_of(told: Mapping[str, Any]) -> Metric:
    """A ``Metric`` of the API, whose model requires none of its members."""
    for member in ("Namespace", "MetricName"):
        if told.get(member) is None:
            raise wrong(f"The parameter {member} is required for a Metric.")
    return Metric(told["Namespace"], told["MetricName"], _pairs(told.get("Dimensions")))


def series(
    state: State, metric: Metric, statistic: str, period: int, start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """By period, each with the time at which it begins; those without values are left out."""
    if not is_known(statistic):
        raise wrong(f"The value {statistic} for parameter Stat is not supported.")
    if not (period in (1, 5, 10, 20, 30) or period % 60 == 0) or not 0 < period <= _LONGEST_PERIOD:
        raise wrong(f"The value {period} for parameter Period is none of 1, 5, 10, 20, 30 and multiples of 60.")
    first = int(start.timestamp()) // period * period
    aligned = datetime.fromtimestamp(first, UTC)
    periods: dict[int, list[float]] = {}
    for at, value in sources.values(state, metric, aligned, end):
        periods.setdefault(int(at) // period * period, []).append(value)
    for at in sorted(periods):
        yield datetime.fromtimestamp(at, UTC), statistic_of(statistic, periods[at])


def _span(request: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = request["StartTime"].astimezone(UTC), request["EndTime"].astimezone(UTC)
    if start >= end:
        raise wrong("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def start_of(request: Mapping[str, Any]) -> int:
    """Where the page begins that a token names: one of ours is a number."""
    token = request.get("NextToken") or "0"
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise Refusal("InvalidNextToken", "The next token is invalid.")
    return int(token)


def _pairs(dimensions: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((item["Name"], item["Value"]) for item in dimensions or ()))


def wrong(message: str) -> Refusal:
    return Refusal("ValidationError", message)


OPERATIONS = {
    "GetMetricData": get_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "ListMetrics": list_metrics,
    "PutMetricData": put_metric_data,
}
