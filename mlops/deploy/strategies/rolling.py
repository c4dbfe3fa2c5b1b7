"""Instances are replaced in batches: as many of the old version are given back as of the new one have come."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, equal_stages
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    """``batch`` is percent of the instances."""

    batch: float = 25.0
    bake: str | float = "5m"


def course(settings: Settings, count: int | None) -> Course:
    bake = seconds_of(settings.bake)
    return Course(equal_stages(settings.batch, bake, bake, "batch"), releases=True)


STRATEGY = Strategy("rolling", "instances are replaced in batches", Settings, course)
