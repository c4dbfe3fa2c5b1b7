"""ListTagsForResource, TagResource and UntagResource, of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.events import bus
from mlops.account.local.services.sagemaker import resources, tags
from mlops.account.local.state import ACCOUNT_ID, State


def list_tags_for_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _need_rule(state, request["ResourceARN"])
    rows = state.store.all("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", request["ResourceARN"])
    return {"Tags": [{"Key": row["key"], "Value": row["value"]} for row in rows]}


def tag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_rule(state, request["ResourceARN"])
        tags.put_tags(state, request["ResourceARN"], request["Tags"])
    return {}


def untag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        _need_rule(state, request["ResourceARN"])
        for key in request["TagKeys"]:
            state.store.write("DELETE FROM tag WHERE arn = ? AND key = ?", request["ResourceARN"], key)
    return {}


def _need_rule(state: State, arn: str) -> None:
    beginning = f"arn:aws:events:{state.region}:{ACCOUNT_ID}:rule/"
    name = arn.removeprefix(beginning)
    kept = name if "/" in name else f"{bus.DEFAULT}/{name}"
    if not arn.startswith(beginning) or resources.find(state, bus.KIND, kept) is None:
        raise Refusal("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.", 400)


OPERATIONS = {
    "ListTagsForResource": list_tags_for_resource,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
}
