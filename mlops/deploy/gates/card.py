"""The version has a complete model card: what is asked of it is said by somebody, or known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops.deploy.cards.completeness import USUAL, missing, names
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import OFF, Asked, Gate, Judgement, Off, table
from mlops.project.card_intent import STATUSES


@dataclass(frozen=True, slots=True)
class Settings:
    """``need`` are members of a card, ``without`` those of them that are not asked for. ``status`` is what it has to
    be."""

    need: Sequence[str] = USUAL
    without: Sequence[str] = ()
    status: str | None = None


def read(raw: Any) -> Settings | Off:
    if isinstance(raw, bool):
        return Settings() if raw else OFF
    settings: Settings = table(Settings)(raw)
    for key, given in (("need", settings.need), ("without", settings.without)):
        if isinstance(given, str) or not all(isinstance(item, str) for item in given):
            raise ValueError(f"{key}: give a list of members of a card")
        for name in given:
            if name not in names():
                raise ValueError(f"{key}: a card has no member {name!r}{instead(name, names())}")
    if settings.status is not None and settings.status not in STATUSES:
        raise ValueError(f"status = {settings.status!r}{instead(settings.status, STATUSES)}")
    if not {*settings.need} - {*settings.without} and settings.status is None:
        raise ValueError("nothing is asked for: every member that is needed stands in without")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    wanted = [name for name in settings.need if name not in settings.without]
    absent = missing(asked.card(), wanted)
    told = [f"its card lacks {', '.join(absent)}"] if absent else []
    status = asked.card_status()
    if settings.status is not None and status != settings.status:
        told.append(f"its card is {status}, and {settings.status} is wanted")
    if told:
        return Judgement(False, "; ".join(told))
    return Judgement(True, f"its card has all {len(wanted)} members that are asked for and is {status}")


GATE = Gate("card", "it has a complete model card", read, judge)
