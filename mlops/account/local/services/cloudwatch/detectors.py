"""Anomaly detectors: of a metric and a statistic, what their band leaves out and in which zone its hours are. A band
needs none."""

from __future__ import annotations

import hashlib
import zoneinfo
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch.series import metric_of, need_statistic, start_of, wrong
from mlops.account.local.services.cloudwatch.sources import Metric
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State, dump
from mlops.ir.dataclass import dataclass

KIND = "AnomalyDetector"
_PAGE = 10


@dataclass(frozen=True, slots=True)
class Settings:
    zone: str = "UTC"
    excluded: Sequence[tuple[float, float]] = ()


def settings(state: State, metric: Metric, statistic: str) -> Settings:
    body = resources.find(state, KIND, _name(metric, statistic))
    told = (body or {}).get("Configuration") or {}
    ranges = told.get("ExcludedTimeRanges") or ()
    return Settings(
        told.get("MetricTimezone") or "UTC", [(_time(item["StartTime"]), _time(item["EndTime"])) for item in ranges]
    )


def put_anomaly_detector(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    metric, statistic = _of(request)
    configuration = request.get("Configuration") or {}
    zone = configuration.get("MetricTimezone")
    if zone:
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise wrong(f"The value {zone} for parameter MetricTimezone is no time zone.") from None
    for item in configuration.get("ExcludedTimeRanges") or ():
        if item["StartTime"] >= item["EndTime"]:
            raise wrong("The parameter StartTime must be less than the parameter EndTime of an excluded range.")
    single = {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        "Stat": statistic,
    }
    body = {"SingleMetricAnomalyDetector": single, "Configuration": configuration, "StateValue": "TRAINED"}
    name = _name(metric, statistic)
    with state.store.transaction():
        if resources.find(state, KIND, name) is None:
            resources.insert(state, KIND, name, body, taken=wrong("The detector is there already."))
        else:
            resources.replace(state, KIND, name, body)
    return {}


def describe_anomaly_detectors(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = []
    for row in state.store.all("SELECT * FROM resource WHERE kind = ? ORDER BY created, name", KIND):
        body = resources.body_of(row)
        single = body["SingleMetricAnomalyDetector"]
        if request.get("Namespace") not in (None, single["Namespace"]):
            continue
        if request.get("MetricName") not in (None, single["MetricName"]):
            continue
        if request.get("Dimensions") and sorted(map(dump, request["Dimensions"])) != sorted(
            map(dump, single["Dimensions"])
        ):
            continue
        told = {member: body[member] for member in ("Configuration", "StateValue", "SingleMetricAnomalyDetector")}
        found.append({**single, **told})
    start, size = start_of(request), request.get("MaxResults") or _PAGE
    token = str(start + size) if start + size < len(found) else None
    return {"AnomalyDetectors": found[start : start + size], "NextToken": token}


def delete_anomaly_detector(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    metric, statistic = _of(request)
    name = _name(metric, statistic)
    with state.store.transaction():
        if resources.find(state, KIND, name) is None:
            raise Refusal("ResourceNotFoundException", "There is no such anomaly detector.", 404)
        resources.remove(state, KIND, name, f"{KIND}/{name}")
    return {}


def _of(request: Mapping[str, Any]) -> tuple[Metric, str]:
    if request.get("MetricMathAnomalyDetector"):
        raise wrong("A detector of metric math is not kept by the local account.")
    told = request.get("SingleMetricAnomalyDetector") or request
    if not told.get("Stat"):
        raise wrong("The parameter Stat is required.")
    need_statistic(told["Stat"])
    return metric_of(told), told["Stat"]


def _name(metric: Metric, statistic: str) -> str:
    return hashlib.sha256(f"{metric.namespace}\n{metric.name}\n{metric.kept}\n{statistic}".encode()).hexdigest()


def _time(told: Any) -> float:
    return (told if isinstance(told, datetime) else datetime.fromisoformat(told)).timestamp()


OPERATIONS = {
    "DeleteAnomalyDetector": delete_anomaly_detector,
    "DescribeAnomalyDetectors": describe_anomaly_detectors,
    "PutAnomalyDetector": put_anomaly_detector,
}
