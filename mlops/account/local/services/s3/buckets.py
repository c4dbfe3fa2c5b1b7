"""S3: buckets, objects and copies."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import unquote

from mlops.account.local.objects import BucketMissing, StoredObject, chunks
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.object_tags import as_query, as_set
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State
from mlops.ir.s3_uri import is_bucket_name

PAGE = 1000
CONFIGURED = "BucketConfiguration"
DEFAULT_ALGORITHM = "CRC32"
# What PutObject, CopyObject and CreateMultipartUpload give and GetObject and HeadObject tell.
KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "Tagging",
)
_TOLD_OTHERWISE = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType")
_LONGEST_POSITION = 18
_LONGEST_KEY = 1024
"""In bytes."""
_CHECKSUMS = ("CRC32", "SHA1", "SHA256")


def no_bucket(name: str) -> Refusal:
    return Refusal("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def no_key(key: str) -> Refusal:
    return Refusal("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def precondition_failed() -> Refusal:
    return Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)


def need_bucket(state: State, name: str) -> None:
    if state.store.one("SELECT 1 FROM bucket WHERE name = ?", name) is None:
        raise no_bucket(name)


def create_bucket(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Bucket"]
    if not is_bucket_name(name):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")
    tags = (request.get("CreateBucketConfiguration") or {}).get("Tags")
    with state.store.transaction():
        made = state.objects.ensure_bucket(name)
        if made and tags:
            taken = Refusal("OperationAborted", "A conflicting conditional operation is in progress.", 409)
            resources.insert(state, CONFIGURED, name, {"Tagging": {"TagSet": tags}}, taken=taken)
    if not made and state.region != "us-east-1":
        # us-east-1 answers 200 to the owner, every other region this.
        raise Refusal("BucketAlreadyOwnedByYou", "You already own the bucket.", 409)
    return {"Location": f"/{name}"}


def head_bucket(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    if state.store.one("SELECT 1 FROM bucket WHERE name = ?", request["Bucket"]) is None:
        raise Refusal("404", "Not Found", 404)
    return {"BucketRegion": state.region}


def get_bucket_location(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_bucket(state, request["Bucket"])
    return {"LocationConstraint": None if state.region == "us-east-1" else state.region}


def list_buckets(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = state.store.all("SELECT * FROM bucket ORDER BY name")
    return {
        "Buckets": [{"Name": row["name"], "CreationDate": row["created"]} for row in rows],
        "Owner": {"ID": "local"},
    }


def delete_bucket(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Bucket"]
    with state.store.transaction() as connection:
        need_bucket(state, name)
        if connection.execute("SELECT 1 FROM object WHERE bucket = ? LIMIT 1", (name,)).fetchone():
            raise Refusal("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        connection.execute("DELETE FROM bucket WHERE name = ?", (name,))
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (CONFIGURED, name))
    return {}


def need_key(key: str) -> None:
    """Of an object that is made. Raises Refusal."""
    if len(key.encode()) > _LONGEST_KEY:
        raise Refusal("KeyTooLongError", "Your key is too long")


def put_object(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    bucket, key = request["Bucket"], request["Key"]
    need_bucket(state, bucket)
    need_key(key)
    its = kept(request)
    written = state.objects.write(parts_of(request.get("Body")), algorithms(request))
    try:
        check_digests(request, written.md5, written.checksums)
    except Refusal:
        written.path.unlink(missing_ok=True)
        raise
    body = {**its, "Checksums": dict(written.checksums)}
    try:
        stored = state.objects.publish(bucket, key, written, body, permit=write_condition(request))
    except BucketMissing as error:
        raise no_bucket(bucket) from error
    return {"ETag": f'"{stored.etag}"', "Size": stored.size, **told_checksums(stored)}


def get_object(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """``Body`` has ``read`` and ``close``."""
    stored, file = _opened(state, request)
    try:
        _read_conditions(request, stored)
        start, end = _range(request.get("Range"), stored.size)
    except Refusal:
        file.close()
        raise
    file.seek(start)
    length = end - start
    reply = {**described(stored, request), "ContentLength": length, "Body": _Window(file, length)}
    if request.get("Range") and (start, end) != (0, stored.size):
        reply["ContentRange"] = f"bytes {start}-{end - 1}/{stored.size}"
        # A checksum is of the whole object and must not be held against a part.
        for name in _CHECKSUMS:
            reply.pop(f"Checksum{name}", None)
    return reply


def head_object(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    # HEAD has no body, so S3 can only tell the status.
    try:
        stored, file = _opened(state, request)
    except Refusal as refusal:
        raise Refusal("404", "Not Found", 404) from refusal
    file.close()
    _read_conditions(request, stored)
    return described(stored, request)


def get_object_attributes(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    stored, file = _opened(state, request)
    file.close()
    told = {
        "ETag": stored.etag,
        "Checksum": told_checksums(stored),
        "ObjectSize": stored.size,
        "StorageClass": stored.body.get("StorageClass", "STANDARD"),
    }
    wanted = {name: told[name] for name in request["ObjectAttributes"] if name in told}
    return {"LastModified": stored.modified, **wanted}


def copy_object(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    bucket, key = request["Bucket"], request["Key"]
    need_bucket(state, bucket)
    need_key(key)
    source_bucket, source_key = source_of(request["CopySource"])
    source = {"Bucket": source_bucket, "Key": source_key}
    stored, file = _opened(state, source)
    with file:
        _copy_conditions(request, stored)
        replace = request.get("MetadataDirective") == "REPLACE"
        if (bucket, key) == (source_bucket, source_key) and not replace:
            raise Refusal(
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes.",
            )
        kept_body = kept(_copied(request, stored.body))
        algorithm = request.get("ChecksumAlgorithm")
        wanted = [algorithm] if algorithm else list(stored.body.get("Checksums", {}))
        written = state.objects.write(chunks(file), wanted)
    try:
        copy = state.objects.publish(
            bucket,
            key,
            written,
            {**kept_body, "Checksums": dict(written.checksums)},
            permit=write_condition(request),
        )
    except BucketMissing as error:
        raise no_bucket(bucket) from error
    return {"CopyObjectResult": {"ETag": f'"{copy.etag}"', "LastModified": copy.modified, **told_checksums(copy)}}


def _copied(request: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the copy has: metadata and tags are replaced each by a word of its own."""
    replaces, replaces_tags = (request.get(f"{what}Directive") == "REPLACE" for what in ("Metadata", "Tagging"))
    tags = (request if replaces_tags else source).get("Tagging")
    return {**(request if replaces else source), "Tagging": tags}


def delete_object(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_bucket(state, request["Bucket"])
    state.objects.delete(request["Bucket"], request["Key"], _delete_condition(request))
    return {}


def delete_objects(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_bucket(state, request["Bucket"])
    listed = request["Delete"]["Objects"]
    if len(listed) > PAGE:
        raise Refusal("MalformedXML", "The XML you provided was not well-formed", 400)
    for item in listed:
        state.objects.delete(request["Bucket"], item["Key"])
    quiet = request["Delete"].get("Quiet", False)
    return {} if quiet else {"Deleted": [{"Key": item["Key"]} for item in listed]}


def source_of(copy_source: str) -> tuple[str, str]:
    """botocore has made ``bucket/quoted%20key`` of a CopySource by the time it gets here."""
    bucket, _, key = copy_source.removeprefix("/").partition("/")
    return bucket, unquote(key.partition("?versionId=")[0])


def kept(request: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Refusal for tags that no object has."""
    found = {name: request[name] for name in KEPT if request.get(name) is not None}
    if found.get("Tagging"):
        found["Tagging"] = as_query(as_set(found["Tagging"]))
    return found


def algorithms(request: Mapping[str, Any]) -> list[str]:
    """Those of the request and, as boto3 sends it unasked, CRC32."""
    named = [name for name in _CHECKSUMS if request.get(f"Checksum{name}")]
    asked = request.get("ChecksumAlgorithm")
    return named or [asked or DEFAULT_ALGORITHM]


def parts_of(body: Any) -> Iterable[bytes]:
    match body:
        case None:
            return ()
        case str():
            return (body.encode(),)
        case bytes() | bytearray() | memoryview():
            return (bytes(body),)
    return chunks(body)


def told_checksums(stored: StoredObject) -> dict[str, Any]:
    found = {f"Checksum{name}": value for name, value in stored.body.get("Checksums", {}).items()}
    return {**found, "ChecksumType": "FULL_OBJECT"} if found else {}


def described(stored: StoredObject, request: Mapping[str, Any]) -> dict[str, Any]:
    """What GetObject and HeadObject have in common."""
    checksums = told_checksums(stored) if request.get("ChecksumMode") == "ENABLED" else {}
    told = {name: value for name, value in stored.body.items() if name in KEPT and name != "Tagging"}
    return {
        "AcceptRanges": "bytes",
        "ContentLength": stored.size,
        "ContentType": "binary/octet-stream",
        "ETag": f'"{stored.etag}"',
        "LastModified": stored.modified.replace(microsecond=0),
        "Metadata": {},
        **told,
        **checksums,
        # A URL that is signed may say how what it leads to is told.
        **{name: request[f"Response{name}"] for name in _TOLD_OTHERWISE if request.get(f"Response{name}")},
    }


def write_condition(request: Mapping[str, Any]) -> Callable[[StoredObject | None], None]:
    """If-None-Match: ``*`` makes only what is absent, If-Match replaces only what is known."""

    def permit(existing: StoredObject | None) -> None:
        if request.get("IfNoneMatch") and existing is not None:
            raise precondition_failed()
        if request.get("IfMatch"):
            if existing is None:
                raise no_key(request["Key"])
            if not _names(request["IfMatch"], existing):
                raise precondition_failed()

    return permit


def _delete_condition(request: Mapping[str, Any]) -> Callable[[StoredObject | None], None]:
    def permit(existing: StoredObject | None) -> None:
        if request.get("IfMatch") and existing is not None and not _names(request["IfMatch"], existing):
            raise precondition_failed()

    return permit


def _read_conditions(request: Mapping[str, Any], stored: StoredObject) -> None:
    if request.get("IfMatch") and not _names(request["IfMatch"], stored):
        raise precondition_failed()
    if request.get("IfNoneMatch") and _names(request["IfNoneMatch"], stored):
        raise Refusal("304", "Not Modified", 304)
    modified = stored.modified.replace(microsecond=0)
    unmodified_since, modified_since = request.get("IfUnmodifiedSince"), request.get("IfModifiedSince")
    if unmodified_since and not request.get("IfMatch") and modified > _aware(unmodified_since):
        raise precondition_failed()
    if modified_since and not request.get("IfNoneMatch") and modified <= _aware(modified_since):
        raise Refusal("304", "Not Modified", 304)


def _copy_conditions(request: Mapping[str, Any], source: StoredObject) -> None:
    if request.get("CopySourceIfMatch") and not _names(request["CopySourceIfMatch"], source):
        raise precondition_failed()
    if request.get("CopySourceIfNoneMatch") and _names(request["CopySourceIfNoneMatch"], source):
        raise precondition_failed()


def _names(etags: str, stored: StoredObject) -> bool:
    listed = [etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")]
    return "*" in listed or stored.etag in listed


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _opened(state: State, request: Mapping[str, Any]) -> tuple[StoredObject, IO[bytes]]:
    need_bucket(state, request["Bucket"])
    try:
        return state.objects.opened(request["Bucket"], request["Key"])
    except KeyError:
        raise no_key(request["Key"]) from None


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Start and exclusive end. A header that is no byte range is ignored, as HTTP wants it."""
    found = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", header.strip()) if header else None
    if found is None or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:
        start, end = max(size - position(last), 0), size
        satisfiable = position(last) > 0 and size > 0
    else:
        start, end = position(first), min(position(last) + 1 if last else size, size)
        satisfiable = start < size
    if not satisfiable:
        raise Refusal("InvalidRange", "The requested range is not satisfiable", 416, ActualObjectSize=str(size))
    return (start, end) if start < end else (0, size)


def position(digits: str) -> int:
    """What has more digits than any file has bytes is behind the end of all."""
    return int(digits) if len(digits) <= _LONGEST_POSITION else 10**_LONGEST_POSITION


def check_digests(request: Mapping[str, Any], md5: str, checksums: Mapping[str, str]) -> None:
    given = request.get("ContentMD5")
    if given is not None and given != base64.b64encode(bytes.fromhex(md5)).decode():
        raise Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for name, value in checksums.items():
        given = request.get(f"Checksum{name}")
        if given is not None and given != value:
            raise Refusal("BadDigest", f"The {name} you specified did not match the calculated checksum.")


class _Window:
    """A file that ends after ``length`` bytes; reading to its end or closing it closes the file."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._left = length
        if length == 0:
            file.close()

    def read(self, amt: int | None = None) -> bytes:
        if self._left == 0:
            return b""
        found = self._file.read(self._left if amt is None or amt < 0 else min(amt, self._left))
        self._left -= len(found)
        if self._left == 0:
            self._file.close()
        return found

    def close(self) -> None:
        self._left = 0
        self._file.close()


OPERATIONS = {
    "CopyObject": copy_object,
    "CreateBucket": create_bucket,
    "DeleteBucket": delete_bucket,
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
    "GetBucketLocation": get_bucket_location,
    "GetObject": get_object,
    "GetObjectAttributes": get_object_attributes,
    "HeadBucket": head_bucket,
    "HeadObject": head_object,
    "ListBuckets": list_buckets,
    "PutObject": put_object,
}
