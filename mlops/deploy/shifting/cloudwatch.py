"""What CloudWatch answers, of all its pages: values of metrics, and alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.deploy.pages import items
from mlops.ir.measure import Query

_MOST_NAMES = 100
"""Of alarms that one question may name."""


def values(
    cloudwatch: Any, asked: Mapping[str, Query], first: float, end: float, period: int
) -> Iterator[tuple[str, int, float]]:
    """The name in ``asked``, the second at which a period begins, and the value; nothing of a period without one. Times
    are in seconds since 1970."""
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": query.namespace,
                    "MetricName": query.metric,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in query.dimensions.items()],
                },
                "Period": period,
                "Stat": query.statistic,
            },
        }
        for name, query in asked.items()
    ]
    for result in items(
        cloudwatch,
        "get_metric_data",
        "MetricDataResults",
        StartTime=datetime.fromtimestamp(first, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
        ScanBy="TimestampAscending",
        MetricDataQueries=queries,
    ):
        for at, value in zip(result["Timestamps"], result["Values"], strict=True):
            yield result["Id"], round(at.timestamp()), float(value)


def alarms(cloudwatch: Any, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Those that are there, by name."""
    found: dict[str, Mapping[str, Any]] = {}
    for first in range(0, len(names), _MOST_NAMES):
        chosen = list(names[first : first + _MOST_NAMES])
        found.update((str(item["AlarmName"]), item) for item in every_alarm(cloudwatch, AlarmNames=chosen))
    return found


def every_alarm(cloudwatch: Any, **chosen: Any) -> Iterator[Mapping[str, Any]]:
    """Of metrics and composite ones; ``chosen`` are members of DescribeAlarms."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"], **chosen)
    for page in pages:
        yield from (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
