"""The share of requests that were answered wrong, as labels say that come later."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlops.deploy.outcomes.naming import need_name
from mlops.deploy.outcomes.right import is_wrong
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.measure import Answers, Became, Judged, Measure, Outcomes, Query, said_share, seen_values, share


@dataclass(frozen=True, slots=True)
class Settings:
    """``label`` is the name of the outcome that says what was right; a score from ``threshold`` on is the label 1.
    Requests whose label takes longer than ``within`` are left out."""

    label: str = "label"
    threshold: float = 0.5
    within: str | float = "1h"


def outcomes(settings: Settings) -> Outcomes:
    def score(became: Became) -> float | None:
        wrong = is_wrong(became.answer, became.outcome, settings.threshold)
        return None if wrong is None else float(wrong)

    return Outcomes(settings.label, seconds_of(settings.within), score, needs_answer=True)


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    """Raises ValueError for what nothing can be measured by."""
    need_name(settings.label)
    outcomes(settings)
    if not math.isfinite(settings.threshold):
        raise ValueError(f"threshold = {settings.threshold:g}: a score from which on the label is 1")
    return {}


def counted(settings: Settings, answers: Answers) -> tuple[float, float] | None:
    requests, wrong = 0, 0
    for score, count in seen_values(answers).items():
        requests += count
        # Of one user it may be a part; by the most of them it is one or the other.
        if score >= 0.5:
            wrong += count
    return (requests, wrong) if requests else None


def value(settings: Settings, answers: Answers) -> float | None:
    found = counted(settings, answers)
    return None if found is None else found[1] / found[0]


MEASURE = Measure(
    "wrong", "share of requests answered wrong", Settings, queries, value, share, said_share, counted, outcomes
)
