"""Decisions on versions, append-only in the account's bucket: a model package itself holds one status."""

from __future__ import annotations

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
    by: str,
    reason: str | None,
) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"status": status, "by": by, "reason": reason, "at": at}
    ledger.append(account, environment, _folder(group, number), entry)


def read(account: Account, environment: Environment, group: str, number: int) -> tuple[Approval, ...]:
    """Oldest first."""
    found = ledger.read(account, environment, _folder(group, number))
    return tuple(Approval(item["status"], item.get("by"), item.get("reason"), item["at"]) for item in found)


def _folder(group: str, number: int) -> str:
    return f"approvals/{group}/{number}"
