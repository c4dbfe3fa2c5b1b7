"""A forecast in words, above its table."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.cli.printing import moment
from mlops.ir.duration import said
from mlops.use_cases.forecasting import Forecast


def lines(name: str, found: Forecast) -> Iterator[str]:
    model, query = found.model, found.query
    yield (
        f"{query.metric} of {name} ({query.namespace}, {query.statistic} per {said(model.series.step)}): "
        f"{len(model.series.known)} values"
    )
    trend = next((it for it in model.coefficients if it.name == "trend per day"), None)
    if trend is not None:
        yield f"  trend      {trend.value:+.4g} a day (standard error {trend.error:.2g})"
    for period, size in zip(model.periods, model.swings, strict=True):
        yield f"  season     {said(round(period))}: up to {size:.4g} above and below"
    if not model.periods:
        yield "  season     none that noise would not have"
    yield f"  left over  {model.line.spread:.4g} (standard deviation)"
    yield f"  error      {_error(found)}"
    anomalies = model.anomalies()
    yield f"  anomalies  {len(anomalies) or 'none'}"
    for it in anomalies[-10:]:
        expected = f"where {it.expected:.6g} was expected ({it.distance:+.1f} deviations)"
        yield f"    {moment(it.time)}  {it.value:.6g} {expected}"
    peak = found.peak
    yield f"  peak       {peak.expected:.6g} at {moment(peak.time)}, at most {peak.high:.6g} in 95 of 100 cases"
    if found.instances is not None:
        yield f"  instances  {found.instances} for that peak"


def _error(found: Forecast) -> str:
    evaluation = found.evaluation
    if evaluation is None:
        return "not known: the history is too short to leave something out"
    ahead = said(evaluation.steps * found.model.series.step)
    others = f"the last value repeated {evaluation.naive:.4g}"
    if evaluation.seasonal is not None:
        others += f", a season ago {evaluation.seasonal:.4g}"
    told = f"{evaluation.model:.4g} over {ahead} ahead, from {evaluation.origins} places ({others})"
    return told if evaluation.is_better else f"{told}: no better than repeating the past"
