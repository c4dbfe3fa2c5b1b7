"""Where the steps of an execution read from, and what lies there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.executions.following import StepState
from mlops.deploy.pipelines.definition_diff import is_asset
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri

_MOST_FILES = 1000
"""One page of a listing. Inputs with more files are told by their URIs."""


@dataclass(frozen=True, slots=True)
class Read:
    """Where an input of a step came from, and since when."""

    uri: str
    began: datetime | None


def inputs(step: StepState, job: Mapping[str, Any]) -> Iterator[tuple[str, Read]]:
    """By name. Code is left out: the definition tells of it."""
    kind = step.job_kind
    for place in kind.inputs if kind is not None else ():
        for name, uri in place.uris(job):
            if uri.startswith("s3://") and not is_asset(uri):
                yield name, Read(uri, step.started)


def listing(account: Account, uri: str) -> dict[str, tuple[str, datetime]] | None:
    """ETag and time by path below ``uri``; None where there are too many or they cannot be listed."""
    bucket, prefix = split_uri(uri)
    try:
        with answers():
            reply = account.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_MOST_FILES)
    except Refused:
        return None
    if reply.get("IsTruncated"):
        return None
    return {
        item["Key"][len(prefix) :].lstrip("/"): (item["ETag"].strip('"'), item["LastModified"])
        for item in reply.get("Contents", ())
    }
