"""The versions of a model package group, the newest first, and two of them side by side."""

from __future__ import annotations

from mlops.console.page import Page, Shown, Visit

_MOST = 50


def show(visit: Visit) -> Shown:
    from mlops.use_cases.browse import versions
    from mlops.use_cases.models import compare

    group, after = visit.path["group"], visit.query.one("after")
    rows, following = versions(visit.connected, group, after or None, _MOST)
    chosen = sorted({int(text) for text in visit.query.all("v") if text.isascii() and text.isdigit() and len(text) < 9})
    two = len(chosen) == 2
    return {
        "title": f"Versions of {group}",
        "group": group,
        "rows": rows,
        "chosen": chosen,
        "compared": compare(visit.connected, group, chosen[0], chosen[1]) if two else None,
        "begin": visit.query.but(after=None) if after else None,
        "later": visit.query.but(after=following) if following else None,
    }


PAGE = Page("/models/{group}", "Versions", show, follows=lambda visit: None if visit.query.one("after") else {})
