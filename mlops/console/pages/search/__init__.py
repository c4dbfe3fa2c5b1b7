"""Anything by its name or id: each page tells what it has of that."""

from __future__ import annotations

from mlops.console.page import Hit, Page, Shown, Visit
from mlops.ir import MlopsError


def show(visit: Visit) -> Shown:
    from mlops.console.finding import all_pages  # which finds this page, too

    text = visit.query.one("q")
    hits: list[Hit] = []
    unknown: list[tuple[str, str]] = []
    for page in all_pages().values() if text else ():
        try:
            hits += page.find(visit.connected, text)
        except MlopsError as error:  # what one kind refuses, or may not be asked, hides no other
            unknown.append((page.title, error.message))
    return {"text": text, "hits": hits, "unknown": unknown}


PAGE = Page("/search", "Search", show)
