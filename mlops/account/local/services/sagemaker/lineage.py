"""Lineage entities (actions, artifacts, contexts) and the associations between them, as they were made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State, dump, now

_ASSOCIATION = "Association"
_Answer: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]
_ENTITIES = {"Action": "action", "Artifact": "artifact", "Context": "context"}
"""What the ARN of each begins with."""


def _kind(entity: str) -> str:
    """In the store; other kinds of resources have no such names."""
    return f"Lineage{entity}"


def _create(entity: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """An artifact is what its source says: one of the same source and type is the same."""
    named = request.get(f"{entity}Name")
    key = _digest(request) if entity == "Artifact" else str(named)
    arn = state.arn(f"{_ENTITIES[entity]}/{key}")
    with state.store.transaction():
        if entity == "Artifact" and resources.find(state, _kind(entity), key) is not None:
            return {"ArtifactArn": arn}
        body = {name: value for name, value in request.items() if name != "Tags" and value is not None}
        taken = invalid(f"{entity} names must be unique within an AWS account and region. {arn} is there already.")
        resources.insert(state, _kind(entity), key, {**body, f"{entity}Arn": arn}, taken=taken)
        resources.tag(state, arn, request)
    return {f"{entity}Arn": arn}


def _digest(request: Mapping[str, Any]) -> str:
    told = dump({"Source": request["Source"], "Type": request["ArtifactType"]}, sort_keys=True)
    return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()


def _describe(entity: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _told(state, _found(state, entity, request))


def _found(state: State, entity: str, request: Mapping[str, Any]) -> dict[str, Any]:
    given = str(request.get(f"{entity}Arn") or request.get(f"{entity}Name") or "")
    body = resources.find(state, _kind(entity), resources.last_segment(given, _ENTITIES[entity]))
    if body is None:
        raise Refusal("ResourceNotFound", f"{entity} {given!r} does not exist.")
    return body


def _told(state: State, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "CreatedBy": state.caller, "LastModifiedBy": state.caller}


def _list(entity: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    descending = request.get("SortOrder") != "Ascending"
    order = ("name",) if request.get("SortBy") == "Name" else ("created", "name")
    found = Query("resource", order, descending).where("kind = ?", _kind(entity))
    found.created_between(request, "CreatedAfter", "CreatedBefore")
    for member, path in (("SourceUri", "$.Source.SourceUri"), (f"{entity}Type", f"$.{entity}Type")):
        if request.get(member):
            found.where(f"json_extract(body, '{path}') = ?", request[member])
    rows, token = found.page(state.store, request)
    return {f"{entity}Summaries": [resources.body_of(row) for row in rows], "NextToken": token}


def _delete(entity: str, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        if entity == "Artifact" and not request.get("ArtifactArn"):
            raise invalid("Name the artifact by its ArtifactArn: here none is deleted by its source.")
        body = _found(state, entity, request)
        arn = str(body[f"{entity}Arn"])
        tied = state.store.one(
            "SELECT name FROM resource WHERE kind = ? AND (json_extract(body, '$.SourceArn') = ? "
            "OR json_extract(body, '$.DestinationArn') = ?)",
            _ASSOCIATION,
            arn,
            arn,
        )
        if tied is not None:
            raise invalid(f"{arn} has associations; delete these first.")
        resources.remove(state, _kind(entity), arn.rpartition("/")[2], arn)
    return {f"{entity}Arn": arn}


def add_association(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Twice the same is once; the type is the last that was said."""
    ends = {name: str(request[name]) for name in ("SourceArn", "DestinationArn")}
    body = {**ends, "AssociationType": request.get("AssociationType")}
    time = now()
    state.store.write(
        "INSERT INTO resource VALUES (?, ?, ?, ?, '', ?) ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
        _ASSOCIATION,
        _name(ends),
        time,
        time,
        dump(body),
    )
    return ends


def list_associations(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = Query("resource", ("created", "name"), request.get("SortOrder") != "Ascending")
    found.where("kind = ?", _ASSOCIATION)
    found.created_between(request, "CreatedAfter", "CreatedBefore")
    for member in ("SourceArn", "DestinationArn", "AssociationType"):
        if request.get(member):
            found.where(f"json_extract(body, '$.{member}') = ?", request[member])
    rows, token = found.page(state.store, request)
    return {"AssociationSummaries": [resources.body_of(row) for row in rows], "NextToken": token}


def delete_association(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    ends = {name: str(request[name]) for name in ("SourceArn", "DestinationArn")}
    if resources.find(state, _ASSOCIATION, _name(ends)) is None:
        raise Refusal("ResourceNotFound", f"There is no association between {' and '.join(ends.values())}.")
    state.store.write("DELETE FROM resource WHERE kind = ? AND name = ?", _ASSOCIATION, _name(ends))
    return ends


def _name(ends: Mapping[str, str]) -> str:
    return json.dumps([*ends.values()])


_VERBS = {"Create": _create, "Describe": _describe, "Delete": _delete}
OPERATIONS: Mapping[str, _Answer] = {
    **{f"{verb}{entity}": partial(answer, entity) for verb, answer in _VERBS.items() for entity in _ENTITIES},
    **{f"List{entity}s": partial(_list, entity) for entity in _ENTITIES},
    "AddAssociation": add_association,
    "DeleteAssociation": delete_association,
    "ListAssociations": list_associations,
}
