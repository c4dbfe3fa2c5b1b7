"""A metric alarm of CloudWatch: what is told, and to whom, when a metric or an expression over several goes beyond a
threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.resources.alarming import Alarming
from mlops.declare.steps.shared_arguments import Count, Flag, Number, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    NUMBER,
    PLAIN,
    REQUIRED,
    STRING,
    TEXT,
    TEXTS,
    Constructor,
    Field,
    Given,
    Of,
    Record,
    Spoken,
    Yielded,
    choice,
    each,
    made,
    objects,
)
from mlops.ir.fields import Missing as Absent
from mlops.knowledge.cloudwatch import faults

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Alarm", "Metric", "Query"]

STEP_TYPE = StepType(
    type="Alarm",
    service="cloudwatch",
    request="PutMetricAlarmInput",
    response="MetricAlarm",
    permissions=(),
)

Comparison: TypeAlias = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
]
Missing: TypeAlias = Literal["breaching", "notBreaching", "ignore", "missing"]
_PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@record
class Metric:
    """One metric: with another set of ``dimensions`` it is another one."""

    namespace: Text
    name: Text
    dimensions: Mapping[str, Text] | None = None


def metric_members(metric: Metric) -> dict[str, Value]:
    pairs = tuple({"Name": name, "Value": lower(value)} for name, value in (metric.dimensions or {}).items())
    named = {"Namespace": lower(metric.namespace), "MetricName": lower(metric.name)}
    return {**named, "Dimensions": pairs} if pairs else named


def _said_dimensions(given: Given) -> Spoken | None:
    pairs = {str(item["Name"]): Of(TEXT, item["Value"]) for item in objects(given.at("Dimensions"))}
    return dict(pairs) or None


METRIC = Record(
    Metric,
    (
        Field("namespace", "Namespace", TEXT, REQUIRED),
        Field("name", "MetricName", TEXT, REQUIRED),
        Field(
            "dimensions",
            "Dimensions",
            PLAIN,
            to=lambda metric, *_: metric_members(metric).get("Dimensions"),
            said=_said_dimensions,
        ),
    ),
    positional=2,
)


@record
class Query:
    """One of the series that an alarm is made of: ``statistic`` of a ``metric`` over ``period`` seconds, or an
    ``expression`` over others by their ``id``, e.g. ``"100 * errors / calls"``. The alarm watches the one that is
    ``returned``."""

    id: str
    metric: Metric | None = None
    statistic: Text | None = None
    period: Count | None = None
    unit: Text | None = None
    expression: Text | None = None
    label: Text | None = None
    returned: bool | None = None
    account: Text | None = None


def _metric_stat(query: Query, *_: object) -> Value:
    if query.metric is None:
        return None
    told = {"Period": lower(query.period), "Stat": lower(query.statistic), "Unit": lower(query.unit)}
    return {"Metric": metric_members(query.metric), **{key: value for key, value in told.items() if value is not None}}


QUERY = Record(
    Query,
    (
        Field("id", "Id", PLAIN, REQUIRED),
        Field("metric", "MetricStat", made(METRIC), to=_metric_stat),
        Field("statistic", "MetricStat.Stat", TEXT, to=lambda query, *_: None),
        Field("unit", "MetricStat.Unit", TEXT, to=lambda query, *_: None),
        Field("expression", "Expression", TEXT),
        Field("label", "Label", TEXT),
        Field("returned", "ReturnData", FLAG),
        # Beside an expression; that of a metric stands with its statistic.
        Field("period", "Period", COUNT, to=lambda query, *_: None if query.metric else lower(query.period)),
        Field("account", "AccountId", TEXT),
    ),
)


def _watched(alarm: Alarm, *_: object) -> Value:
    return None if alarm.metric is None else metric_members(alarm.metric)


def _statistic(alarm: Alarm, lowering: Lowering, *_: object) -> Value:
    told = lower(alarm.statistic)
    return None if told is None else {"Statistic" if told in _PLAIN else "ExtendedStatistic": told}


def _said_metric(given: Given) -> Spoken | None:
    told = {member: given.at(member) for member in ("Namespace", "MetricName", "Dimensions")}
    known = {member: value for member, value in told.items() if not isinstance(value, Absent)}
    return Of(made(METRIC), known) if "MetricName" in known else None


def _said_statistic(given: Given) -> Spoken | None:
    told = (given.at(member) for member in ("Statistic", "ExtendedStatistic"))
    return next((Of(TEXT, value) for value in told if not isinstance(value, Absent)), None)


class Alarm(Alarming):
    """Goes off where ``datapoints`` of the last ``periods`` values are beyond ``threshold`` by ``comparison``, all of
    them where that is left out. ``name`` is its name in the account.

    The values are a ``statistic`` of one ``metric`` over ``period`` seconds (``"Sum"``, ``"p99"``), or what ``queries``
    say. ``missing`` is what a period without values counts as. ``threshold_query`` names a query in place of a
    threshold: a band of an anomaly detector. ``on_alarm``, ``on_ok`` and ``on_insufficient_data`` are ARNs of what is
    told of a change.
    """

    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("description", "AlarmDescription", TEXT, to=lambda alarm, *_: lower(alarm.about)),
            Field("actions_enabled", "ActionsEnabled", FLAG),
            Field("on_ok", "OKActions", TEXTS, ()),
            Field("on_alarm", "AlarmActions", TEXTS, ()),
            Field("on_insufficient_data", "InsufficientDataActions", TEXTS, ()),
            Field("metric", "", made(METRIC), to=_watched, said=_said_metric),
            Field("statistic", "", TEXT, to=_statistic, said=_said_statistic),
            Field("period", "Period", COUNT),
            Field("unit", "Unit", TEXT),
            Field("periods", "EvaluationPeriods", COUNT, 1),
            Field("datapoints", "DatapointsToAlarm", COUNT),
            Field("threshold", "Threshold", NUMBER),
            Field("comparison", "ComparisonOperator", choice(*get_args(Comparison)), REQUIRED),
            Field("missing", "TreatMissingData", choice(*get_args(Missing))),
            Field("low_samples", "EvaluateLowSampleCountPercentile", choice("evaluate", "ignore")),
            Field("queries", "Metrics", each(QUERY), ()),
            Field("threshold_query", "ThresholdMetricId", TEXT),
        ),
        yields={"AlarmName": Yielded("alarm_name", STRING), "AlarmArn": Yielded("alarm_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        comparison: Comparison,
        threshold: Number | None = None,
        metric: Metric | None = None,
        statistic: Text | None = None,
        period: Count | None = None,
        unit: Text | None = None,
        periods: Count = 1,
        datapoints: Count | None = None,
        missing: Missing | None = None,
        low_samples: Literal["evaluate", "ignore"] | None = None,
        queries: Sequence[Query] = (),
        threshold_query: Text | None = None,
        description: Text | None = None,
        on_alarm: Sequence[Text] = (),
        on_ok: Sequence[Text] = (),
        on_insufficient_data: Sequence[Text] = (),
        actions_enabled: Flag | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.comparison, self.threshold, self.threshold_query = comparison, threshold, threshold_query
        self.metric, self.statistic, self.period, self.unit = metric, statistic, period, unit
        self.periods, self.datapoints, self.missing, self.low_samples = periods, datapoints, missing, low_samples
        self.queries = tuple(queries)
        self.tells(description, on_alarm, on_ok, on_insufficient_data, actions_enabled)

    def refusals(self, request: Mapping[str, Any]) -> Iterator[str]:
        return faults.of_alarm(request)
