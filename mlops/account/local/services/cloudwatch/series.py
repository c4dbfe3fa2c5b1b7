"""Values of a metric by period, and what all that ask for such have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import sources
from mlops.account.local.services.cloudwatch.sources import Metric
from mlops.account.local.services.cloudwatch.statistics import is_known, statistic_of
from mlops.account.local.state import State

_LONGEST_PERIOD = 86_400


def metric_of(told: Mapping[str, Any]) -> Metric:
    """A ``Metric`` of the API, whose model requires none of its members."""
    for member in ("Namespace", "MetricName"):
        if told.get(member) is None:
            raise wrong(f"The parameter {member} is required for a Metric.")
    return Metric(told["Namespace"], told["MetricName"], pairs(told.get("Dimensions")))


def series(
    state: State, metric: Metric, statistic: str, period: int, start: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """By period, each with the time at which it begins; those without values are left out."""
    need_statistic(statistic)
    need_period(period)
    first = int(start.timestamp()) // period * period
    aligned = datetime.fromtimestamp(first, UTC)
    periods: dict[int, list[float]] = {}
    for at, value in sources.values(state, metric, aligned, end):
        periods.setdefault(int(at) // period * period, []).append(value)
    for at in sorted(periods):
        yield datetime.fromtimestamp(at, UTC), statistic_of(statistic, periods[at])


def need_statistic(statistic: str) -> None:
    if not is_known(statistic):
        raise wrong(f"The value {statistic} for parameter Stat is not supported.")


def need_period(period: int) -> None:
    if not (period in (1, 5, 10, 20, 30) or period % 60 == 0) or not 0 < period <= _LONGEST_PERIOD:
        raise wrong(f"The value {period} for parameter Period is none of 1, 5, 10, 20, 30 and multiples of 60.")


def start_of(request: Mapping[str, Any]) -> int:
    """Where the page begins that a token names: one of ours is a number."""
    token = request.get("NextToken") or "0"
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise Refusal("InvalidNextToken", "The next token is invalid.")
    return int(token)


def pairs(dimensions: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((item["Name"], item["Value"]) for item in dimensions or ()))


def wrong(message: str) -> Refusal:
    return Refusal("ValidationError", message)
