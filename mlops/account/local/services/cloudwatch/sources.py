"""Where values come from: what was put, the records of requests to endpoints, and the logs of training jobs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.process.router import records
from mlops.account.local.process.router.records import Record
from mlops.account.local.process.serving import usage
from mlops.account.local.process.serving.happenings import component_key, component_of
from mlops.account.local.process.serving.usage import Usage
from mlops.account.local.services.cloudwatch import training_metrics
from mlops.account.local.services.sagemaker import endpoints, resources
from mlops.account.local.state import State, moment
from mlops.ir.dataclass import dataclass

ENDPOINTS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
_COMPONENT = "InferenceComponentName"
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """``dimensions`` are sorted pairs: another set of them is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @property
    def kept(self) -> str:
        """The dimensions as the store has them."""
        return json.dumps(self.dimensions)


def values(state: State, metric: Metric, start: datetime, end: datetime) -> Iterator[tuple[float, float]]:
    """Times in seconds since 1970 and values, from ``start`` to before ``end``."""
    for row in state.store.all(
        "SELECT time, value, count FROM metric WHERE namespace = ? AND name = ? AND dimensions = ? "
        "AND time >= ? AND time < ? ORDER BY time",
        metric.namespace,
        metric.name,
        metric.kept,
        moment(start),
        moment(end),
    ):
        at = datetime.fromisoformat(row["time"]).timestamp()
        for _ in range(row["count"]):
            yield at, row["value"]
    if metric.namespace == training_metrics.NAMESPACE:
        span = (start.timestamp(), end.timestamp())
        yield from training_metrics.values(state, metric.name, dict(metric.dimensions), *span)
    read = _OF_REQUESTS.get(metric.name) if metric.namespace == ENDPOINTS else None
    if read is not None:
        for record in _requests(state, dict(metric.dimensions), start.timestamp(), end.timestamp()):
            value = read(record)
            if value is not None:
                yield record.time, value
    told = _OF_INSTANCES.get(metric.name) if metric.namespace == INSTANCES else None
    if told is not None:
        rows = _of_variant(state, dict(metric.dimensions), usage.FOLDER, start.timestamp(), end.timestamp())
        for found in map(Usage._make, rows):
            yield found.time, told(found)


def names(state: State) -> Iterator[Metric]:
    """All metrics that have values."""
    for row in state.store.all("SELECT DISTINCT namespace, name, dimensions FROM metric"):
        yield kept_metric(row)
    for row in state.store.all("SELECT name FROM resource WHERE kind = ? ORDER BY name", endpoints.KIND):
        folder = state.endpoint_folder(row["name"]) / records.FOLDER
        served = {(record.variant, record.config) for record in records.read(folder)[0] if record.variant}
        for variant, config in sorted(served):
            plain = _dimensions(row["name"], variant)
            yield from of_variant(row["name"], variant)
            for name in _OF_REQUESTS if not component_of(variant) else ():
                yield Metric(ENDPOINTS, name, (("EndpointConfigName", config), *plain))


def kept_metric(row: sqlite3.Row) -> Metric:
    """Of a row of values that were put."""
    pairs = ((name, value) for name, value in json.loads(row["dimensions"]))
    return Metric(row["namespace"], row["name"], tuple(pairs))


def of_variant(endpoint: str, variant: str) -> Iterator[Metric]:
    """Those that its requests and its instances make."""
    plain = _dimensions(endpoint, variant)
    for name in _OF_REQUESTS:
        yield Metric(ENDPOINTS, name, plain)
    for name in _OF_INSTANCES:
        yield Metric(INSTANCES, name, plain)


def _dimensions(endpoint: str, variant: str) -> tuple[tuple[str, str], ...]:
    component = component_of(variant)
    return ((_COMPONENT, component),) if component else (("EndpointName", endpoint), ("VariantName", variant))


def _as_variant(state: State, component: str) -> Mapping[str, str]:
    """Records have an inference component where a variant's name stands. Nothing of one that is gone."""
    body = resources.find(state, endpoints.COMPONENT, component)
    return {} if body is None else {"EndpointName": body["EndpointName"], "VariantName": component_key(component)}


def _requests(state: State, dimensions: Mapping[str, str], start: float, end: float) -> Iterator[Record]:
    return map(Record._make, _of_variant(state, dimensions, records.FOLDER, start, end))


def _of_variant(
    state: State, dimensions: Mapping[str, str], folder: str, start: float, end: float
) -> Iterator[list[Any]]:
    """Of one variant, as the service has it: there are no metrics of an endpoint as a whole. Records of every kind
    begin with their time, configuration and variant."""
    if set(dimensions) == {_COMPONENT}:
        dimensions = _as_variant(state, dimensions[_COMPONENT])
    if set(dimensions) not in ({"EndpointName", "VariantName"}, {"EndpointName", "VariantName", "EndpointConfigName"}):
        return
    place = state.endpoint_folder(dimensions["EndpointName"]) / folder
    config, variant = dimensions.get("EndpointConfigName"), dimensions["VariantName"]
    for row in records.rows_between(place, start, end):
        if row[2] == variant and config in (None, row[1]):
            yield row


def _one_where(holds: Callable[[Record], bool]) -> Callable[[Record], float]:
    return lambda record: 1.0 if holds(record) else 0.0


def _model_latency(record: Record) -> float | None:
    return None if record.model_status == _NO_ANSWER else float(record.model_microseconds)


_OF_REQUESTS: Mapping[str, Callable[[Record], float | None]] = {
    "Invocations": lambda record: 1.0,
    "Invocation4XXErrors": _one_where(lambda record: 400 <= record.model_status < 500),
    "Invocation5XXErrors": _one_where(lambda record: 500 <= record.model_status < 600),
    "InvocationModelErrors": _one_where(lambda record: record.status == 424 or record.status >= 500),
    "ModelLatency": _model_latency,
    "OverheadLatency": lambda record: float(record.overhead_microseconds),
}
"""By the name of the metric. Those of errors have a value for each request, so that their average is a rate."""


_OF_INSTANCES: Mapping[str, Callable[[Usage], float]] = {
    "CPUUtilization": lambda found: found.cpu,
    "MemoryUtilization": lambda found: found.memory,
}
"""A value of each instance, as it publishes it."""


def put(state: State, metric: Metric, at: datetime, value: float, count: int) -> None:
    state.store.write(
        "INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?)",
        metric.namespace,
        metric.name,
        metric.kept,
        moment(at.astimezone(UTC)),
        value,
        count,
    )
