"""How many requests the variant got in a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.ir.measure import Answers, Judged, Measure, Query, number, of_variant


@dataclass(frozen=True, slots=True)
class Settings:
    pass


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    return {"requests": of_variant("Invocations", "Sum", judged)}


def value(settings: Settings, answers: Answers) -> float | None:
    return answers["requests"] or 0.0


def said(value: float) -> str:
    return f"{value:g} requests"


MEASURE = Measure("requests", "requests in a period", Settings, queries, value, number, said)
