"""Code, data and definitions in the account's bucket that no pipeline of the account refers to any more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import is_missing
from mlops.deploy.pages import items
from mlops.deploy.state import describe
from mlops.ir import AccountError
from mlops.project.environments import Environment

_AT_ONCE = 1000
"""DeleteObjects takes no more."""


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One object below ``assets/`` or ``definitions/``."""

    key: str
    size: int
    modified: datetime
    referenced: bool


def stored_assets(account: Account, environment: Environment) -> tuple[StoredAsset, ...]:
    """All of them. An object counts as referred to where its content address stands in a record, or in the definition
    of any pipeline of this account and region."""
    confirm_account(account, environment)
    with answers():
        used = set(_used(account, environment))
        found = [
            StoredAsset(str(item["Key"]), int(item["Size"]), item["LastModified"], _address(str(item["Key"])) in used)
            for folder in ("assets", "definitions")
            for item in _listed(account, environment, folder)
        ]
    return tuple(found)


def prunable(assets: tuple[StoredAsset, ...], days: float) -> tuple[StoredAsset, ...]:
    """Those that nobody refers to, older than ``days``: executions of earlier versions may still be retried,
    and an upsert that is under way has sent its assets and not yet its pipeline."""
    limit = datetime.now(UTC) - timedelta(days=days)
    return tuple(asset for asset in assets if not asset.referenced and asset.modified < limit)


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


def _used(account: Account, environment: Environment) -> Iterator[str]:
    s3 = account.client("s3")
    for item in _listed(account, environment, "pipelines"):
        try:
            content = s3.get_object(Bucket=environment.bucket, Key=item["Key"])["Body"].read()
            for uri in json.loads(content).get("assets", ()):
                yield _address(str(uri))
        except (ValueError, AttributeError):
            raise AccountError(
                f"the record s3://{environment.bucket}/{item['Key']} cannot be read; nothing can be said to be unused"
            ) from None
    for summary in items(account.client("sagemaker"), "list_pipelines", "PipelineSummaries", MaxResults=100):
        present = describe(account, str(summary["PipelineName"]))
        if present is not None:
            yield from re.findall(r"/(?:assets|definitions)/([0-9a-f]{64})", present.state.definition)


def _listed(account: Account, environment: Environment, folder: str) -> Iterator[Any]:
    prefix = "/".join(filter(None, (environment.prefix, folder))) + "/"
    try:
        yield from items(account.client("s3"), "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix)
    except Exception as error:
        if not is_missing(error):
            raise


def _address(place: str) -> str:
    found = re.search(r"(?:^|/)(?:assets|definitions)/([0-9a-f]{64})", place)
    return found[1] if found else ""
