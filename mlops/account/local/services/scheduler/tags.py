"""ListTagsForResource, TagResource and UntagResource, of groups of schedules: schedules themselves have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources, tags
from mlops.account.local.services.scheduler.schedules import GROUP
from mlops.account.local.state import ACCOUNT_ID, State


def list_tags_for_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _need_group(state, request["ResourceArn"])
    rows = state.store.all("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", request["ResourceArn"])
    return {"Tags": [{"Key": row["key"], "Value": row["value"]} for row in rows]}


def tag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_group(state, request["ResourceArn"])
        tags.put_tags(state, request["ResourceArn"], request["Tags"])
    return {}


def untag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_group(state, request["ResourceArn"])
        for key in request["TagKeys"]:
            state.store.write("DELETE FROM tag WHERE arn = ? AND key = ?", request["ResourceArn"], key)
    return {}


def _need_group(state: State, arn: str) -> None:
    beginning = f"arn:aws:scheduler:{state.region}:{ACCOUNT_ID}:schedule-group/"
    name = arn.removeprefix(beginning)
    if not arn.startswith(beginning) or (name != "default" and resources.find(state, GROUP, name) is None):
        raise Refusal("ResourceNotFoundException", f"{arn} does not exist.", 404)


OPERATIONS = {
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
