"""Removes what was decided on, each noted before: who, what, why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import ledger
from mlops.deploy.collecting.deciding import Removal
from mlops.project.environments import Environment

FOLDER = "removed"


def remove(
    account: Account,
    environment: Environment,
    removals: Sequence[Removal],
    *,
    by: str,
    reason: str | None,
    say: Callable[[str], None],
) -> None:
    sagemaker = account.client("sagemaker")
    for item in removals:
        note = {
            "what": item.kind,
            "name": item.name,
            "why": item.why,
            "by": by,
            "reason": reason,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        ledger.append(account, environment, FOLDER, note)
        with answers():
            match item.kind:
                case "endpoint":
                    unless_missing(lambda: sagemaker.delete_endpoint(EndpointName=item.name))  # noqa: B023
                case "config":
                    unless_missing(lambda: sagemaker.delete_endpoint_config(EndpointConfigName=item.name))  # noqa: B023
                case "model":
                    unless_missing(lambda: sagemaker.delete_model(ModelName=item.name))  # noqa: B023
        say(f"removed {item.kind} {item.name}: {item.why}")
