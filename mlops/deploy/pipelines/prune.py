"""Code, data and definitions in the account's bucket that no pipeline of the account refers to any more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import unless_missing
from mlops.deploy.pages import items
from mlops.deploy.pipelines.state import describe
from mlops.ir import AccountError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

_AT_ONCE = 1000
"""DeleteObjects takes no more."""
_ADDRESS = r"(?:^|/)(?:assets|definitions)/([0-9a-f]{64})"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One object below ``assets/`` or ``definitions/``."""

    key: str
    size: int
    modified: datetime
    referenced: bool


@dataclass(frozen=True, slots=True)
class Inventory:
    """``elsewhere`` are pipelines that have a record here and that this account does not have: gone without `mlops
    destroy`, not made yet, or of another account that shares bucket and prefix."""

    assets: tuple[StoredAsset, ...]
    elsewhere: tuple[str, ...] = ()


def inventory(account: Account, environment: Environment) -> Inventory:
    """An object counts as referred to where its content address stands in the definition of any pipeline of this
    account and region."""
    confirm_account(account, environment)
    with answers():
        listed = items(account.client("sagemaker"), "list_pipelines", "PipelineSummaries", MaxResults=100)
        names = [str(summary["PipelineName"]) for summary in listed]
        used = {address for name in names for address in _addresses(account, name)}
        found = [
            StoredAsset(str(item["Key"]), int(item["Size"]), item["LastModified"], _address(str(item["Key"])) in used)
            for folder in ("assets", "definitions")
            for item in _listed(account, environment, folder)
        ]
        recorded = [PurePosixPath(str(item["Key"])).stem for item in _listed(account, environment, "pipelines")]
    return Inventory(tuple(found), tuple(sorted(set(recorded) - set(names))))


def prunable(found: Inventory, days: float) -> tuple[StoredAsset, ...]:
    """Those that nobody refers to, older than ``days``: executions of earlier versions may still be retried,
    and an upsert that is under way has sent its assets and not yet its pipeline. Raises Refusal where it cannot be told
    what is referred to."""
    if found.elsewhere:
        raise Refusal(
            f"there are records of pipelines that this account does not have, {', '.join(found.elsewhere[:_SHOWN])}"
            f"{', ...' if len(found.elsewhere) > _SHOWN else ''}: which code they use cannot be told",
            hint="`mlops destroy NAME` removes the record of one that is gone; of two accounts with one bucket, each "
            "needs a prefix of its own",
        )
    limit = datetime.now(UTC) - timedelta(days=days)
    return tuple(asset for asset in found.assets if not asset.referenced and asset.modified < limit)


def prune(account: Account, environment: Environment, assets: tuple[StoredAsset, ...]) -> None:
    confirm_account(account, environment)
    s3 = account.client("s3")
    for start in range(0, len(assets), _AT_ONCE):
        keys = [{"Key": asset.key} for asset in assets[start : start + _AT_ONCE]]
        with answers():
            reply = s3.delete_objects(Bucket=environment.bucket, Delete={"Objects": keys, "Quiet": True})
        if reply.get("Errors"):
            told = reply["Errors"][0]
            raise AccountError(
                f"{len(reply['Errors'])} of {len(keys)} objects could not be removed, e.g. {told.get('Key')}: "
                f"{told.get('Code')} {told.get('Message', '')}"
            )


def _addresses(account: Account, name: str) -> list[str]:
    """Of its code and data, and its own where it went through S3."""
    present = describe(account, name)
    if present is None:
        return []
    definition = present.state.definition
    return [*re.findall(_ADDRESS, definition), hashlib.sha256(definition.encode()).hexdigest()]


def _listed(account: Account, environment: Environment, folder: str) -> Sequence[Mapping[str, Any]]:
    s3 = account.client("s3")
    prefix = "/".join(filter(None, (environment.prefix, folder))) + "/"
    place = {"Bucket": environment.bucket, "Prefix": prefix}
    return unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", **place))) or ()


def _address(place: str) -> str:
    found = re.search(_ADDRESS, place)
    return found[1] if found else ""
