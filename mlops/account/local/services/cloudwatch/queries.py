"""MetricDataQueries, worked out: statistics of metrics, and expressions over them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.services.cloudwatch import detectors
from mlops.account.local.services.cloudwatch.bands import TRAINED_ON_SECONDS, band
from mlops.account.local.services.cloudwatch.metric_math import Asked, Result, Series, Span, as_series, evaluate
from mlops.account.local.services.cloudwatch.series import metric_of, need_period, need_statistic, series, wrong
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.knowledge.cloudwatch.faults import of_queries
from mlops.knowledge.cloudwatch.metric_math import Malformed, functions, order, parse

_BAND = "ANOMALY_DETECTION_BAND"


@dataclass(frozen=True, slots=True)
class Query:
    """One of them: ``stat`` of a metric, or an ``expression``."""

    id: str
    stat: Mapping[str, Any] | None
    expression: str | None
    period: int
    is_returned: bool
    label: str

    @property
    def is_band(self) -> bool:
        return self.expression is not None and _BAND in functions(parse(self.expression))


def read(queries: Sequence[Mapping[str, Any]]) -> tuple[Query, ...]:
    """Raises the service's refusal for what is wrong with them."""
    for fault in of_queries(queries):
        raise wrong(fault)
    return tuple(map(_query, queries))


def _query(query: Mapping[str, Any]) -> Query:
    stat, expression = query.get("MetricStat"), query.get("Expression")
    returned = query.get("ReturnData") is not False
    if stat:
        metric = metric_of(stat["Metric"])
        need_statistic(stat["Stat"])
        need_period(stat["Period"])
        label = query.get("Label") or metric.name
        return Query(query["Id"], stat, None, stat["Period"], returned, label)
    if query.get("Period") is not None:
        need_period(query["Period"])
    return Query(query["Id"], None, expression, query.get("Period") or 0, returned, query.get("Label") or query["Id"])


def _ordered(queries: Sequence[Query]) -> tuple[str, ...]:
    expressions = {query.id: query.expression for query in queries if query.expression is not None}
    return order(expressions, [query.id for query in queries if query.stat is not None])


def period_of(queries: Sequence[Query]) -> int:
    """That of expressions: the longest of what they are made of."""
    return max((query.period for query in queries if query.period), default=60)


def worked_out(state: State, queries: Sequence[Query], start: datetime, end: datetime) -> Mapping[str, Result]:
    """By id, whether it is returned or not. Raises the service's refusal for an expression over the wrong things."""
    period = period_of(queries)
    first = int(start.timestamp()) // period * period
    span = Span(first, max(first, math.ceil(end.timestamp())), period)
    by_id = {query.id: query for query in queries}
    results: dict[str, Result] = {}
    for query in queries:
        if query.stat is not None:
            results[query.id] = _of_metric(state, query.stat, start, end)

    def bands(name: str, deviations: float) -> tuple[Series, Series]:
        return _band(state, by_id, name, deviations, span)

    periods = {query.id: query.period for query in queries if query.period}
    asked = Asked(span, results, [query.id for query in queries if query.stat is not None], bands, periods)
    for name in _ordered(queries):
        try:
            results[name] = evaluate(str(by_id[name].expression), asked)
        except (ValueError, OverflowError) as error:  # Malformed, or a sum that no number is large enough for
            raise wrong(f"Error in expression {name}: {error}.") from None
    return results


def told(query: Query, result: Result, span: Span) -> Iterator[tuple[str, list[tuple[datetime, float]]]]:
    """Its series with their labels, each value with the time at which its period begins."""
    found = as_series(result, span)
    for number, item in enumerate(found, 1):
        label = query.label if len(found) == 1 else f"{query.label} {_END.get(number) if query.is_band else number}"
        values = [(datetime.fromtimestamp(at, UTC), item[at]) for at in sorted(item) if not math.isnan(item[at])]
        yield label, values


_END = {1: "low", 2: "high"}


def _of_metric(state: State, stat: Mapping[str, Any], start: datetime, end: datetime) -> Series:
    found = series(state, metric_of(stat["Metric"]), stat["Stat"], stat["Period"], start, end)
    return {int(at.timestamp()): value for at, value in found}


def _band(
    state: State, queries: Mapping[str, Query], name: str, deviations: float, span: Span
) -> tuple[Series, Series]:
    query = queries[name]
    if query.stat is None:
        raise Malformed(f"{name} is no metric; a band of an expression is not worked out here")
    trained = datetime.fromtimestamp(span.start - TRAINED_ON_SECONDS, UTC)
    past = _of_metric(state, query.stat, trained, datetime.fromtimestamp(span.end, UTC))
    settings = detectors.settings(state, metric_of(query.stat["Metric"]), query.stat["Stat"])
    return band(past, [*span.times], deviations, zone=settings.zone, excluded=settings.excluded)
