"""What a stream names that is of another region or another account.

Sources: the guide's pages on access control (cross-account delivery) and on cross-region delivery, which is of HTTP
endpoints alone; S3's buckets have neither in their ARNs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.placeholders import LOCAL_ACCOUNT

_NAMED = {
    "LambdaArn": "function",
    "KinesisStreamARN": "data stream",
    "MSKClusterARN": "cluster",
    "DomainARN": "domain",
    "KeyARN": "key",
    "SecretARN": "secret",
}
"""Members that name what a stream reads, asks or writes."""
_ANYWHERE = frozenset({"secret"})
"""Of which no page says that it has to be in the stream's region."""
_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:(?P<region>[\w-]+):(?P<account>\d{12}):.+")
_ROLE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/.+")


@dataclass(frozen=True, slots=True)
class Named:
    """``what`` in words, and its ``arn``."""

    what: str
    arn: str
    region: str
    account: str


def named(request: Any) -> Iterator[Named]:
    """Wherever it stands in the request that makes a stream."""
    for member, value in _members(request):
        found = _ARN.fullmatch(value) if member in _NAMED else None
        if found is not None:
            yield Named(_NAMED[member], value, found["region"], found["account"])


def of_other_regions(request: Any, region: str) -> Iterator[str]:
    """A stream reaches none of them."""
    for item in _once(request):
        if item.region != region and item.what not in _ANYWHERE:
            yield f"the {item.what} {item.arn} is in {item.region}, and a stream of {region} reaches none there"


def of_other_accounts(request: Any) -> Iterator[str]:
    """They have to let the stream's role in, which no role of its own can do."""
    roles = {
        found[1] for member, value in _members(request) if member == "RoleARN" and (found := _ROLE.fullmatch(value))
    }
    ours = next(iter(roles)) if len(roles) == 1 else LOCAL_ACCOUNT
    for item in _once(request) if ours != LOCAL_ACCOUNT else ():
        if item.account != ours:
            yield f"the {item.what} {item.arn} is of account {item.account}, and the stream's role of {ours}"


def _once(request: Any) -> Mapping[Named, None]:
    return dict.fromkeys(named(request))


def _members(value: Any) -> Iterator[tuple[str, str]]:
    """Texts with the members that they stand at; a processor's parameter is called by its name."""
    if isinstance(value, Mapping):
        if isinstance(value.get("ParameterName"), str) and isinstance(value.get("ParameterValue"), str):
            yield value["ParameterName"], value["ParameterValue"]
            return
        for member, item in value.items():
            if isinstance(item, str):
                yield member, item
            else:
                yield from _members(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _members(item)
