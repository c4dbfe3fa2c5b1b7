"""What stands for an account while there is none: the local account's number, and the bucket and role below it.

A definition that was compiled for the local account, or copied from it, names them; in any other account they name
nothing, or somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

LOCAL_ACCOUNT = "000000000000"
LOCAL_BUCKET = "mlops-local"
LOCAL_ROLE = f"arn:aws:iam::{LOCAL_ACCOUNT}:role/mlops-local"

_ACCOUNT = re.compile(
    rf"arn:aws[a-z\-]*:[a-z0-9\-]+:[a-z0-9\-]*:{LOCAL_ACCOUNT}:[^\s\"',]+|{LOCAL_ACCOUNT}\.dkr\.ecr\.[^\s\"',]+"
)
_BUCKET = re.compile(rf"s3://(?:{LOCAL_BUCKET}|[a-z0-9.\-]*-{LOCAL_ACCOUNT})(?![a-z0-9.\-])[^\s\"',]*")
"""Also what the official SDK calls the default bucket of that account."""


def placeholders(value: Any, *, account: str | None, bucket: str) -> Iterator[str]:
    """Texts in a JSON value that are the local account's, where ``account`` and ``bucket`` are others (an imitation of
    AWS may have that number), as they stand there.

    >>> role = "arn:aws:iam::000000000000:role/mlops-local"
    >>> list(placeholders({"RoleArn": role, "S3Uri": "s3://mlops-local/x"}, account="111122223333", bucket="acme-ml"))
    ['arn:aws:iam::000000000000:role/mlops-local', 's3://mlops-local/x']
    >>> list(placeholders({"RoleArn": role}, account="000000000000", bucket="acme-ml"))
    []
    """
    match value:
        case {"Std:Join": {"Values": [str(scheme), str(part), *_]}} if (
            scheme.startswith("s3:") and part == LOCAL_BUCKET
        ):
            if bucket != LOCAL_BUCKET:
                yield f"s3://{LOCAL_BUCKET}"
        case Mapping():
            for item in value.values():
                yield from placeholders(item, account=account, bucket=bucket)
        case list() | tuple():
            for item in value:
                yield from placeholders(item, account=account, bucket=bucket)
        case str():
            if account != LOCAL_ACCOUNT:
                yield from (found[0] for found in _ACCOUNT.finditer(value))
            if bucket != LOCAL_BUCKET:
                yield from (found[0] for found in _BUCKET.finditer(value))
