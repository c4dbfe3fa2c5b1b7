"""Groups of the model registry."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlops.console.page import Hit, Page, Shown, Visit, address, part
from mlops.use_cases.connecting import Connected

_MOST, _MOST_HITS = 25, 10
_VERSION = re.compile(r"(?:arn:[\w:-]{1,100}:model-package/)?([\w-]{1,63})/([1-9][0-9]{0,8})", re.ASCII)


def show(visit: Visit) -> Shown:
    from mlops.use_cases.browse import groups

    words, skip = visit.query.one("name"), visit.query.number("skip")
    rows, count = groups(visit.connected, words, skip, _MOST)
    return {
        "rows": rows,
        "words": words,
        "part": part(visit, len(rows), count, _MOST),
    }


def find(connected: Connected, text: str) -> Iterable[Hit]:
    """Groups by a part of their name, a version as GROUP/NUMBER or by its ARN."""
    from mlops.use_cases.browse import groups, known_version

    named = _VERSION.fullmatch(text)
    found = known_version(connected, named[1], int(named[2])) if named is not None else None
    if found is not None:
        there = address("models", found.group, "versions", str(found.number))
        yield Hit("version", f"{found.group}/{found.number}", there, found.approval)
    for row in groups(connected, text, most=_MOST_HITS, newest=False)[0]:
        yield Hit("model package group", row.name, address("models", row.name), row.description)


PAGE = Page("/models", "Models", show, place=30, follows=lambda visit: {}, find=find)
