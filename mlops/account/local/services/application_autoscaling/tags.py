"""ListTagsForResource, TagResource and UntagResource, of scalable targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import tags
from mlops.account.local.services.sagemaker.scaled import TARGET
from mlops.account.local.state import State


def list_tags_for_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _need_target(state, request["ResourceARN"])
    rows = state.store.all("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", request["ResourceARN"])
    return {"Tags": {row["key"]: row["value"] for row in rows}}


def tag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_target(state, request["ResourceARN"])
        tags.put_tags(state, request["ResourceARN"], listed(request["Tags"]))
    return {}


def untag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_target(state, request["ResourceARN"])
        for key in request["TagKeys"]:
            state.store.write("DELETE FROM tag WHERE arn = ? AND key = ?", request["ResourceARN"], key)
    return {}


def listed(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def _need_target(state: State, arn: str) -> None:
    asked = "SELECT 1 FROM resource WHERE kind = ? AND json_extract(body, '$.ScalableTargetARN') = ?"
    if not state.store.all(asked, TARGET, arn):
        raise Refusal("ResourceNotFoundException", f"Invalid resource ARN: {arn}", 400)


OPERATIONS = {
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
