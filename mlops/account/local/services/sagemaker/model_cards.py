"""Model cards and their versions: each change of the content is a version, a change of the status is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.account.local.listing import Query, contains
from mlops.account.local.refusal import conflict, invalid, not_found
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State, dump
from mlops.knowledge.model_cards import fitted

KIND, _VERSION = "ModelCard", "ModelCardVersion"
_ARCHIVED = "Archived"
_METADATA = (
    ("model_overview", "model_id"),
    ("model_overview", "model_name"),
    ("intended_uses", "risk_rating"),
    ("model_package_details", "model_package_group_name"),
    ("model_package_details", "model_package_arn"),
)
"""What stays of a content where IncludedData is MetadataOnly (API: DescribeModelCard)."""


def create_model_card(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, content, status = request["ModelCardName"], request["Content"], request["ModelCardStatus"]
    _need_schema(content)
    body = {"ModelCardName": name, "LastVersion": 1, "SecurityConfig": request.get("SecurityConfig")}
    with state.store.transaction():
        taken = conflict(f"Model card {name} already exists.")
        resources.insert(state, KIND, name, {**body, "CreatedBy": state.caller}, taken=taken, status=status)
        _insert(state, name, 1, content, status)
        resources.tag(state, _arn(state, name), request)
    return {"ModelCardArn": _arn(state, name)}


def update_model_card(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, content, status = request["ModelCardName"], request.get("Content"), request.get("ModelCardStatus")
    if content is not None and status is not None:
        raise invalid("Content and status of a model card cannot be updated in one call.")
    with state.store.transaction():
        body = _card(state, name)
        number = body["LastVersion"]
        last = _version(state, name, number)
        changed = {**body, "LastModifiedBy": state.caller}
        if content is not None:
            if last["ModelCardStatus"] == _ARCHIVED:
                raise conflict(f"Model card {name} is archived: its content cannot be updated.")
            _need_schema(content)
            _insert(state, name, number + 1, content, last["ModelCardStatus"])
            resources.replace(state, KIND, name, {**changed, "LastVersion": number + 1}, last["ModelCardStatus"])
        elif status is not None:
            told = {**last, "ModelCardStatus": status, "LastModifiedBy": state.caller}
            resources.replace(state, _VERSION, _row(name, number), told, status)
            resources.replace(state, KIND, name, changed, status)
    return {"ModelCardArn": _arn(state, name)}


def describe_model_card(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = resources.last_segment(request["ModelCardName"], "model-card")
    body = _card(state, name)
    found = _version(state, name, request.get("ModelCardVersion") or body["LastVersion"])
    content = found["Content"]
    return {
        "ModelCardArn": _arn(state, name),
        "ModelCardName": name,
        "ModelCardVersion": found["ModelCardVersion"],
        "ModelCardStatus": found["ModelCardStatus"],
        "Content": _metadata(content) if request.get("IncludedData") == "MetadataOnly" else content,
        "SecurityConfig": body.get("SecurityConfig"),
        "CreationTime": body["CreationTime"],
        "CreatedBy": body["CreatedBy"],
        "LastModifiedTime": found["LastModifiedTime"],
        "LastModifiedBy": found.get("LastModifiedBy") or found["CreatedBy"],
    }


def list_model_cards(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    order = ("name",) if request.get("SortBy") == "Name" else ("created", "name")
    found = Query("resource", order, request.get("SortOrder") != "Ascending").where("kind = ?", KIND)
    if request.get("NameContains"):
        found.where(*contains("name", request["NameContains"]))
    rows, token = _narrowed(found, request).page(state.store, request)
    told = [
        {
            "ModelCardName": row["name"],
            "ModelCardArn": _arn(state, row["name"]),
            "ModelCardStatus": row["status"],
            "CreationTime": row["created"],
            "LastModifiedTime": row["modified"],
        }
        for row in rows
    ]
    return {"ModelCardSummaries": told, "NextToken": token}


def list_model_card_versions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = resources.last_segment(request["ModelCardName"], "model-card")
    _card(state, name)
    found = Query("resource", ("name",), request.get("SortOrder") != "Ascending").where("kind = ?", _VERSION)
    # What follows a slash is the number; a zero comes next after a slash.
    found.where("name > ? AND name < ?", f"{name}/", f"{name}0")
    rows, token = _narrowed(found, request).page(state.store, request)
    told = [
        {
            "ModelCardName": name,
            "ModelCardArn": _arn(state, name),
            "ModelCardStatus": row["status"],
            "ModelCardVersion": json.loads(row["body"])["ModelCardVersion"],
            "CreationTime": row["created"],
            "LastModifiedTime": row["modified"],
        }
        for row in rows
    ]
    return {"ModelCardVersionSummaryList": told, "NextToken": token}


def delete_model_card(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction() as connection:
        name = _card(state, request["ModelCardName"])["ModelCardName"]
        connection.execute(
            "DELETE FROM resource WHERE kind = ? AND name > ? AND name < ?", (_VERSION, f"{name}/", f"{name}0")
        )
        resources.remove(state, KIND, name, _arn(state, name))
    return {}


def _narrowed(found: Query, request: Mapping[str, Any]) -> Query:
    found.created_between(request, "CreationTimeAfter", "CreationTimeBefore")
    if request.get("ModelCardStatus"):
        found.where("status = ?", request["ModelCardStatus"])
    return found


def _insert(state: State, name: str, number: int, content: str, status: str) -> None:
    body = {"ModelCardVersion": number, "Content": content, "ModelCardStatus": status, "CreatedBy": state.caller}
    taken = conflict(f"Model card {name} is being changed.")
    resources.insert(state, _VERSION, _row(name, number), body, taken=taken, status=status)


def _card(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise not_found(f"Model card {name}")
    return body


def _version(state: State, name: str, number: int) -> dict[str, Any]:
    body = resources.find(state, _VERSION, _row(name, number))
    if body is None:
        raise not_found(f"Version {number} of model card {name}")
    return body


def _row(name: str, number: int) -> str:
    return f"{name}/{number:010}"


def _arn(state: State, name: str) -> str:
    return state.arn(f"model-card/{name}")


def _need_schema(content: str) -> None:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise invalid("Content of a model card has to be JSON.") from None
    found = fitted(told) if isinstance(told, dict) else None
    if found != told:
        at = _difference(told, found)
        raise invalid(f"Content does not follow the model card JSON schema{f', at {at}' if at else ''}.")


def _difference(given: Any, found: Any, at: str = "") -> str:
    """Where a content first is another one than what the schema lets through."""
    if isinstance(given, dict) and isinstance(found, dict):
        for name, value in given.items():
            if name not in found or found[name] != value:
                return _difference(value, found.get(name), f"{at}/{name}")
    return at


def _metadata(content: str) -> str:
    told = json.loads(content)
    kept: dict[str, Any] = {}
    for section, name in _METADATA:
        if name in told.get(section, {}):
            kept.setdefault(section, {})[name] = told[section][name]
    return dump(kept)


OPERATIONS = {
    "CreateModelCard": create_model_card,
    "DeleteModelCard": delete_model_card,
    "DescribeModelCard": describe_model_card,
    "ListModelCards": list_model_cards,
    "ListModelCardVersions": list_model_card_versions,
    "UpdateModelCard": update_model_card,
}
