"""A percentile of the time inside the model."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said as said_duration
from mlops.ir.duration import seconds_of
from mlops.ir.measure import Answers, Judged, Measure, Query, of_variant

_MILLISECONDS = "ms"


@dataclass(frozen=True, slots=True)
class Settings:
    percentile: float = 99


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    """Raises ValueError."""
    if not 0 <= settings.percentile <= 100:
        raise ValueError(f"percentile = {settings.percentile:g}: from 0 to 100")
    return {"latency": of_variant("ModelLatency", f"p{settings.percentile:g}", judged)}


def value(settings: Settings, answers: Answers) -> float | None:
    microseconds = answers["latency"]
    return None if microseconds is None else microseconds / 1e6


def limit(written: str | float) -> float:
    """Seconds; milliseconds are written as ``"250ms"``."""
    if isinstance(written, str) and written.endswith(_MILLISECONDS):
        return seconds_of(f"{written.removesuffix(_MILLISECONDS)}s") / 1000
    return seconds_of(written)


def said(value: float) -> str:
    """As people declare it: from a second on in seconds, minutes and hours.

    >>> said(0.0211), said(0.25), said(0.9999), said(2.0), said(2.345), said(90.2)
    ('21.1 ms', '250 ms', '1s', '2s', '2.35s', '1m 30s')
    """
    short = float(f"{value:.3g}")
    if short < 1:
        return f"{1000 * value:.3g} ms"
    return said_duration(short if short < 60 else round(value))


MEASURE = Measure(
    "latency",
    "a percentile of the time inside the model",
    Settings,
    queries,
    value,
    limit,
    said,
    expression="latency / 1000000",
)
