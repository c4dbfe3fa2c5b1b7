"""Equal steps, with a look at the new version after each."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, equal_stages
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    """``after`` is how long the new version is looked at while it has all traffic and the old one is still up; as long
    as after each other step where it is not given."""

    step: float = 20.0
    bake: str | float = "10m"
    after: str | float | None = None


def course(settings: Settings, count: int | None) -> Course:
    bake = seconds_of(settings.bake)
    after = bake if settings.after is None else seconds_of(settings.after)
    return Course(equal_stages(settings.step, bake, after, "step"))


STRATEGY = Strategy("linear", "equal steps", Settings, course)
