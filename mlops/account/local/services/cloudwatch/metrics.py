"""PutMetricData, GetMetricData, GetMetricStatistics, ListMetrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.services.cloudwatch import queries, sources
from mlops.account.local.services.cloudwatch.metric_math import Span
from mlops.account.local.services.cloudwatch.series import pairs, series, start_of, wrong
from mlops.account.local.services.cloudwatch.sources import Metric
from mlops.account.local.state import State

_PAGE = 500
_MOST_VALUES = 150
_MOST_COUNTED = 1_000_000
"""Whoever reads a metric is given each value so many times: with a count beyond all bounds he would never be done."""


def put_metric_data(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if str(request["Namespace"]).startswith("AWS/"):
        raise wrong("The value AWS/ for parameter Namespace is invalid.")
    with state.store.transaction():
        for datum in request.get("MetricData") or ():
            metric = Metric(request["Namespace"], datum["MetricName"], pairs(datum.get("Dimensions")))
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
        if any(not 1 <= count <= _MOST_COUNTED for count in counts):
            raise wrong(f"The values of parameter Counts are kept from 1 to {_MOST_COUNTED} by the local account.")
        yield from zip(values, map(int, counts), strict=True)
    elif datum.get("Value") is not None:
        yield datum["Value"], 1
    else:
        raise wrong(f"One of Value, Values and StatisticValues is required for {datum['MetricName']}.")


def get_metric_data(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    start, end = _span(request)
    wanted = queries.read(request["MetricDataQueries"])
    found = queries.worked_out(state, wanted, start, end)
    period = queries.period_of(wanted)
    span = Span(int(start.timestamp()) // period * period, math.ceil(end.timestamp()), period)
    results = []
    for query in wanted:
        if not query.is_returned:
            continue
        for label, values in queries.told(query, found[query.id], span):
            if request.get("ScanBy") != "TimestampAscending":
                values.reverse()
            results.append(
                {
                    "Id": query.id,
                    "Label": label,
                    "Timestamps": [at for at, _ in values],
                    "Values": [value for _, value in values],
                    "StatusCode": "Complete",
                }
            )
    return {"MetricDataResults": results, "Messages": []}


def get_metric_statistics(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    start, end = _span(request)
    metric = Metric(request["Namespace"], request["MetricName"], pairs(request.get("Dimensions")))
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


def _span(request: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = request["StartTime"].astimezone(UTC), request["EndTime"].astimezone(UTC)
    if start >= end:
        raise wrong("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


OPERATIONS = {
    "GetMetricData": get_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "ListMetrics": list_metrics,
    "PutMetricData": put_metric_data,
}
