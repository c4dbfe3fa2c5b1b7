"""A part of the traffic first, then all of it."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    """``after`` is how long the new version is looked at while it has all traffic and the old one is still up."""

    share: float = 10.0
    bake: str | float = "10m"
    after: str | float = 0.0


def course(settings: Settings, count: int | None) -> Course:
    if not 0 < settings.share < 100:
        raise ValueError(f"share = {settings.share:g}: a canary has more than 0 and less than 100 percent")
    return Course((Stage(settings.share, seconds_of(settings.bake)), Stage(100.0, seconds_of(settings.after))))


STRATEGY = Strategy("canary", "a part of the traffic first, then all of it", Settings, course)
