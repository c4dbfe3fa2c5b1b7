"""ListObjects and ListObjectsV2: pages of keys, and what they begin with alike."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mlops.account.local.objects import StoredObject
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import PAGE, need_bucket
from mlops.account.local.state import State


def list_objects_v2(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    token = request.get("ContinuationToken")
    after = _last_key(token) if token else request.get("StartAfter") or ""
    contents, prefixes, last = _listed(state, request, after)
    reply = _listing(request, contents, prefixes, last)
    return _url_encoded(request, reply) | {
        "KeyCount": len(contents) + len(prefixes),
        "StartAfter": _in_url(request, request.get("StartAfter")),
        "ContinuationToken": token,
        "NextContinuationToken": base64.urlsafe_b64encode(last.encode()).decode() if last is not None else None,
    }


def list_objects(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    contents, prefixes, last = _listed(state, request, request.get("Marker") or "")
    return {
        **_url_encoded(request, _listing(request, contents, prefixes, last)),
        "Marker": _in_url(request, request.get("Marker") or ""),
        "NextMarker": _in_url(request, last if request.get("Delimiter") else None),
    }


def _url_encoded(request: Mapping[str, Any], reply: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody has asked for whose XML cannot hold every key; boto3 does so unasked, and undoes it."""
    if request.get("EncodingType") != "url":
        return dict(reply)
    return {
        **reply,
        "EncodingType": "url",
        "Prefix": _in_url(request, reply["Prefix"]),
        "Delimiter": _in_url(request, reply["Delimiter"]),
        "Contents": [{**item, "Key": _in_url(request, item["Key"])} for item in reply["Contents"] or ()] or None,
        "CommonPrefixes": [{"Prefix": _in_url(request, item["Prefix"])} for item in reply["CommonPrefixes"] or ()]
        or None,
    }


def _in_url(request: Mapping[str, Any], text: str | None) -> str | None:
    return quote(text, safe="/") if text is not None and request.get("EncodingType") == "url" else text


def _listed(state: State, request: Mapping[str, Any], after: str) -> tuple[list[StoredObject], list[str], str | None]:
    """Objects, common prefixes, and where the next page goes on (None at the end)."""
    bucket, prefix, delimiter = request["Bucket"], request.get("Prefix") or "", request.get("Delimiter")
    need_bucket(state, bucket)
    limit = min(PAGE if request.get("MaxKeys") is None else request["MaxKeys"], PAGE)
    if limit < 0:
        raise Refusal("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
    contents: list[StoredObject] = []
    prefixes: list[str] = []
    while len(contents) + len(prefixes) < limit:
        # A page of common prefixes jumps over most rows that it would read.
        found = state.objects.list(bucket, prefix, after, 64 if delimiter else limit + 1)
        if not found:
            return contents, prefixes, None
        for item in found:
            if len(contents) + len(prefixes) == limit:
                return contents, prefixes, after
            cut = item.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                contents.append(item)
                after = item.key
                continue
            common = item.key[: cut + len(delimiter or "")]
            # Everything below a common prefix is behind us: a page that ended there begins after it.
            if not after.startswith(common):
                prefixes.append(common)
            after = common + chr(0x10FFFF)
            break
    more = state.objects.list(bucket, prefix, after, 1) if limit else []
    return contents, prefixes, after if more else None


def _listing(
    request: Mapping[str, Any], contents: list[StoredObject], prefixes: list[str], last: str | None
) -> dict[str, Any]:
    return {
        "Name": request["Bucket"],
        "Prefix": request.get("Prefix") or "",
        "Delimiter": request.get("Delimiter"),
        "MaxKeys": PAGE if request.get("MaxKeys") is None else request["MaxKeys"],
        "IsTruncated": last is not None,
        "Contents": [
            {
                "Key": item.key,
                "Size": item.size,
                "ETag": f'"{item.etag}"',
                "LastModified": item.modified,
                "StorageClass": item.body.get("StorageClass", "STANDARD"),
            }
            for item in contents
        ]
        or None,
        "CommonPrefixes": [{"Prefix": common} for common in prefixes] or None,
    }


def _last_key(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise Refusal("InvalidArgument", "The continuation token provided is incorrect") from None


OPERATIONS = {"ListObjects": list_objects, "ListObjectsV2": list_objects_v2}
