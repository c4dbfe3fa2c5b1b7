"""Aliases of keys, their tags and whether they are rotated, kept as they are put."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.kms.keys import ALIAS, KIND, key_of
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

_YEAR_DAYS = 365


def create_alias(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["AliasName"]
    taken = Refusal("AlreadyExistsException", f"An alias with the name {_arn(state, name)} already exists")
    with state.store.transaction():
        key = _made(state, request["TargetKeyId"])
        resources.insert(state, ALIAS, name, {"Key": key}, taken=taken)
    return {}


def delete_alias(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["AliasName"]
    if resources.find(state, ALIAS, name) is None:
        raise Refusal("NotFoundException", f"Alias {_arn(state, name)} is not found.")
    resources.remove(state, ALIAS, name, _arn(state, name))
    return {}


def list_aliases(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", ALIAS)
    rows, token = query.page(state.store, {"MaxResults": request.get("Limit"), "NextToken": request.get("Marker")})
    of = key_of(state, request["KeyId"]) if request.get("KeyId") else None
    found = [
        {"AliasName": row["name"], "AliasArn": _arn(state, row["name"]), "TargetKeyId": resources.body_of(row)["Key"]}
        for row in rows
    ]
    told = [item for item in found if of is None or item["TargetKeyId"] == of]
    return {"Aliases": told, "NextMarker": token, "Truncated": token is not None}


def enable_key_rotation(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, {"Rotated": True})


def disable_key_rotation(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, {"Rotated": False})


def get_key_rotation_status(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    key = key_of(state, request["KeyId"])
    rotated = bool((resources.find(state, KIND, key) or {}).get("Rotated"))
    return {"KeyRotationEnabled": rotated, "KeyId": key, **({"RotationPeriodInDays": _YEAR_DAYS} if rotated else {})}


def update_key_description(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, {"Description": request["Description"]})


def tag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    given = {item["TagKey"]: item["TagValue"] for item in request["Tags"]}
    with state.store.transaction():
        tags = (resources.find(state, KIND, _made(state, request["KeyId"])) or {}).get("Tags") or {}
        return _change(state, request, {"Tags": {**tags, **given}})


def untag_resource(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        tags = (resources.find(state, KIND, _made(state, request["KeyId"])) or {}).get("Tags") or {}
        left = {key: value for key, value in tags.items() if key not in request["TagKeys"]}
        return _change(state, request, {"Tags": left})


def list_resource_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = (resources.find(state, KIND, key_of(state, request["KeyId"])) or {}).get("Tags") or {}
    return {"Tags": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())], "Truncated": False}


def _change(state: State, request: Mapping[str, Any], changed: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        key = _made(state, request["KeyId"])
        resources.replace(state, KIND, key, {**(resources.find(state, KIND, key) or {}), **changed})
    return {}


def _made(state: State, asked: str) -> str:
    """The id of a key; one that was taken to be there is there from now on."""
    key = key_of(state, asked)
    if resources.find(state, KIND, key) is None:
        taken = Refusal("KMSInternalException", "Ask again.", 500)
        resources.insert(state, KIND, key, {"Description": "", "Policy": None}, taken=taken)
    return key


def _arn(state: State, alias: str) -> str:
    return f"arn:aws:kms:{state.region}:{ACCOUNT_ID}:{alias}"


OPERATIONS = {
    "CreateAlias": create_alias,
    "DeleteAlias": delete_alias,
    "DisableKeyRotation": disable_key_rotation,
    "EnableKeyRotation": enable_key_rotation,
    "GetKeyRotationStatus": get_key_rotation_status,
    "ListAliases": list_aliases,
    "ListResourceTags": list_resource_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateKeyDescription": update_key_description,
}
