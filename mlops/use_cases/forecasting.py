"""What a metric of an endpoint will be, by what it was."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from mlops.account import answers
from mlops.account.missing import unless_missing
from mlops.deploy.metric_history import history
from mlops.ir import ConfigurationError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import typed
from mlops.ir.measure import Query
from mlops.use_cases.connecting import Connected, connect_here

if TYPE_CHECKING:
    from mlops.observe.forecast.evaluation import Evaluation
    from mlops.observe.forecast.model import Ahead, Model, Solver


@dataclass(frozen=True, slots=True)
class Wanted:
    """Durations as people write them. ``seasons`` None has them found. ``each`` is how many requests a minute one
    instance bears; with it instances are counted."""

    metric: str = "Invocations"
    statistic: str = "Sum"
    namespace: str = "AWS/SageMaker"
    variant: str | None = None
    look_back: str = "14d"
    every: str = "1h"
    ahead: str = "1d"
    seasons: Sequence[str] | None = None
    ridge: float = 0.0
    each: float | None = None
    backend: Literal["here", "ml_commons"] = "here"


@dataclass(frozen=True, slots=True)
class Forecast:
    """``evaluation`` is None where the history is too short to hold the model against anything."""

    query: Query
    model: Model
    evaluation: Evaluation | None
    ahead: Sequence[Ahead]
    instances: int | None

    @property
    def peak(self) -> Ahead:
        return max(self.ahead, key=lambda step: step.high)


def forecast(environment: str, name: str, wanted: Wanted, *, now: float | None = None) -> Forecast:
    """
    Raises:
        UsageError: no such endpoint, no values, a season that cannot be seen.
    """
    look_back, every, ahead = _seconds(wanted.look_back), _seconds(wanted.every), _seconds(wanted.ahead)
    seasons = None if wanted.seasons is None else [_seconds(season) for season in wanted.seasons]
    if every <= 0 or ahead < every:
        raise UsageError(f"{wanted.ahead} ahead in steps of {wanted.every}: that is less than one step")
    connected = connect_here(environment)
    with answers():
        sagemaker = connected.account.client("sagemaker")
        there = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=name))
        if there is None:
            raise UsageError(f"there is no endpoint {name!r}", hint="`mlops endpoints list` tells which there are")
        # One that failed or is not there yet has no variants of its own to tell.
        config = there["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    variant = _variant(wanted.variant, [str(item["VariantName"]) for item in variants])
    query = Query(wanted.namespace, wanted.metric, wanted.statistic, {"EndpointName": name, "VariantName": variant})
    series = history(
        connected.account.client("cloudwatch"), query, time.time() if now is None else now, look_back, every
    )

    from mlops.observe.forecast.evaluation import evaluated
    from mlops.observe.forecast.linear import solve
    from mlops.observe.forecast.model import Settings, fit

    solver = solve if wanted.backend == "here" else _ml_commons(connected)
    model = fit(series, Settings(seasons, ridge=wanted.ridge), solver)
    steps = int(ahead // every)
    told = model.ahead(steps)
    made = Forecast(query, model, evaluated(series, model.settings, model.periods, steps, solver), told, None)
    if wanted.each is None:
        return made
    if wanted.statistic not in ("Sum", "SampleCount"):
        raise UsageError(f"instances are counted by how many requests there are, and {wanted.statistic} is no count")
    minutes = every / 60
    instances = max(1, -int(-max(0.0, made.peak.high) / minutes // wanted.each))
    return Forecast(query, model, made.evaluation, told, instances)


def _ml_commons(connected: Connected) -> Solver:
    """Raises ConfigurationError where the environment has no OpenSearch."""
    from mlops.observe.forecast.ml_commons import MlCommons
    from mlops.observe.search.asking import asking

    place = connected.environment.search
    if place is None:
        raise ConfigurationError(
            f"the environment {connected.environment.name} has no OpenSearch",
            hint=f'write [env.{connected.environment.name}.search] with url = "https://..." in mlops.toml',
        )
    return MlCommons(asking(place, connected.account.region, connected.account.credentials))


def _seconds(written: str) -> float:
    try:
        return typed(written)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _variant(wanted: str | None, there: Sequence[str]) -> str:
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted in there and wanted is not None:
        return wanted
    asked = "name one" if wanted is None else f"none is called {wanted}"
    raise UsageError(f"the endpoint has the variants {', '.join(there)}; {asked}", hint="--variant NAME")


def as_dictionary(found: Forecast) -> Mapping[str, Any]:
    model, evaluation = found.model, found.evaluation
    return {
        "metric": {
            "namespace": found.query.namespace,
            "name": found.query.metric,
            "statistic": found.query.statistic,
            "dimensions": [{"name": name, "value": value} for name, value in found.query.dimensions.items()],
        },
        "values": len(model.series.known),
        "seasons_in_seconds": list(model.periods),
        "coefficients": [{"name": it.name, "value": it.value, "standard_error": it.error} for it in model.coefficients],
        "residual_spread": model.line.spread,
        "evaluation": None
        if evaluation is None
        else {
            "steps": evaluation.steps,
            "origins": evaluation.origins,
            "model_rmse": evaluation.model,
            "naive_rmse": evaluation.naive,
            "seasonal_naive_rmse": evaluation.seasonal,
            "is_better": evaluation.is_better,
        },
        "anomalies": [
            {"time": _at(it.time), "value": it.value, "expected": it.expected, "distance": it.distance}
            for it in model.anomalies()
        ],
        "forecast": [
            {"time": _at(it.time), "expected": it.expected, "low": it.low, "high": it.high} for it in found.ahead
        ],
        "instances": found.instances,
    }


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
