"""Objects to S3: conditional, checksummed, in parts where they are large; what an earlier attempt sent is not sent
again. Memory is bounded by one part, whatever the size."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeAlias

from mlops.account import Account
from mlops.account.missing import error_code, unless_missing
from mlops.deploy.pages import items
from mlops.deploy.pipelines.assets import DIGEST, AssetObject, split_uri
from mlops.deploy.pipelines.record import is_beaten
from mlops.project.archive import pack
from mlops.project.environments import Environment

PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 10_000
"""S3's limit; larger objects get larger parts."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a URI, the bytes that are there, and all bytes."""


def upload(account: Account, environment: Environment, item: AssetObject, progress: Progress) -> int:
    """Bytes that were sent. The object appears whole or not at all."""
    with _content(item) as (content, size):
        metadata = {DIGEST: item.digest} if item.digest is not None else {}
        return send(account, environment, item.uri, content, size, progress, replaces=item.replaces, metadata=metadata)


def send(
    account: Account,
    environment: Environment,
    uri: str,
    content: IO[bytes],
    size: int,
    progress: Progress,
    *,
    replaces: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> int:
    s3 = account.client("s3")
    bucket, key = split_uri(uri)
    place = {"Bucket": bucket, "Key": key}
    condition = {} if replaces else {"IfNoneMatch": "*"}
    more: dict[str, Any] = {**_encryption(environment), **({"Metadata": metadata} if metadata else {})}
    if size <= PART_BYTES:
        try:
            s3.put_object(**place, Body=content, **condition, ChecksumAlgorithm="SHA256", **more)
        except Exception as error:
            # The name is the content's: whoever was faster sent the same.
            if not is_beaten(error):
                raise
        progress(uri, size, size)
        return size
    return _in_parts(s3, place, content, size, lambda sent: progress(uri, sent, size), condition, more)


def _in_parts(
    s3: Any,
    place: Mapping[str, str],
    content: IO[bytes],
    size: int,
    progress: Callable[[int], None],
    condition: Mapping[str, str],
    more: Mapping[str, Any],
) -> int:
    part_bytes = max(PART_BYTES, -(-size // MOST_PARTS))
    upload_id = _begun(s3, place)
    there = _parts(s3, place, upload_id) if upload_id is not None else {}
    if upload_id is None:
        begun = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", **more)
        upload_id = begun["UploadId"]
    listed: list[dict[str, Any]] = []
    sent = done = 0
    while block := content.read(part_bytes):
        number = len(listed) + 1
        part = there.get(number)
        if part is None or not _is_same(part, block):
            part = s3.upload_part(
                **place, UploadId=upload_id, PartNumber=number, Body=block, ChecksumAlgorithm="SHA256"
            )
            sent += len(block)
        listed.append({"PartNumber": number, "ETag": part["ETag"]})
        if part.get("ChecksumSHA256"):
            listed[-1]["ChecksumSHA256"] = part["ChecksumSHA256"]
        done += len(block)
        progress(done)
    try:
        s3.complete_multipart_upload(**place, UploadId=upload_id, MultipartUpload={"Parts": listed}, **condition)
    except Exception as error:
        # After an answer that was lost, or behind another who was faster, the object is there: its name is its content.
        if not (is_beaten(error) or error_code(error) == "NoSuchUpload") or not _exists(s3, place):
            raise
    return sent


def _begun(s3: Any, place: Mapping[str, str]) -> str | None:
    """The upload that an earlier attempt left, the newest of several."""
    listed = items(s3, "list_multipart_uploads", "Uploads", Bucket=place["Bucket"], Prefix=place["Key"])
    found = [item for item in listed if item["Key"] == place["Key"]]
    return max(found, key=lambda item: item["Initiated"])["UploadId"] if found else None


def _parts(s3: Any, place: Mapping[str, str], upload_id: str) -> dict[int, Mapping[str, Any]]:
    return {part["PartNumber"]: part for part in items(s3, "list_parts", "Parts", **place, UploadId=upload_id)}


def _is_same(part: Mapping[str, Any], block: bytes) -> bool:
    """By the checksum; where the account keeps none, by the ETag, which is the MD5 unless the key is KMS's."""
    if part.get("Size") != len(block):
        return False
    if part.get("ChecksumSHA256"):
        return bool(part["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(block).digest()).decode())
    return bool(part["ETag"].strip('"') == hashlib.md5(block, usedforsecurity=False).hexdigest())


def _exists(s3: Any, place: Mapping[str, str]) -> bool:
    return unless_missing(lambda: s3.head_object(**place)) is not None


@contextmanager
def _content(item: AssetObject) -> Iterator[tuple[IO[bytes], int]]:
    if not item.archive:
        file = item.files[0][1]
        with file.open("rb") as content:
            yield content, file.stat().st_size
        return
    with tempfile.TemporaryFile() as archive:
        pack(item.files, archive)
        size = archive.tell()
        archive.seek(0)
        yield archive, size


def _encryption(environment: Environment) -> dict[str, str]:
    if environment.kms_key is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": environment.kms_key}


def ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    """The official SDK makes its default bucket where it is first used; a file that was composed here has not done so
    yet."""
    if unless_missing(lambda: s3.head_bucket(Bucket=bucket)) is None:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
