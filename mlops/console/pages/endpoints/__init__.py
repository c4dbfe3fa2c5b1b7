"""The endpoints of the account."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.console.page import Hit, Page, Shown, Visit, address, part
from mlops.use_cases.connecting import Connected

_MOST, _MOST_HITS = 50, 10


def show(visit: Visit) -> Shown:
    from mlops.use_cases.endpoints import listed

    words, skip = visit.query.one("name"), visit.query.number("skip")
    found = [item for item in listed(visit.connected) if words.lower() in str(item["EndpointName"]).lower()]
    rows = found[skip : skip + _MOST]
    return {
        "rows": rows,
        "words": words,
        "part": part(visit, len(rows), len(found), _MOST),
    }


def find(connected: Connected, text: str) -> Iterable[Hit]:
    from mlops.use_cases.endpoints import listed

    name = text.rpartition("/")[2] if text.startswith("arn:") else text
    found = [str(item["EndpointName"]) for item in listed(connected) if name.lower() in item["EndpointName"].lower()]
    for row in found[:_MOST_HITS]:
        yield Hit("endpoint", row, address("endpoints", row))


PAGE = Page("/endpoints", "Endpoints", show, place=40, follows=lambda visit: {}, find=find)
