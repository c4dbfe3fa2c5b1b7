"""Members of an alarm that do not go together, or that another one has to stand beside: what the model of the service
does not say.

Sources: the API reference of PutMetricAlarm and PutCompositeAlarm, and what CloudWatch answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.knowledge.cloudwatch import alarm_rules
from mlops.knowledge.cloudwatch.metric_math import Malformed, functions, order, parse

BANDED = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
"""Comparisons with the ends of a band."""
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
_OF_ONE = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_PERIODS = (10, 20, 30)
_DAY, _WEEK, _HOUR = 86_400, 7 * 86_400, 3600


def of_alarm(request: Mapping[str, Any]) -> Iterator[str]:
    """Of a request of PutMetricAlarm; what is no plain value is left alone. Nothing where it is of a kind that is not
    known here, as PromQL."""
    if request.get("EvaluationCriteria") is not None:
        return
    for member in ("ComparisonOperator", "EvaluationPeriods"):
        if request.get(member) is None:
            yield f"The parameter {member} is required."
    count, needed = request.get("EvaluationPeriods"), request.get("DatapointsToAlarm")
    if isinstance(count, int) and isinstance(needed, int) and needed > count:
        yield "The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods."
    treatment = request.get("TreatMissingData")
    if isinstance(treatment, str) and treatment not in TREATMENTS:
        yield f"The value {treatment} for parameter TreatMissingData is not supported."
    queries = request.get("Metrics")
    if queries:
        yield from _queries(request, [query for query in queries if isinstance(query, Mapping)])
    else:
        yield from _one(request)
    yield from _threshold(request)
    period = request.get("Period") or _period([item for item in queries or () if isinstance(item, Mapping)])
    if isinstance(period, int) and isinstance(count, int):
        yield from _length(period, count)


def of_composite(request: Mapping[str, Any]) -> Iterator[str]:
    """Of a request of PutCompositeAlarm."""
    rule = request.get("AlarmRule")
    if isinstance(rule, str):
        try:
            alarm_rules.parse(rule)
        except alarm_rules.Malformed as error:
            yield f"AlarmRule is not valid: {error}."
    periods = [request.get(f"ActionsSuppressor{which}Period") for which in ("Wait", "Extension")]
    if request.get("ActionsSuppressor"):
        if any(period is None for period in periods):
            yield "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod go with ActionsSuppressor."
    elif any(period is not None for period in periods):
        yield "ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor."


def of_queries(queries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Of MetricDataQueries, also those that are asked for without an alarm."""
    names = [query.get("Id") for query in queries]
    if len(set(names)) != len(names):
        yield "The values for parameter Id in MetricDataQueries are not unique."
        return
    for query in queries:
        if bool(query.get("MetricStat")) == bool(query.get("Expression")):
            yield f"Exactly one of MetricStat and Expression is required for the query {query.get('Id')}."
    expressions = {str(query["Id"]): query["Expression"] for query in queries if query.get("Expression")}
    if all(isinstance(text, str) for text in expressions.values()):
        try:
            order(expressions, [str(query.get("Id")) for query in queries if query.get("MetricStat")])
        except Malformed as error:
            yield f"Error in expression {error}."


def _queries(request: Mapping[str, Any], queries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    single = [member for member in _OF_ONE if request.get(member) is not None]
    if single:
        yield f"The parameters Metrics and {single[0]} are mutually exclusive."
    found = [*of_queries(queries)]
    yield from found
    if len({_of_stat(query) for query in queries if query.get("MetricStat")}) > 1:
        yield "Period must be consistent across all Metrics."
    returned = [query.get("Id") for query in queries if query.get("ReturnData") is not False]
    band = request.get("ThresholdMetricId")
    if len([name for name in returned if name != band]) != 1 or (band is not None and band not in returned):
        yield "Exactly one element of the metrics list should return data, beside that of ThresholdMetricId."
    if (
        isinstance(band, str)
        and not found
        and not any(query.get("Id") == band and _is_band(query) for query in queries)
    ):
        yield f"ThresholdMetricId {band} is no ANOMALY_DETECTION_BAND."


def _of_stat(query: Mapping[str, Any]) -> Any:
    stat = query["MetricStat"]
    period = stat.get("Period") if isinstance(stat, Mapping) else None
    return period if isinstance(period, int) else None


def _is_band(query: Mapping[str, Any]) -> bool:
    text = query.get("Expression")
    return not isinstance(text, str) or "ANOMALY_DETECTION_BAND" in functions(parse(text))


def _one(request: Mapping[str, Any]) -> Iterator[str]:
    if not request.get("MetricName") or not request.get("Namespace") or not request.get("Period"):
        yield "The parameters MetricName, Namespace and Period are required."
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        yield "One of Statistic and ExtendedStatistic is required."


def _threshold(request: Mapping[str, Any]) -> Iterator[str]:
    how = request.get("ComparisonOperator")
    threshold, band = request.get("Threshold"), request.get("ThresholdMetricId")
    if not isinstance(how, str):
        return
    if how in BANDED and (band is None or threshold is not None):
        yield f"{how} takes a ThresholdMetricId and no Threshold."
    if how not in BANDED and (threshold is None or band is not None):
        yield f"{how} takes a Threshold and no ThresholdMetricId."


def _period(queries: Sequence[Mapping[str, Any]]) -> int | None:
    found = [period for query in queries if query.get("MetricStat") and (period := _of_stat(query)) is not None]
    return max(found, default=None)


def _length(period: int, count: int) -> Iterator[str]:
    if period not in _PERIODS and (period % 60 or period <= 0):
        yield f"The value {period} for parameter Period is none of 10, 20, 30 and multiples of 60."
    longest, words = (_WEEK, "7 days") if period >= _HOUR else (_DAY, "a day")
    if period * count > longest:
        yield f"Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be <= {longest})."
