"""The code that a step's definition names: its content addresses, and the packages that its requirements pin."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.account.missing import unless_missing
from mlops.deploy.models.distributions import listed, requirements
from mlops.deploy.pipelines.definition_diff import is_asset, leaves
from mlops.ir.gate import Shipped
from mlops.ir.s3_uri import split_uri

_ASSET = re.compile(r"(?P<folder>s3://\S+/assets/(?P<address>[0-9a-f]{64}))(?:/(?P<name>.*))?")
_LIST = re.compile(r"(^|/)[\w.-]*requirements[\w.-]*\.txt$", re.IGNORECASE)
_LARGEST = 64 * 1024 * 1024
"""An archive of code that is larger is not read for its requirements."""


def addresses(step: Mapping[str, Any]) -> dict[str, str]:
    """By the name of the file; a folder is ``code``, another one of the step its place there.

    >>> address = "0a" * 32
    >>> uris = [f"s3://b/assets/{address}/src/train.py", f"s3://b/assets/{address}/"]
    >>> addresses({"Arguments": {"Script": uris[0], "Folder": uris[1]}}) == {"train.py": address, "code": address}
    True
    """
    found: dict[str, str] = {}
    for at, value in leaves(step):
        asset = _ASSET.fullmatch(value) if is_asset(value) else None
        if asset is not None:
            name = (asset["name"] or "").rpartition("/")[2] or "code"
            found[name if found.get(name, asset["address"]) == asset["address"] else at] = asset["address"]
    return found


def dependencies(account: Account, step: Mapping[str, Any]) -> dict[str, str]:
    """What the requirements among a step's code say, by the package's name: its version, or what was written where none
    is pinned. What may not be read, and is no code of ours, tells nothing."""
    found: dict[str, str] = {}
    for asset in dict.fromkeys(value for _, value in leaves(step) if is_asset(value)):
        try:
            with answers():
                for item in _shipped(account, str(asset)):
                    found[item.name.lower()] = item.version or item.said
        except (Refused, tarfile.TarError, EOFError):
            continue
    return dict(sorted(found.items()))


def _shipped(account: Account, asset: str) -> Iterator[Shipped]:
    s3 = account.client("s3")
    parsed = _ASSET.fullmatch(asset)
    if asset.endswith(".tar.gz"):
        bucket, key = split_uri(asset)
        reply = unless_missing(lambda: s3.get_object(Bucket=bucket, Key=key))
        if reply is not None and reply["ContentLength"] <= _LARGEST:
            yield from (item for item in listed(reply["Body"]) if _LIST.search(item.file))
    elif parsed is not None:
        bucket, front = split_uri(f"{parsed['folder']}/")
        there = s3.list_objects_v2(Bucket=bucket, Prefix=front).get("Contents") or ()
        for key in sorted(str(item["Key"]) for item in there if _LIST.search(item["Key"])):
            text = s3.get_object(Bucket=bucket, Key=key)["Body"].read(_LARGEST).decode(errors="replace")
            yield from requirements(text, key.removeprefix(front))
