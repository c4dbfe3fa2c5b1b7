"""Named resources of one kind as rows: what creating, describing and deleting have in common."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from mlops.account.local.listing import Query, contains
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker.tags import forget_tags, put_tags
from mlops.account.local.state import State, dump, now


def insert(state: State, kind: str, name: str, body: Mapping[str, Any], *, taken: Refusal, status: str = "") -> None:
    """Raises ``taken`` where the name is in use. The caller may hold a transaction."""
    try:
        time = now()
        state.store.write("INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?)", kind, name, time, time, status, dump(body))
    except sqlite3.IntegrityError:
        raise taken from None


def find(state: State, kind: str, name: str) -> dict[str, Any] | None:
    """The body, with CreationTime and LastModifiedTime."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", kind, name)
    return None if row is None else body_of(row)


def body_of(row: sqlite3.Row) -> dict[str, Any]:
    return {"CreationTime": row["created"], "LastModifiedTime": row["modified"], **json.loads(row["body"])}


def replace(state: State, kind: str, name: str, body: Mapping[str, Any], status: str = "") -> None:
    kept = {member: value for member, value in body.items() if member not in ("CreationTime", "LastModifiedTime")}
    state.store.write(
        "UPDATE resource SET body = ?, status = ?, modified = ? WHERE kind = ? AND name = ?",
        dump(kept),
        status,
        now(),
        kind,
        name,
    )


def remove(state: State, kind: str, name: str, arn: str) -> None:
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (kind, name))
        forget_tags(state, arn)


def tag(state: State, arn: str, request: Mapping[str, Any]) -> None:
    put_tags(state, arn, request.get("Tags") or ())


def query(kind: str, request: Mapping[str, Any], *, descending: bool) -> Query:
    """By the members that most lists share. ``descending`` is the order where none is asked for."""
    if request.get("SortOrder"):
        descending = request["SortOrder"] == "Descending"
    order = {"Name": ("name",), "Status": ("status", "name")}.get(request.get("SortBy") or "", ("created", "name"))
    found = Query("resource", order, descending).where("kind = ?", kind)
    found.created_between(request, "CreationTimeAfter", "CreationTimeBefore")
    found.created_between(request, "LastModifiedTimeAfter", "LastModifiedTimeBefore", "modified")
    if request.get("NameContains"):
        condition, value = contains("name", request["NameContains"])
        found.where(condition, value)
    if request.get("StatusEquals"):
        found.where("status = ?", request["StatusEquals"])
    return found


def last_segment(name_or_arn: str, resource: str) -> str:
    """
    >>> last_segment("arn:aws:sagemaker:eu-west-1:000000000000:pipeline/churn", "pipeline")
    'churn'
    >>> last_segment("churn", "pipeline")
    'churn'
    """
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    kind, _, name = name_or_arn.rpartition(":")[2].partition("/")
    if kind != resource or not name:
        raise invalid(f"{name_or_arn} is not the ARN of a {resource}")
    return name


def once(
    state: State, operation: str, token: str | None, request: Mapping[str, Any], act: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """A repeated client token gets the first reply again and nothing happens twice; ``act`` runs in the transaction
    that keeps the token. A token that comes again with another request is refused."""
    if token is None:
        return act()
    tokens = ("ClientRequestToken", "ClientToken")
    asked = dump({member: value for member, value in request.items() if member not in tokens}, sort_keys=True)
    with state.store.transaction() as connection:
        row = connection.execute(
            "SELECT request, reply FROM token WHERE operation = ? AND token = ?", (operation, token)
        ).fetchone()
        if row is not None:
            if row["request"] != asked:
                raise invalid("The client token was used before with other parameters.")
            reply: Mapping[str, Any] = json.loads(row["reply"])
            return reply
        reply = act()
        connection.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?)", (operation, token, asked, dump(reply), now()))
        return reply
