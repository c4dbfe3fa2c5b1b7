"""Local content to the account, addressed by content: what is there already is never sent again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.account import Account
from mlops.account.missing import is_missing
from mlops.ir import Asset
from mlops.project.archive import pack
from mlops.project.environments import Environment

if TYPE_CHECKING:
    from collections.abc import Callable


def upload(
    account: Account, environment: Environment, assets: Iterable[Asset], uploaded: Callable[[str], None]
) -> tuple[str, ...]:
    """URIs of the objects that were sent; ``uploaded`` hears of each. An object appears whole or not at all."""
    s3 = account.client("s3")
    sent = []
    assets = tuple(assets)
    for bucket in sorted({split_uri(asset.uri)[0] for asset in assets} - {environment.bucket}):
        _ensure_bucket(s3, bucket, account.region)
    for asset in assets:
        for uri, file in _objects(asset):
            bucket, key = split_uri(uri)
            if _exists(s3, bucket, key):
                continue
            if file is None:
                with tempfile.TemporaryFile() as archive:
                    pack(asset.files, archive)
                    archive.seek(0)
                    s3.upload_fileobj(archive, bucket, key, ExtraArgs=_encryption(environment))
            else:
                s3.upload_file(str(file), bucket, key, ExtraArgs=_encryption(environment))
            uploaded(uri)
            sent.append(uri)
    return tuple(sent)


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    """The official SDK makes its default bucket where it is first used; a file that was composed here has not done so
    yet."""
    try:
        s3.head_bucket(Bucket=bucket)
    except Exception as error:
        if not is_missing(error):
            raise
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)


def split_uri(uri: str) -> tuple[str, str]:
    """
    >>> split_uri("s3://bucket/a/b.csv")
    ('bucket', 'a/b.csv')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _objects(asset: Asset) -> Iterator[tuple[str, Path | None]]:
    """Object URIs with their files; None stands for the archive of all files."""
    if asset.archive:
        yield asset.uri, None
    else:
        for relative, file in asset.files:
            yield f"{asset.uri}/{relative}", file


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except Exception as error:
        if is_missing(error):
            return False
        raise
    return True


def _encryption(environment: Environment) -> dict[str, str]:
    if environment.kms_key is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": environment.kms_key}
