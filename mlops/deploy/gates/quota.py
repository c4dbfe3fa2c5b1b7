"""Room for both fleets: while a version comes, the one that serves stays. A quota that nobody knows is told, not
passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.gate import Asked, Gate, Judgement, table


@dataclass(frozen=True, slots=True)
class Settings:
    """``limits`` are instances by type, in place of the account's quota: for an account that tells none."""

    limits: Mapping[str, int] = field(default_factory=dict)


def read(raw: Any) -> Settings:
    settings: Settings = table(Settings)({} if raw is True else raw)
    if not isinstance(settings.limits, Mapping):
        raise ValueError('limits: give a number by instance type, for example { "ml.m5.large" = 4 }')
    for name, limit in settings.limits.items():
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise ValueError(f"limits: {name} = {limit!r}: give how many instances there may be")
    return settings


def judge(settings: Settings, asked: Asked) -> Judgement:
    fleet = asked.fleet()
    if fleet is None:
        return Judgement(True, "no instances come")
    limit = settings.limits.get(fleet.instance, fleet.quota)
    wanted = fleet.serving + fleet.coming + fleet.others
    parts = [f"{fleet.coming} that come"]
    if fleet.serving:
        parts.append(f"{fleet.serving} that serve")
    if fleet.others:
        parts.append(f"{fleet.others} of other endpoints")
    told = f"{wanted} {fleet.instance} ({', '.join(parts)})"
    if limit is None:
        return Judgement(False, f"{told} are wanted, and the quota is not known: {fleet.unknown or 'nobody tells it'}")
    return Judgement(wanted <= limit, f"{told} {'of' if wanted <= limit else 'are wanted, and the quota is'} {limit:g}")


GATE = Gate("quota", "room for both fleets", read, judge)
