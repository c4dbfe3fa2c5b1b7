"""All traffic goes to the new version at one moment; what served before stays up beside it until the new one has been
looked at."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    bake: str | float = "10m"


def course(settings: Settings, count: int | None) -> Course:
    return Course((Stage(100.0, seconds_of(settings.bake)),))


STRATEGY = Strategy("blue-green", "all traffic at one moment, both fleets up while it bakes", Settings, course)
