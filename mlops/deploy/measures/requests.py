"""How many requests the variant got in a period."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged, Measure, Query, number, of_variant, said_number


@dataclass(frozen=True, slots=True)
class Settings:
    pass


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    return {"requests": of_variant("Invocations", "Sum", judged)}


def value(settings: Settings, answers: Answers) -> float | None:
    return answers["requests"] or 0.0


def said(value: float) -> str:
    """
    >>> said(1.0), said(2e6)
    ('1 request', '2000000 requests')
    """
    return f"{said_number(value, 6)} request{'' if value == 1 else 's'}"


MEASURE = Measure(
    "requests", "requests in a period", Settings, queries, value, number, said, expression="FILL(requests, 0)"
)
