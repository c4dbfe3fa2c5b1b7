"""So many people have approved the version since it was rejected last. A decision that was made elsewhere, as in
Studio, counts as one by somebody unknown."""

from __future__ import annotations

from typing import Any

from mlops.ir.dataclass import dataclass
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


@dataclass(frozen=True, slots=True)
class Counted:
    """``by`` are those whose approval counts, ``not_counted`` the others with why not."""

    by: tuple[str, ...]
    wanted: int
    not_counted: tuple[str, ...] = ()

    @property
    def beside(self) -> str:
        return f"; not counted: {', '.join(self.not_counted)}" if self.not_counted else ""


def count(settings: Settings, approvals: tuple[Approval, ...], approval: str, author: str | None) -> Counted:
    """``approval`` is what the registry says, ``author`` who registered the version."""
    counted: list[str] = []
    told: list[str] = []
    for item in standing(approvals, approval):
        name = item.by or "somebody unknown"
        if settings.other_than_author and author is None:
            told.append(f"{name} (who registered the version is not known)")
        elif settings.other_than_author and item.by in (None, author):
            told.append(f"{name} {'registered it' if item.by else 'may have registered it'}")
        elif settings.reasons and not item.reason:
            told.append(f"{name} gave no reason")
        else:
            counted.append(name)
    return Counted(tuple(counted), settings.count, tuple(told))


def judge(settings: Settings, asked: Asked) -> Judgement:
    found = count(settings, tuple(asked.approvals()), asked.approval, asked.author)
    names = ", ".join(found.by) or "nobody"
    if len(found.by) >= found.wanted:
        return Judgement(True, f"approved by {names}")
    return Judgement(False, f"approved by {names}, and {found.wanted} have to{found.beside}")


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)(raw)
    if settings.count < 1:
        raise ValueError(f"count = {settings.count}: give how many people have to approve, one at least")
    return settings


GATE = Gate("approvals", "so many people have approved it", read, judge)
