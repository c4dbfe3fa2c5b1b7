"""ListTagsForResource, TagResource and UntagResource, as several services have them. They differ in how members are
spelt, in whether tags are a list or a table, and in whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops.account.local.answering import Answer
from mlops.account.local.services.sagemaker.tags import put_tags
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Spelling:
    """Of the members of requests and replies."""

    arn: str = "ResourceARN"
    tags: str = "Tags"
    keys: str = "TagKeys"
    is_table: bool = False


def operations(kept: Callable[[State, str], str], spelt: Spelling) -> Mapping[str, Answer]:
    """``kept`` gives the ARN by which the tags of one are kept, and raises Refusal where there is none."""

    def list_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = kept(state, request[spelt.arn])
        rows = state.store.all("SELECT key, value FROM tag WHERE arn = ? ORDER BY key", arn)
        found = {row["key"]: row["value"] for row in rows}
        return {spelt.tags: found if spelt.is_table else as_list(found)}

    def tag(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        given = request[spelt.tags]
        with state.store.transaction():
            put_tags(state, kept(state, request[spelt.arn]), as_list(given) if spelt.is_table else given)
        return {}

    def untag(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with state.store.transaction() as connection:
            arn = kept(state, request[spelt.arn])
            gone = [(arn, key) for key in request[spelt.keys]]
            connection.executemany("DELETE FROM tag WHERE arn = ? AND key = ?", gone)
        return {}

    return {"ListTagsForResource": list_tags, "TagResource": tag, "UntagResource": untag}


def as_list(table: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in table.items()]
