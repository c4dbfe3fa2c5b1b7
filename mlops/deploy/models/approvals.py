"""Decisions on versions, append-only in the account's bucket: a model package itself holds one status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from mlops.account import Account
from mlops.deploy import ledger
from mlops.ir.gate import Approval
from mlops.project.environments import Environment


def append(
    account: Account,
    environment: Environment,
    group: str,
    number: int,
    status: Literal["Approved", "Rejected"],
    by: str | None,
    reason: str | None,
) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"status": status, "by": by, "reason": reason, "at": at}
    ledger.append(account, environment, _folder(group, number), entry)


def read(account: Account, environment: Environment, group: str, number: int) -> tuple[Approval, ...]:
    """Oldest first."""
    found = ledger.read(account, environment, _folder(group, number), members=("status", "at"))
    return tuple(Approval(item["status"], item.get("by"), item.get("reason"), item["at"]) for item in found)


def unrecorded(approval: str, told: Sequence[Approval]) -> Literal["Approved", "Rejected"] | None:
    """What the registry says beyond the records: it was decided elsewhere, as in Studio, by somebody unknown."""
    last = told[-1].status if told else "PendingManualApproval"
    if approval == last or approval not in ("Approved", "Rejected"):
        return None
    return "Approved" if approval == "Approved" else "Rejected"


def stands(told: Sequence[Approval], by: str, status: str, reason: str | None = None) -> bool:
    """Whether that person decided so, for that reason where one is given, and nobody decided otherwise since."""
    for item in reversed(told):
        if item.status != status:
            return False
        if item.by == by:
            return reason in (None, item.reason)
    return False


def _folder(group: str, number: int) -> str:
    return f"approvals/{group}/{number}"
