"""How long ago the version was registered."""

from __future__ import annotations

from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said, seconds_of
from mlops.ir.gate import Asked, Gate, Judgement, table


@dataclass(frozen=True, slots=True)
class Settings:
    at_least: str | float | None = None
    at_most: str | float | None = None


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)(raw)
    given = [seconds_of(limit) for limit in (settings.at_least, settings.at_most) if limit is not None]
    if not given:
        raise ValueError('give at_least, at_most or both, for example { at_least = "1h" }')
    if sorted(given) != given:
        raise ValueError("at_least is above at_most: no version is both")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    if asked.created is None:
        return Judgement(False, "when it was registered is not known")
    age = (asked.now - asked.created).total_seconds()
    told = f"it is {said(max(0, int(age)))} old"
    if settings.at_least is not None and age < seconds_of(settings.at_least):
        return Judgement(False, f"{told}, and at least {said(seconds_of(settings.at_least))} is wanted")
    if settings.at_most is not None and age > seconds_of(settings.at_most):
        return Judgement(False, f"{told}, and at most {said(seconds_of(settings.at_most))} is wanted")
    return Judgement(True, told)


GATE = Gate("age", "how long ago it was registered", read, judge)
