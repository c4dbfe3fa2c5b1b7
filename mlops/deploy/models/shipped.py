"""Which Python distributions the archives of a version bring."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from mlops.account import Account, answers
from mlops.deploy.models.distributions import listed
from mlops.deploy.models.lineage import artefact_uris
from mlops.deploy.models.registry import Version
from mlops.ir import Refusal
from mlops.ir.gate import Shipped
from mlops.ir.s3_uri import split_uri


def shipped(account: Account, version: Version) -> tuple[Shipped, ...]:
    """By all archives of a version. ``account`` holds it. Raises Refusal for an archive that cannot be opened."""
    return tuple(item for uri in artefact_uris(version) for item in _in_archive(account, uri))


def _in_archive(account: Account, uri: str) -> Iterator[Shipped]:
    bucket, key = split_uri(uri)
    with answers():
        body = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
    try:
        yield from listed(body)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refusal(f"{uri} cannot be opened: {error}") from None
