"""The pipelines of the account, those that ran last first."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.console.page import Hit, Page, Shown, Visit, address, part
from mlops.use_cases.connecting import Connected

_MOST, _MOST_HITS = 25, 10


def show(visit: Visit) -> Shown:
    from mlops.use_cases.browse import pipelines

    words, skip = visit.query.one("name"), visit.query.number("skip")
    rows, count = pipelines(visit.connected, words, skip, _MOST)
    return {
        "rows": rows,
        "words": words,
        "part": part(visit, len(rows), count, _MOST),
    }


def find(connected: Connected, text: str) -> Iterable[Hit]:
    from mlops.use_cases.browse import pipelines

    for row in pipelines(connected, text, most=_MOST_HITS, runs=0)[0]:
        yield Hit("pipeline", row.name, address("executions", pipeline=row.name), row.description)


PAGE = Page("/pipelines", "Pipelines", show, place=10, follows=lambda visit: {}, find=find)
