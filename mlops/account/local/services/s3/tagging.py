"""GetObjectTagging, PutObjectTagging and DeleteObjectTagging."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.account.local.services.s3.buckets import need_bucket, no_key
from mlops.account.local.services.s3.object_tags import as_query, as_set
from mlops.account.local.state import State


def get_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"TagSet": as_set(str(_body(state, request).get("Tagging") or ""))}


def put_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _write(state, request, as_query(request["Tagging"]["TagSet"]))
    return {}


def delete_object_tagging(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _write(state, request, "")
    return {}


def _write(state: State, request: Mapping[str, Any], tags: str) -> None:
    with state.store.transaction() as connection:
        body = dict(_body(state, request))
        body.pop("Tagging", None)
        if tags:
            body["Tagging"] = tags
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
