"""All traffic goes to the new version at one moment, when it is up; what served before is given back at once."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    pass


def course(settings: Settings, count: int | None) -> Course:
    return Course((Stage(100.0),))


STRATEGY = Strategy("all-at-once", "all traffic at one moment", Settings, course)
