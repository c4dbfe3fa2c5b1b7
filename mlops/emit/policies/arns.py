"""ARNs of what a policy names, in the account and region of an environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops.ir.s3_uri import split_uri
from mlops.ir.surroundings import Surroundings


def account_of(around: Surroundings) -> str:
    """Every role names its account."""
    return around.account or around.role.split(":")[4]


def arn_of(around: Surroundings, service: str, resource: str) -> str:
    return f"arn:{around.partition}:{service}:{around.region}:{account_of(around)}:{resource}"


def bucket_arn(bucket: str, around: Surroundings) -> str:
    """Of a bucket, or of `BUCKET/KEY`."""
    return f"arn:{around.partition}:s3:::{bucket}"


def objects_arn(uri: str, around: Surroundings) -> str:
    """All whose URI begins so."""
    bucket, key = split_uri(uri)
    return f"{bucket_arn(bucket, around)}/{key}*"


def key_arn(key: str, around: Surroundings) -> tuple[str, Mapping[str, Any]]:
    """A key may be named by its ARN, its id or an alias, which a policy knows as a condition."""
    if key.startswith("alias/") or ":alias/" in key:
        alias = key.rpartition(":")[2]
        return arn_of(around, "kms", "key/*"), {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    return (
        key if re.fullmatch(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/.+", key) else arn_of(around, "kms", f"key/{key}")
    ), {}
