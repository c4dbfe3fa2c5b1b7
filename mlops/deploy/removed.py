"""What was removed of an account: an entry for each in the environment's bucket, written before it goes."""

from __future__ import annotations

from datetime import UTC, datetime

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy import ledger
from mlops.project.environments import Environment

FOLDER = "removed"


def note(
    account: Account, environment: Environment, kind: str, name: str, *, why: str, by: str, reason: str | None = None
) -> None:
    told = {
        "what": kind,
        "name": name,
        "why": why,
        "by": by,
        "reason": reason,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    # Where the bucket is gone, what was made from it goes all the same.
    unless_missing(lambda: ledger.append(account, environment, FOLDER, told))
