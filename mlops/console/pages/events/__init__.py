"""What happened, the newest first; of all, or of what an id names."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.console.page import Page, Shown, Visit

_MOST = 100
IDS = ("execution", "pipeline", "step", "job", "endpoint", "model-package-group", "monitor", "alarm", "stream")


def show(visit: Visit) -> Shown:
    from mlops.use_cases.browse import happened

    query = visit.query
    ids = _ids(visit)
    behind = query.number("behind", most=10**12) if query.one("behind") else None
    kinds = tuple(kind for kind in query.all("kind") if len(kind) < 100)
    found = happened(visit.connected, behind, kinds=kinds, ids=ids, most=_MOST)
    return {
        "found": found,
        "ids": ids,
        "names": IDS,
        "kinds": kinds,
        "chosen": next(iter(ids), IDS[0]),
        "value": next(iter(ids.values()), ""),
        "newest": query.but(behind=None) if behind is not None else None,
        "earlier": query.but(behind=str(found.earlier)) if found is not None and found.earlier is not None else None,
        "later": query.but(behind=str(found.later)) if found is not None and found.later is not None else None,
    }


def _ids(visit: Visit) -> Mapping[str, str]:
    """By the name of an id, or by ``of`` and ``is`` as the form sends them."""
    found = {name: visit.query.one(name) for name in IDS if visit.query.one(name)}
    if visit.query.one("of") in IDS and visit.query.one("is"):
        found[visit.query.one("of")] = visit.query.one("is")
    return found


PAGE = Page("/events", "Events", show, place=70, follows=lambda visit: None if visit.query.one("behind") else {})
