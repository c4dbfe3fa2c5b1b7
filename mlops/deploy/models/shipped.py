"""Which Python distributions the archives of a version bring, or the files of a model that is none."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.models.distributions import in_file, listed
from mlops.deploy.models.registry import Version
from mlops.deploy.pages import items
from mlops.ir import Refusal
from mlops.ir.gate import Shipped
from mlops.ir.s3_uri import split_uri


def shipped(account: Account, version: Version) -> tuple[Shipped, ...]:
    """By all that a version serves. ``account`` holds it. Raises Refusal for what is not there, and for an archive that
    cannot be opened."""
    containers = (version.details.get("InferenceSpecification") or {}).get("Containers") or ()
    return tuple(dict.fromkeys(item for container in containers for item in _of(account, container)))


def _of(account: Account, container: Mapping[str, Any]) -> Iterator[Shipped]:
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = str(container.get("ModelDataUrl") or source.get("S3Uri") or "")
    if not uri:
        return
    if (source and not container.get("ModelDataUrl") and source.get("CompressionType") == "None") or uri.endswith("/"):
        yield from _in_files(account, uri)
    else:
        yield from _in_archive(account, uri)


def _in_archive(account: Account, uri: str) -> Iterator[Shipped]:
    bucket, key = split_uri(uri)
    with answers():
        reply = unless_missing(lambda: account.client("s3").get_object(Bucket=bucket, Key=key))
    if reply is None:
        raise Refusal(f"nothing lies at {uri}")
    try:
        yield from listed(reply["Body"])
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refusal(f"{uri} cannot be opened: {error}") from None


def _in_files(account: Account, uri: str) -> Iterator[Shipped]:
    bucket, prefix = split_uri(uri)
    s3 = account.client("s3")
    with answers():
        there = list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix))
    if not there:
        raise Refusal(f"nothing lies below {uri}")
    for item in there:
        key = str(item["Key"])

        def read(key: str = key) -> bytes:
            with answers():
                content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                return content

        if key.endswith(".tar.gz"):
            yield from _in_archive(account, f"s3://{bucket}/{key}")
        else:
            yield from in_file(key.removeprefix(prefix).lstrip("/") or key.rpartition("/")[2], int(item["Size"]), read)
