"""Streams of the account, and where they deliver."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.console.page import Hit, Page, Shown, Visit, address
from mlops.use_cases.connecting import Connected


def show(visit: Visit) -> Shown:
    from mlops.use_cases.streams import as_dictionary, listed

    words = visit.query.one("name")
    found = [as_dictionary(item) for item in listed(visit.connected) if words.lower() in item.name.lower()]
    return {"rows": found, "words": words}


def find(connected: Connected, text: str) -> Iterable[Hit]:
    from mlops.use_cases.streams import listed

    for item in listed(connected):
        if text.lower() in item.name.lower():
            yield Hit("stream", item.name, address("streams", name=item.name), f"into {item.destination}")


PAGE = Page("/streams", "Streams", show, place=60, follows=lambda visit: {}, find=find)
