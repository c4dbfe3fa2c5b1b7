"""Tags of an object. They are stored as PutObject has them: a query string, which no other answer tells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import need_bucket, no_key
from mlops.account.local.state import State

_MOST, _SIGNS = 10, "_.:/=+-@"
"""S3 User Guide: Categorizing your storage using tags."""


def get_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    pairs = parse_qsl(str(_body(state, request).get("Tagging") or ""), keep_blank_values=True)
    return {"TagSet": [{"Key": name, "Value": value} for name, value in pairs]}


def put_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = request["Tagging"]["TagSet"]
    names = [tag["Key"] for tag in tags]
    if len(names) > _MOST:
        raise Refusal("BadRequest", f"Object tags cannot be greater than {_MOST}", 400)
    if len(set(names)) < len(names):
        raise Refusal("InvalidTag", "Cannot provide multiple Tags with the same key", 400)
    for tag in tags:
        for member in ("Key", "Value"):
            if not all(letter.isalnum() or letter.isspace() or letter in _SIGNS for letter in tag[member]):
                raise Refusal("InvalidTag", f"The Tag{member} you have provided is invalid", 400)
    _write(state, request, tags)
    return {}


def delete_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _write(state, request, [])
    return {}


def _write(state: State, request: Mapping[str, Any], tags: Sequence[Mapping[str, str]]) -> None:
    with state.store.transaction() as connection:
        body = dict(_body(state, request))
        body.pop("Tagging", None)
        if tags:
            body["Tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in tags])
        connection.execute(
            "UPDATE object SET body = ? WHERE bucket = ? AND key = ?",
            (json.dumps(body), request["Bucket"], request["Key"].encode()),
        )


def _body(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_bucket(state, request["Bucket"])
    found = state.objects.find(request["Bucket"], request["Key"])
    if found is None:
        raise no_key(request["Key"])
    return found.body


OPERATIONS = {
    "DeleteObjectTagging": delete_object_tagging,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
}
