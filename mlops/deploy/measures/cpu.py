"""CPU that the variant's instances use, in percent (CPU up to 100 times the cores), as they publish it."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged, Measure, Query, number, of_variant, said_number


@dataclass(frozen=True, slots=True)
class Settings:
    pass


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    return {"used": of_variant("CPUUtilization", "Average", judged, "/aws/sagemaker/Endpoints")}


def value(settings: Settings, answers: Answers) -> float | None:
    return answers["used"]


def said(value: float) -> str:
    return f"{said_number(value, 3)} %"


MEASURE = Measure("cpu", "CPU that instances use", Settings, queries, value, number, said, expression="used")
