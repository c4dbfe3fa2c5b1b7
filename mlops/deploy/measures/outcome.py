"""What became of requests, in the mean: a conversion, money, a rating; or how far an answer is from its label."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from mlops.deploy.outcomes.naming import need_name
from mlops.deploy.outcomes.right import number as number_in
from mlops.deploy.outcomes.right import single
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.measure import Answers, Became, Judged, Measure, Outcomes, Query, number, said_number, seen_values
from mlops.statistics.means import Bounds


@dataclass(frozen=True, slots=True)
class Settings:
    """``name`` is the outcome's. Values lie between ``low`` and ``high``; what does not is taken as the bound.
    ``within`` is how long it may take; ``without`` is the value of a request that has none by then, which else is left
    out. ``distance``: not the outcome is the value, but how far the answer is from it. ``of_user``: what of all
    requests of one user counts."""

    name: str
    low: float = 0.0
    high: float = 1.0
    within: str | float = "1h"
    without: float | None = None
    distance: bool = False
    of_user: Literal["mean", "sum", "most"] = "mean"


def outcomes(settings: Settings) -> Outcomes:
    return Outcomes(
        settings.name,
        seconds_of(settings.within),
        _distance if settings.distance else _value,
        settings.low,
        settings.high,
        settings.without,
        settings.of_user,
        settings.distance,
    )


def _value(became: Became) -> float | None:
    return number_in(became.outcome)


def _distance(became: Became) -> float | None:
    told = None if became.answer is None else single(became.answer)
    answered, label = None if told is None else number_in(told), number_in(became.outcome)
    return None if answered is None or label is None else abs(answered - label)


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    """Raises ValueError for bounds that are none, and for what nothing can be measured by."""
    need_name(settings.name)
    bounds = Bounds(settings.low, settings.high)
    if settings.without is not None:
        bounds.part(settings.without)
    outcomes(settings)
    return {}


def value(settings: Settings, answers: Answers) -> float | None:
    seen = seen_values(answers)
    count = sum(seen.values())
    return math.fsum(value * times for value, times in seen.items()) / count if count else None


def said(value: float) -> str:
    return said_number(value)


MEASURE = Measure(
    "outcome", "what became of requests, in the mean", Settings, queries, value, number, said, outcomes=outcomes
)
