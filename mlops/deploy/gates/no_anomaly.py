"""No value of a metric of late that its trend and seasons do not explain: who promotes into a storm learns nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from mlops.deploy.metric_history import history
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said, seconds_of
from mlops.ir.gate import Asked, Gate, Judgement, table
from mlops.ir.measure import Query


@dataclass(frozen=True, slots=True)
class Settings:
    """``{endpoint}`` in the value of a dimension stands for the endpoint that is promoted to. Durations are written as
    everywhere; ``far`` is in robust standard deviations."""

    name: str
    namespace: str = "AWS/SageMaker"
    statistic: str = "Sum"
    dimensions: Mapping[str, str] = field(default_factory=dict)
    within: str = "1d"
    look_back: str = "14d"
    every: str = "1h"
    far: float = 5.0


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)(raw)
    within, look_back, every = (
        seconds_of(written) for written in (settings.within, settings.look_back, settings.every)
    )
    if not 0 < every <= within <= look_back:
        raise ValueError(
            f"every = {settings.every!r}, within = {settings.within!r}, look_back = {settings.look_back!r}: each is at "
            "least the one before, and none is 0"
        )
    if every % 60:
        raise ValueError(f"every = {settings.every!r}: CloudWatch has values a whole number of minutes apart")
    if not 2 <= settings.far < float("inf"):
        raise ValueError(f"far = {settings.far!r}: give 2 or more standard deviations")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    endpoint = asked.endpoint()
    if endpoint is None or asked.client is None:
        return Judgement(True, "no version serves there yet")
    dimensions = {name: value.replace("{endpoint}", endpoint) for name, value in settings.dimensions.items()}
    query = Query(settings.namespace, settings.name, settings.statistic, dimensions)
    now = asked.now.timestamp()
    series = history(asked.client("cloudwatch"), query, now, seconds_of(settings.look_back), seconds_of(settings.every))

    from mlops.observe.forecast.model import fit

    since = now - seconds_of(settings.within)
    found = [it for it in fit(series).anomalies(settings.far) if it.time >= since]
    if not found:
        return Judgement(True, f"{settings.name} was as expected for {said(seconds_of(settings.within))}")
    worst = max(found, key=lambda it: abs(it.distance))
    at = datetime.fromtimestamp(worst.time, UTC)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return Judgement(
        False,
        f"{settings.name} was {worst.value:.6g} at {at:%Y-%m-%d %H:%M}Z where {worst.expected:.6g} was expected{more}",
    )


GATE = Gate("no-anomaly", "no value of a metric that its trend and seasons do not explain", read, judge)
