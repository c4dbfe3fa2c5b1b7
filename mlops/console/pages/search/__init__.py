"""Anything by its name or id: each page tells what it has of that."""

from __future__ import annotations

from mlops.console.page import Page, Shown, Visit


def show(visit: Visit) -> Shown:
    from mlops.console.finding import all_pages  # which finds this page, too

    text = visit.query.one("q")
    hits = [hit for page in all_pages().values() for hit in page.find(visit.connected, text)] if text else []
    return {"text": text, "hits": hits}


PAGE = Page("/search", "Search", show)
