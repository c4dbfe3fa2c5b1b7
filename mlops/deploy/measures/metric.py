"""Any metric of CloudWatch, of the account's own or of another service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged, Measure, Query, number, said_number


@dataclass(frozen=True, slots=True)
class Settings:
    """``{endpoint}`` and ``{variant}`` in the value of a dimension stand for what is judged."""

    namespace: str
    name: str
    statistic: str = "Average"
    dimensions: Mapping[str, str] = field(default_factory=dict)


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    filled = {
        name: value.replace("{endpoint}", judged.endpoint).replace("{variant}", judged.variant)
        for name, value in settings.dimensions.items()
    }
    return {"value": Query(settings.namespace, settings.name, settings.statistic, filled)}


def value(settings: Settings, answers: Answers) -> float | None:
    return answers["value"]


def said(value: float) -> str:
    return said_number(value, 6)


MEASURE = Measure("metric", "any metric of CloudWatch", Settings, queries, value, number, said, expression="value")
