"""S3 uploads in parts."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.account.local.objects import BucketMissing, StoredObject, chunks
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import (
    algorithms,
    check_digests,
    kept,
    need_bucket,
    need_key,
    no_bucket,
    no_key,
    parts_of,
    position,
    source_of,
    told_checksums,
    write_condition,
)
from mlops.account.local.state import State, now
from mlops.project.private import private_folder

SMALLEST_PART = 5 * 1024 * 1024
_MOST_PARTS = 10_000


def create_multipart_upload(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_bucket(state, request["Bucket"])
    need_key(request["Key"])
    upload = uuid.uuid4().hex
    body = {**kept(request), "Algorithms": algorithms(request)}
    state.store.write(
        "INSERT INTO upload VALUES (?, ?, ?, ?, ?)", upload, request["Bucket"], request["Key"], now(), json.dumps(body)
    )
    return {"Bucket": request["Bucket"], "Key": request["Key"], "UploadId": upload}


def upload_part(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _upload(state, request)
    return {"ETag": f'"{_keep_part(state, request, parts_of(request.get("Body")))}"'}


def upload_part_copy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _upload(state, request)
    bucket, key = source_of(request["CopySource"])
    try:
        source, file = state.objects.opened(bucket, key)
    except KeyError:
        raise no_key(key) from None
    with file:
        content: Iterator[bytes] = chunks(file)
        if request.get("CopySourceRange"):
            first, last = _copy_range(request["CopySourceRange"], source.size)
            file.seek(first)
            content = iter((file.read(last - first + 1),))
        etag = _keep_part(state, request, content)
    return {"CopyPartResult": {"ETag": f'"{etag}"', "LastModified": now()}}


def _copy_range(text: str, size: int) -> tuple[int, int]:
    """Both ends are to be given, and to lie inside."""
    found = re.fullmatch(r"bytes=([0-9]+)-([0-9]+)", text)
    if found is None:
        raise Refusal("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last")
    first, last = position(found[1]), position(found[2])
    if not first <= last < size:
        raise Refusal("InvalidRequest", f"The specified copy range is invalid for the source object size: {size}")
    return first, last


def list_parts(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _upload(state, request)
    rows = state.store.all("SELECT * FROM part WHERE upload = ? ORDER BY number", request["UploadId"])
    return {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "UploadId": request["UploadId"],
        "IsTruncated": False,
        "Parts": [
            {
                "PartNumber": row["number"],
                "Size": row["size"],
                "ETag": f'"{row["etag"]}"',
                "LastModified": row["modified"],
            }
            for row in rows
        ],
    }


def list_multipart_uploads(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """In one page: a person's account has few."""
    need_bucket(state, request["Bucket"])
    prefix = request.get("Prefix") or ""
    rows = state.store.all("SELECT * FROM upload WHERE bucket = ? ORDER BY key, created", request["Bucket"])
    return {
        "Bucket": request["Bucket"],
        "Prefix": prefix,
        "IsTruncated": False,
        "Uploads": [
            {"Key": row["key"], "UploadId": row["id"], "Initiated": row["created"]}
            for row in rows
            if row["key"].startswith(prefix)
        ],
    }


def complete_multipart_upload(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    upload = _upload(state, request)
    stored = {row["number"]: row for row in state.store.all("SELECT * FROM part WHERE upload = ?", request["UploadId"])}
    listed = request.get("MultipartUpload", {}).get("Parts", [])
    numbers = [part["PartNumber"] for part in listed]
    if not listed:
        raise Refusal("MalformedXML", "The XML you provided was not well-formed")
    if numbers != sorted(set(numbers)):
        raise Refusal("InvalidPartOrder", "The list of parts was not in ascending order.")
    for part in listed:
        row = stored.get(part["PartNumber"])
        if row is None or row["etag"] != part.get("ETag", "").strip('"'):
            raise Refusal("InvalidPart", "One or more of the specified parts could not be found.")
    if any(stored[number]["size"] < SMALLEST_PART for number in numbers[:-1]):
        raise Refusal("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    body = json.loads(upload["body"])
    files = [_part_file(state, request["UploadId"], stored[number]) for number in numbers]
    try:
        written = state.objects.write(_content(files), body.pop("Algorithms"))
    except FileNotFoundError:
        # Somebody else has ended the upload since, or has sent another content of a part.
        _upload(state, request)
        raise Refusal("InvalidPart", "One or more of the specified parts could not be found.") from None
    permitted = write_condition(request)

    def permit(existing: StoredObject | None) -> None:
        _upload(state, request)
        permitted(existing)

    digests = b"".join(bytes.fromhex(stored[number]["etag"]) for number in numbers)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(numbers)}"
    try:
        found = state.objects.publish(
            request["Bucket"],
            request["Key"],
            written,
            {**body, "Checksums": dict(written.checksums)},
            etag=etag,
            permit=permit,
        )
    except BucketMissing as error:
        raise no_bucket(request["Bucket"]) from error
    _forget(state, request["UploadId"])
    return {
        "Bucket": request["Bucket"],
        "Key": request["Key"],
        "Location": f"s3://{request['Bucket']}/{request['Key']}",
        "ETag": f'"{etag}"',
        **told_checksums(found),
    }


def abort_multipart_upload(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _upload(state, request)
    _forget(state, request["UploadId"])
    return {}


def _upload(state: State, request: Mapping[str, Any]) -> Any:
    need_bucket(state, request["Bucket"])
    row = state.store.one(
        "SELECT * FROM upload WHERE id = ? AND bucket = ? AND key = ?",
        request["UploadId"],
        request["Bucket"],
        request["Key"],
    )
    if row is None:
        raise Refusal("NoSuchUpload", "The specified upload does not exist.", 404)
    return row


def _keep_part(state: State, request: Mapping[str, Any], content: Any) -> str:
    """A file never changes its content: who completes the upload reads what it has asked for, or finds it gone."""
    upload, number = request["UploadId"], request["PartNumber"]
    if not 1 <= number <= _MOST_PARTS:
        raise Refusal("InvalidArgument", f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive")
    # Of a part that is copied no checksums are told.
    told = {name for name in request if name.startswith("Checksum") and name != "ChecksumAlgorithm"}
    written = state.objects.write(content, algorithms(request) if told else ())
    try:
        check_digests(request, written.md5, written.checksums)
        with state.store.transaction() as connection:
            # It may have ended while its content came in.
            _upload(state, request)
            before = state.store.one("SELECT * FROM part WHERE upload = ? AND number = ?", upload, number)
            folder = _folder(state, upload)
            private_folder(folder)
            written.path.replace(folder / _part_name(number, written.md5))
            connection.execute(
                "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)",
                (upload, number, written.size, written.md5, now()),
            )
            if before is not None and before["etag"] != written.md5:
                _part_file(state, upload, before).unlink(missing_ok=True)
    finally:
        written.path.unlink(missing_ok=True)
    return written.md5


def _folder(state: State, upload: str) -> Path:
    return state.folder / "uploads" / upload


def _part_name(number: int, etag: str) -> str:
    return f"{number}-{etag}"


def _part_file(state: State, upload: str, part: Any) -> Path:
    """0.1 named it by its number alone."""
    file = _folder(state, upload) / _part_name(part["number"], part["etag"])
    earlier = file.with_name(str(part["number"]))
    return earlier if not file.exists() and earlier.exists() else file


def _content(files: list[Path]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            yield from chunks(file)


def _forget(state: State, upload: str) -> None:
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM part WHERE upload = ?", (upload,))
        connection.execute("DELETE FROM upload WHERE id = ?", (upload,))
    shutil.rmtree(_folder(state, upload), ignore_errors=True)


OPERATIONS = {
    "AbortMultipartUpload": abort_multipart_upload,
    "CompleteMultipartUpload": complete_multipart_upload,
    "CreateMultipartUpload": create_multipart_upload,
    "ListMultipartUploads": list_multipart_uploads,
    "ListParts": list_parts,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part_copy,
}
