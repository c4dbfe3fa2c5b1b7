"""So many people have approved the version since it was rejected last. A decision that was made elsewhere, as in
Studio, counts as one by somebody unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops.ir.gate import Approval, Asked, Gate, Judgement, table


@dataclass(frozen=True, slots=True)
class Settings:
    """``other_than_author``: who registered the version does not count. ``reasons``: an approval without one does
    not."""

    count: int = 1
    other_than_author: bool = False
    reasons: bool = False


def standing(approvals: tuple[Approval, ...], approval: str) -> tuple[Approval, ...]:
    """Those that count, one of each person: the newest since the last rejection. ``approval`` is what the registry
    says; where that is not what the records say, it was decided elsewhere."""
    since = approvals
    for place, item in enumerate(approvals):
        if item.status == "Rejected":
            since = approvals[place + 1 :]
    if approval == "Rejected":
        return ()
    newest = {item.by: item for item in since}
    if approval == "Approved" and not newest:
        return (Approval("Approved", None, None, ""),)
    return tuple(newest.values())


def judge(settings: Settings, asked: Asked) -> Judgement:
    count: list[Approval] = []
    told: list[str] = []
    for item in standing(tuple(asked.approvals()), asked.approval):
        name = item.by or "somebody unknown"
        if settings.other_than_author and asked.author is None:
            told.append(f"{name} (who registered the version is not known)")
        elif settings.other_than_author and item.by in (None, asked.author):
            told.append(f"{name} {'registered it' if item.by else 'may have registered it'}")
        elif settings.reasons and not item.reason:
            told.append(f"{name} gave no reason")
        else:
            count.append(item)
    names = ", ".join(item.by or "somebody unknown" for item in count) or "nobody"
    beside = f"; not counted: {', '.join(told)}" if told else ""
    if len(count) >= settings.count:
        return Judgement(True, f"approved by {names}")
    return Judgement(False, f"approved by {names}, and {settings.count} have to{beside}")


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)(raw)
    if settings.count < 1:
        raise ValueError(f"count = {settings.count}: give how many people have to approve, one at least")
    return settings


GATE = Gate("approvals", "so many people have approved it", read, judge)
