"""The band of an anomaly detector: which values of a metric are usual for a time.

CloudWatch's own model is not published. Ours: the values of the two weeks before, at the same hour of the day where
there are enough of them and at any else; around their median, so many times 1.4826 of the median deviation from it,
which is the standard deviation of what is normal. Neither moves by a few outliers. What a detector excludes is left
out.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

TRAINED_ON_SECONDS = 14 * 86_400
LEAST = 10
"""Values of an hour, or of all hours, before there is a band."""
_NORMAL = 1.4826


def band(
    past: Mapping[int, float],
    times: Sequence[int],
    deviations: float,
    *,
    zone: str = "UTC",
    excluded: Sequence[tuple[float, float]] = (),
) -> tuple[dict[int, float], dict[int, float]]:
    """Lower and upper end at each of ``times`` for which there is enough ``past``."""
    there = ZoneInfo(zone)
    known = [(at, value) for at, value in sorted(past.items()) if not any(low <= at < high for low, high in excluded)]
    hours: dict[int, list[tuple[int, float]]] = {}
    for at, value in known:
        hours.setdefault(_hour(at, there), []).append((at, value))
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    for at in times:
        same = _before(hours.get(_hour(at, there), ()), at)
        usual = same if len(same) >= LEAST else _before(known, at)
        if len(usual) < LEAST:
            continue
        middle = statistics.median(usual)
        width = deviations * _NORMAL * statistics.median(abs(value - middle) for value in usual)
        low[at], high[at] = middle - width, middle + width
    return low, high


def _before(values: Sequence[tuple[int, float]], at: int) -> list[float]:
    return [value for time, value in values if at - TRAINED_ON_SECONDS <= time < at]


def _hour(at: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).hour
