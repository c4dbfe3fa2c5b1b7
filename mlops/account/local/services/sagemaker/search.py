"""Search: resources of one kind by what is told of them, sorted, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops.account.local.listing import DEFAULT_PAGE, last_row, token_after
from mlops.account.local.refusal import invalid
from mlops.account.local.state import State, moment

if TYPE_CHECKING:
    from botocore.model import Shape

    from mlops.account.local.services.sagemaker.searched import Searched

_Rank: TypeAlias = tuple[bool, Any, str]
"""Whether there is nothing to sort by, the value, and the name, for several may have the same."""
_VISIBLE_BY = "Tags."


def search(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    from mlops.account.local.search_filters import condition
    from mlops.account.local.services.sagemaker.searched import KINDS
    from mlops.account.local.shapes import service_model

    kind = KINDS[request["Resource"]]
    shape = service_model("sagemaker").shape_for("SearchRecord").members.get(kind.member)
    expression = request.get("SearchExpression")
    holds = condition(shape, expression) if expression is not None else (lambda _: True)
    visible, value = _visible(request), _sorted_by(shape, request)
    found: list[tuple[_Rank, Mapping[str, Any]]] = []
    if request.get("CrossAccountFilterOption") != "CrossAccount":  # nothing here is another account's
        for name, record in _records(state, kind, shape):
            if visible(record) and holds(record):
                found.append(((value(record) is None, _sortable(value(record)), name), record))
    page, token = _page(found, request)
    told = {"NextToken": token, "TotalHits": {"Value": len(found), "Relation": "EqualTo"}}
    return {**told, "Results": [{kind.member: record} for record in page]}


def _records(state: State, kind: Searched, shape: Shape | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """As clients get them, each with what tells it from all others."""
    from mlops.account.local.shapes import conform

    tags: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in state.store.all("SELECT * FROM tag ORDER BY key") if "Tags" in _members(shape) else ():
        tags[row["arn"]].append({"Key": row["key"], "Value": row["value"]})
    for told in kind.records(state):
        named = [str(told.get(member) or "") for member in kind.named]
        own = {"Tags": tags[named[0]]} if named[0] in tags else {}
        measured = {"Metrics": told["Metrics"]} if told.get("Metrics") else {}
        yield " ".join(named), {**conform(shape, told), **own, **measured}


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    found: Mapping[str, Shape] = getattr(shape, "members", {})
    return found


def _visible(request: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """What has one of the tags has it with that value."""
    asked = {item.get("Key") or "": item.get("Value") for item in request.get("VisibilityConditions") or ()}
    if wrong := [key for key in asked if not key.startswith(_VISIBLE_BY)]:
        raise invalid(f"The key of a visibility condition is like Tags.team: {wrong[0]}")
    wanted = {key.removeprefix(_VISIBLE_BY): value for key, value in asked.items()}

    def visible(record: Mapping[str, Any]) -> bool:
        tags = record.get("Tags") or ()
        return all(item["Value"] == wanted[item["Key"]] for item in tags if item["Key"] in wanted)

    return visible


def _sorted_by(shape: Shape | None, request: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    from mlops.account.local.search_filters import property_of

    asked = request.get("SortBy")
    if asked is None:
        # The first is the service's own; not all records have it.
        usual = ("LastModifiedTime", "CreationTime", "Model")
        at = next((name for name in usual if name in _members(shape)), None)
        asked = "Model.CreationTime" if at == "Model" else at
    if asked is None:
        return lambda _: None
    found = property_of(shape, asked)
    return lambda record: next(found.values(record), None)


def _sortable(value: Any) -> Any:
    match value:
        case None:
            return ""
        case datetime():
            return moment(value)
        case bool() | int() | float() | str():
            return value
    return str(value)


def _page(
    found: list[tuple[_Rank, Mapping[str, Any]]], request: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], str | None]:
    """What has no value to sort by comes last, whichever way is sorted."""
    descending = request.get("SortOrder") != "Ascending"
    if request.get("NextToken"):
        last = last_row(request["NextToken"], 3)
        try:
            found = [item for item in found if _is_behind(item[0], last, descending)]
        except TypeError:
            raise invalid("NextToken was not made by this list") from None
    ordered = [
        item
        for lacks in (False, True)
        for item in sorted((one for one in found if one[0][0] is lacks), key=lambda one: one[0][1:], reverse=descending)
    ]
    most = request.get("MaxResults") or DEFAULT_PAGE
    page = ordered[:most]
    return [record for _, record in page], token_after(page[-1][0]) if len(found) > most else None


def _is_behind(rank: _Rank, last: list[Any], descending: bool) -> bool:
    if rank[0] != last[0]:
        return rank[0]
    here, there = rank[1:], (last[1], last[2])
    return here < there if descending else here > there


OPERATIONS = {"Search": search}
