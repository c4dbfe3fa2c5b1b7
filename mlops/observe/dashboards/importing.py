"""Saved objects into OpenSearch Dashboards: what is there is looked at, and what was imported is looked at again.

Its import answers 200 where a part or all of it failed, and has been seen to report success of what it did not keep. So
the answer is read object by object, and each is asked for behind it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir import AccountError
from mlops.ir.dataclass import dataclass
from mlops.observe.search.asking import Ask, Typed, understood

HEADERS: Mapping[str, str] = {"osd-xsrf": "true"}
"""Without it every change is refused."""


@dataclass(frozen=True, slots=True)
class Object:
    """``line`` is what is imported."""

    type: str
    id: str
    title: str
    attributes: Mapping[str, Any]
    references: Sequence[Mapping[str, Any]]
    line: str


@dataclass(frozen=True, slots=True)
class Change:
    """``new``: nothing is there under its id."""

    object: Object
    new: bool

    @property
    def label(self) -> str:
        return f"{'make' if self.new else 'change'} the {self.object.type} {self.object.title}"


def objects(ndjson: str) -> tuple[Object, ...]:
    found = []
    for line in ndjson.split("\n"):  # U+2028 in a text ends no line
        if not line.strip():
            continue
        told = json.loads(line)
        attributes = told["attributes"]
        found.append(Object(told["type"], told["id"], attributes["title"], attributes, told["references"], line))
    return tuple(found)


def changes(ask: Ask, wanted: Sequence[Object]) -> tuple[Change, ...]:
    """What is not there as it is wanted. Raises AccountError."""
    with understood("POST /api/saved_objects/_bulk_get"):
        there = _there(ask, wanted)
        return tuple(
            Change(item, (item.type, item.id) not in there)
            for item in wanted
            if not _is(there.get((item.type, item.id)), item)
        )


def bring(ask: Ask, wanted: Sequence[Object]) -> None:
    """All of them: references lead to what is imported with them.

    Raises:
        AccountError: not all was taken, or not all is there behind it; which, and why.
    """
    text = "".join(f"{item.line}\n" for item in wanted)
    boundary = f"mlops-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="mlops.ndjson"\r\n'
        f"Content-Type: application/ndjson\r\n\r\n{text}\r\n--{boundary}--\r\n"
    )
    answer = ask(
        "POST", "/api/saved_objects/_import?overwrite=true", Typed(f"multipart/form-data; boundary={boundary}", form)
    )
    with understood("POST /api/saved_objects/_import"):
        failed = [_failure(error) for error in answer.get("errors") or ()]
    if failed or not answer.get("success"):
        counted = f"{answer.get('successCount', 0)} of {len(wanted)} objects were taken"
        raise AccountError(f"{counted}: {'; '.join(failed) or 'no reason is told'}")
    lost = changes(ask, wanted)
    if lost:
        names = ", ".join(f"{change.object.type} {change.object.title}" for change in lost)
        raise AccountError(
            f"reported as imported, and not there as sent: {names}",
            hint="Dashboards did not keep them, or somebody brought others meanwhile; the same command tries again",
        )


def _there(ask: Ask, wanted: Sequence[Object]) -> dict[tuple[str, str], Mapping[str, Any]]:
    asked = [{"type": item.type, "id": item.id} for item in wanted]
    answer = ask("POST", "/api/saved_objects/_bulk_get", Typed("application/json", json.dumps(asked)))
    return {(item["type"], item["id"]): item for item in answer["saved_objects"] if not item.get("error")}


def _is(there: Mapping[str, Any] | None, wanted: Object) -> bool:
    """Whether it has all that is wanted; Dashboards adds to it."""
    if there is None:
        return False
    told = there.get("attributes", {})
    named = {(item["name"], item["type"], item["id"]) for item in there.get("references", ())}
    return all(told.get(name) == value for name, value in wanted.attributes.items()) and named == {
        (item["name"], item["type"], item["id"]) for item in wanted.references
    }


def _failure(error: Mapping[str, Any]) -> str:
    why = error.get("error", {})
    title = (error.get("meta") or {}).get("title") or error.get("title") or error.get("id")
    missing = ", ".join(f"{item['type']} {item['id']}" for item in why.get("references") or ())
    said = {"missing_references": f"what it refers to is missing: {missing}"}.get(why.get("type"))
    return f"{error.get('type')} {title}: {said or why.get('message') or why.get('type')}"
