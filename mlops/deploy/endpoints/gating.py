"""The gates that stand between a version and an environment: all are asked, and what each found is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.account import Account
from mlops.deploy.endpoints.serving import packages
from mlops.deploy.models import approvals, registry
from mlops.deploy.models.registry import APPROVED, Version
from mlops.ir import Refusal
from mlops.ir.gate import Asked, Gate, Judgement
from mlops.project.environments import Environment

APPROVAL = "approval"
"""The gate that is always there: only an Approved version is promoted."""


@dataclass(frozen=True, slots=True)
class Gated:
    gate: str
    passes: bool
    found: str
    overridden: bool = False

    @property
    def told(self) -> str:
        mark = "passed over" if self.overridden else "passes" if self.passes else "refuses"
        return f"gate {self.gate} {mark}: {self.found}"


@dataclass(frozen=True, slots=True)
class Registry:
    """The account that holds a version, and its environment."""

    account: Account
    environment: Environment


def judge(gates: Sequence[tuple[Gate, Any]], asked: Asked, overrides: Collection[str] = ()) -> tuple[Gated, ...]:
    approved = asked.approval == APPROVED
    found = [Gated(APPROVAL, approved, f"it is {asked.approval or 'not decided on'}")]
    for gate, settings in gates:
        try:
            judgement = gate.judge(settings, asked)
        except Refusal as refusal:
            judgement = Judgement(False, refusal.message)
        overridden = not judgement.passes and gate.name in overrides
        found.append(Gated(gate.name, judgement.passes, judgement.found, overridden))
    return tuple(found)


def need_open(found: Sequence[Gated], version: Version) -> None:
    """Raises Refusal that names each gate that refuses."""
    closed = [item for item in found if not item.passes and not item.overridden]
    if not closed:
        return
    told = f"version {version.number} of {version.group}"
    if [item.gate for item in closed] == [APPROVAL]:
        raise Refusal(
            f"{told} is {version.approval}, only an Approved one is promoted",
            hint=f"`mlops models approve {version.group} {version.number}` if it is good",
        )
    raise Refusal(
        f"{told} may not go there; nothing was changed\n" + "\n".join(f"  {item.told}" for item in closed),
        hint="mend that, or promote another version; `--override GATE --reason WHY` passes a gate over, which is kept "
        "in the history",
    )


def asked_of(
    version: Version,
    source: Registry,
    account: Account,
    environment: Environment,
    endpoint: str,
    passed: Callable[[str], str | None],
    now: datetime | None = None,
) -> Asked:
    """``passed`` says why a version has not passed another environment."""

    def serving() -> Mapping[str, float] | None:
        arns = packages(account, endpoint)
        if not arns:
            return None
        return registry.metrics(source.account, registry.described(source.account, sorted(arns)[0]))

    return Asked(
        environment.name,
        version.group,
        version.number,
        version.approval,
        _author(version.details),
        version.created,
        now or datetime.now(UTC),
        version.details,
        approvals=lambda: approvals.read(source.account, source.environment, version.group, version.number),
        metrics=lambda: registry.metrics(source.account, version),
        serving_metrics=serving,
        passed=passed,
    )


def _author(details: Mapping[str, Any]) -> str | None:
    told = details.get("CreatedBy") or {}
    found = (told.get("IamIdentity") or {}).get("Arn") or told.get("UserProfileArn")
    return None if found is None else str(found)
