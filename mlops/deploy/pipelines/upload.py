"""Objects to S3: conditional, checksummed, in parts where they are large; what an earlier attempt sent is not sent
again. Memory is bounded by one part, whatever the size."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeAlias

from mlops.account import Account
from mlops.account.missing import error_code, unless_missing
from mlops.deploy.conditional_object import is_conflict
from mlops.deploy.pages import items
from mlops.deploy.pipelines.assets import DIGEST, AssetObject, reading
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.archive import pack
from mlops.project.environments import Environment

PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 10_000
"""S3's limit; larger objects get larger parts."""

_ATTEMPTS = 5
_TAKEN = frozenset({"NoSuchUpload", "InvalidPart"})
"""Somebody else finished or took back the upload that we went on with, or sent other parts into it."""
_SHOWN = 3

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a URI, the bytes that are there, and all bytes."""
Judge: TypeAlias = Callable[[str], None]


def upload(account: Account, environment: Environment, item: AssetObject, progress: Progress) -> int:
    """Bytes that were sent. The object appears whole or not at all, and only with the content that was compiled:
    raises Refusal where that was changed since."""
    with _content(item) as (content, size, judge):
        metadata = {DIGEST: item.digest} if item.in_place else {}
        return send(
            account,
            environment,
            item.uri,
            content,
            size,
            progress,
            judge=judge,
            replaces=item.replaces,
            metadata=metadata,
        )


def send(
    account: Account,
    environment: Environment,
    uri: str,
    content: IO[bytes],
    size: int,
    progress: Progress,
    *,
    judge: Judge = lambda digest: None,
    replaces: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """``judge`` hears the SHA-256 of what was read of ``content``, before that becomes an object, and may raise."""
    s3 = account.client("s3")
    bucket, key = split_uri(uri)
    place = {"Bucket": bucket, "Key": key}
    condition = {} if replaces else {"IfNoneMatch": "*"}
    more: dict[str, Any] = {**_encryption(environment), **({"Metadata": metadata} if metadata else {})}
    if size <= PART_BYTES:
        body = content.read(PART_BYTES + 1)
        judge(hashlib.sha256(body).hexdigest())
        try:
            s3.put_object(**place, Body=body, **condition, ChecksumAlgorithm="SHA256", **more)
        except Exception as error:
            # The name is the content's: whoever was faster sent the same.
            if not is_conflict(error):
                raise
        progress(uri, size, size)
        return len(body)
    whole = _Large(s3, place, content, size, lambda sent: progress(uri, sent, size), judge, condition, more)
    return whole.send()


@dataclass(frozen=True, slots=True)
class _Large:
    """One object in parts. What an earlier attempt began is gone on with, where nothing but the content decides what
    the object is; so two that send it at a time may share an upload, and one of them finds it finished."""

    s3: Any
    place: Mapping[str, str]
    content: IO[bytes]
    size: int
    progress: Callable[[int], None]
    judge: Judge
    condition: Mapping[str, str]
    more: Mapping[str, Any]

    def send(self) -> int:
        begun = None if "Metadata" in self.more else _begun(self.s3, self.place)
        attempt = 0
        while True:
            attempt += 1
            upload_id = begun or self.s3.create_multipart_upload(
                **self.place, ChecksumAlgorithm="SHA256", **self.more
            ).get("UploadId")
            try:
                return self._in_parts(upload_id, resumed=begun is not None)
            except Exception as error:
                if not (is_conflict(error) or error_code(error) in _TAKEN):
                    raise
                # Its name is its content: after an answer that was lost, or behind another who was faster, it is there.
                there = bool(self.condition) and _exists(self.s3, self.place)
                if there or begun is None:
                    self._abort(upload_id)
                if there:
                    return 0
                if attempt == _ATTEMPTS:
                    raise
            begun = None
            self.content.seek(0)

    def _in_parts(self, upload_id: str, *, resumed: bool) -> int:
        there = _parts(self.s3, self.place, upload_id) if resumed else {}
        part_bytes = max(PART_BYTES, -(-self.size // MOST_PARTS))
        listed: list[dict[str, Any]] = []
        digest = hashlib.sha256()
        sent = done = 0
        while block := self.content.read(part_bytes):
            digest.update(block)
            number = len(listed) + 1
            part = there.get(number)
            if part is None or not _is_same(part, block):
                part = self.s3.upload_part(
                    **self.place, UploadId=upload_id, PartNumber=number, Body=block, ChecksumAlgorithm="SHA256"
                )
                sent += len(block)
            listed.append({"PartNumber": number, "ETag": part["ETag"]})
            if part.get("ChecksumSHA256"):
                listed[-1]["ChecksumSHA256"] = part["ChecksumSHA256"]
            done += len(block)
            self.progress(done)
        try:
            self.judge(digest.hexdigest())
        except Refusal:
            self._abort(upload_id)
            raise
        self.s3.complete_multipart_upload(
            **self.place, UploadId=upload_id, MultipartUpload={"Parts": listed}, **self.condition
        )
        return sent

    def _abort(self, upload_id: str) -> None:
        """Its parts would be paid for until somebody looks."""
        unless_missing(lambda: self.s3.abort_multipart_upload(**self.place, UploadId=upload_id))


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
def _content(item: AssetObject) -> Iterator[tuple[IO[bytes], int, Judge]]:
    def judge(digest: str) -> None:
        if digest != item.digest:
            told = ", ".join(str(file) for _, file in item.files[:_SHOWN]) + (" …" if len(item.files) > _SHOWN else "")
            raise Refusal(
                f"{told} was changed since the pipeline was compiled; nothing was put at {item.uri}",
                hint="plan again, so that what is sent is what the plan shows",
            )

    if not item.archive:
        file = item.files[0][1]
        with reading(file):
            content = file.open("rb")
        with content:
            yield content, os.fstat(content.fileno()).st_size, judge
        return
    with tempfile.TemporaryFile() as archive:
        with reading():
            judge(pack(item.files, archive))
        size = archive.tell()
        archive.seek(0)
        yield archive, size, lambda digest: None


def _encryption(environment: Environment) -> dict[str, str]:
    if environment.kms_key is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": environment.kms_key}


def ensure_bucket(s3: Any, bucket: str) -> None:
    """Of the local account, where one is a folder that nobody else sees."""
    if unless_missing(lambda: s3.head_bucket(Bucket=bucket)) is None:
        s3.create_bucket(Bucket=bucket)
