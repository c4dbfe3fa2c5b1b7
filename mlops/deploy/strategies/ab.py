"""A fixed part of the traffic, until it is decided which version is better, or the time is over."""

from __future__ import annotations

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import seconds_of
from mlops.ir.shift import Course, Stage
from mlops.ir.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Settings:
    """``lasts`` is the longest; with ``until = "over"`` it is looked at for so long whatever is decided. ``after`` is
    how long the new version is looked at while it has all traffic and the old one is still up."""

    share: float = 50.0
    lasts: str | float = "7d"
    until: str = "decided"
    after: str | float = 0.0


def course(settings: Settings, count: int | None) -> Course:
    if not 0 < settings.share < 100:
        raise ValueError(f"share = {settings.share:g}: each version has more than 0 and less than 100 percent")
    if settings.until not in ("decided", "over"):
        raise ValueError(f'until = {settings.until!r}: "decided" or "over"')
    test = Stage(settings.share, seconds_of(settings.lasts), settings.until == "decided")
    return Course((test, Stage(100.0, seconds_of(settings.after))))


STRATEGY = Strategy("ab", "a fixed part of the traffic until one version is better", Settings, course)
