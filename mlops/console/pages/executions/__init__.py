"""Executions of all pipelines, the newest first. What is chosen of them stands in the address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from mlops.console.page import Hit, Page, Shown, Visit, address
from mlops.use_cases.connecting import Connected

STATUSES = ("Executing", "Succeeded", "Failed", "Stopping", "Stopped")
_SIZES = (25, 50, 100)
_AGO = re.compile(r"([0-9]{1,5})\s*(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_PLACE = re.compile(r"([0-9T:.+-]{19,40})~(arn:[\w:/.-]{1,300})", re.ASCII)


def show(visit: Visit) -> Shown:
    from mlops.deploy.executions.browsing import Place, Wanted
    from mlops.use_cases.browse import executions

    query = visit.query
    chosen = query.number("size", 50)
    wanted = Wanted(
        pipeline=query.one("pipeline") or None,
        statuses=frozenset(query.all("status")) & frozenset(STATUSES),
        words=query.one("words"),
        since=moment_of(query.one("since"), "since"),
        until=moment_of(query.one("until"), "until"),
        oldest_first=query.one("order") == "oldest",
    )
    after = None
    if (found := _PLACE.fullmatch(query.one("after"))) is not None:
        after = Place(_known(found[1], "after"), found[2])
    size = chosen if chosen in _SIZES else 50
    listed = executions(visit.connected, wanted, after, size, parameters=query.one("parameters") == "1")
    place = listed.following
    behind = f"{place.started.astimezone(UTC).isoformat()}~{place.arn}" if place is not None else None
    return {
        "listed": listed,
        "wanted": wanted,
        "of": {name: address("executions", pipeline=name) for name in {row.pipeline for row in listed.rows}},
        "statuses": STATUSES,
        "size": size,
        "sizes": _SIZES,
        "since": query.one("since"),
        "until": query.one("until"),
        "parameters": query.one("parameters") == "1",
        "later": query.but(after=behind) if behind else None,
        "begin": query.but(after=None) if after is not None else None,
        "turned": query.but(after=None, order=None if wanted.oldest_first else "oldest"),
        "picks": bool(query.but(after=None, size=None, order=None, parameters=None) != "?"),
    }


def moment_of(text: str, name: str = "time") -> datetime | None:
    """``7d``, ``24h`` or ``30min`` ago, or a day or moment, in UTC where it names no zone. Raises UsageError.

    >>> moment_of("2026-03-01T12:30")
    datetime.datetime(2026, 3, 1, 12, 30, tzinfo=datetime.timezone.utc)
    """
    if not text:
        return None
    if (ago := _AGO.fullmatch(text)) is not None:
        return datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2]]
    return _known(text, name)


def _known(text: str, name: str) -> datetime:
    from mlops.use_cases.moments import known

    return known(text, name, "write 7d, 24h or 30min for so long ago, or 2026-03-01 or 2026-03-01T12:30")


def follows(visit: Visit) -> Mapping[str, str] | None:
    """Pages behind the first stay as they are."""
    if visit.query.one("after"):
        return None
    pipeline = visit.query.one("pipeline")
    return {"pipeline": pipeline} if pipeline else {}


def find(connected: Connected, text: str) -> Iterable[Hit]:
    from mlops.deploy.executions.browsing import Wanted
    from mlops.use_cases.browse import executions, known_execution

    known = known_execution(connected, text)
    if known is not None:
        yield Hit("execution", known.id, address("executions", known.id), f"{known.pipeline}, {known.status}")
    for row in executions(connected, Wanted(words=text), most=20).rows:
        if known is None or row.id != known.id:
            yield Hit("execution", row.id, address("executions", row.id), f"{row.pipeline}, {row.status}")


PAGE = Page("/executions", "Executions", show, place=20, follows=follows, find=find)
