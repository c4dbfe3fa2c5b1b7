"""Which names of hosts are AWS's, by botocore's list of partitions."""

from __future__ import annotations

import re
from functools import cache

from mlops.account.local.shapes import models

_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]{2,63}")


@cache
def suffixes() -> tuple[str, ...]:
    """What the names of AWS's hosts end with, in all partitions."""
    outputs = [found["outputs"] for found in models().load_data("partitions")["partitions"]]
    return tuple(sorted({found[key] for found in outputs for key in ("dnsSuffix", "dualStackDnsSuffix")}))


def below_aws(name: str) -> str | None:
    """What stands before the suffix, in lower case; None for a name that is not AWS's.

    >>> below_aws("STS.eu-west-1.amazonaws.com"), below_aws("s3.cn-north-1.amazonaws.com.cn")
    ('sts.eu-west-1', 's3.cn-north-1')
    >>> [below_aws(name) for name in ("amazonaws.com", "notamazonaws.com", "sts.amazonaws.com.example", "a..api.aws")]
    [None, None, None, None]
    """
    lower = name.lower().removesuffix(".")
    if not _NAME.fullmatch(lower):
        return None
    # The longest first: one suffix may end with another.
    ending = next((end for end in sorted(suffixes(), key=len, reverse=True) if lower.endswith(f".{end}")), None)
    return None if ending is None else lower.removesuffix(f".{ending}")


def leads_past(entry: str) -> bool:
    """Whether an entry of NO_PROXY would let a client go to a name of AWS's by itself.

    >>> [leads_past(entry) for entry in ("*", ".amazonaws.com", "com", "s3.eu-west-1.amazonaws.com", "*.api.aws")]
    [True, True, True, True, True]
    >>> leads_past("intranet.example"), leads_past("127.0.0.1"), leads_past("localhost")
    (False, False, False)
    """
    name = entry.strip().lower().lstrip("*.").partition(":")[0]
    if not name:
        return True
    return below_aws(name) is not None or any(end == name or end.endswith(f".{name}") for end in suffixes())
