"""Executions of all pipelines in the order of their starts, page by page: behind a place, not behind a number, so that
what begins meanwhile moves nothing."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.pages import items
from mlops.ir import UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text

MOST_LOOKED = 2000
"""Executions that one page looks through for those that are wanted; the service knows no filter by status."""
_PAGE = 100
_SECOND = timedelta(seconds=1)
_NAME = "PipelineExecutionDisplayName"
_WRITTEN = (_NAME, "PipelineExecutionDescription", "PipelineExecutionFailureReason")
"""What people and programs say of an execution; the rest is the service's."""
_BEFORE_ALL = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Of an execution in the list: behind it the next page begins."""

    started: datetime
    arn: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """``words`` stands in the id, the display name or the description; ``since`` and ``until`` are of its start."""

    pipeline: str | None = None
    statuses: frozenset[str] = frozenset()
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Browsed:
    """``following`` is where the next page begins, None at the end. ``looked`` is how many were looked through; more
    than that may be wanted where ``gave_up``. ``pipelines`` are the names of all that there are, wanted or not."""

    pipelines: tuple[str, ...]
    summaries: tuple[Mapping[str, Any], ...]
    following: Place | None
    looked: int
    gave_up: bool


def browsed(account: Account, wanted: Wanted, after: Place | None, most: int) -> Browsed:
    """Summaries without secrets, each with its PipelineName. Raises UsageError for a pipeline that is not there."""
    found: list[Mapping[str, Any]] = []
    looked, place = 0, after
    with answers():
        sagemaker = account.client("sagemaker")
        known = _pipelines(sagemaker, wanted)
        names = tuple(sorted(str(item["PipelineName"]) for item in known))
        for item in _behind(_ordered(sagemaker, known, wanted, after, most), wanted, after):
            if len(found) == most:
                return Browsed(names, tuple(found), place, looked, gave_up=False)
            if looked == MOST_LOOKED:
                return Browsed(names, tuple(found), place, looked, gave_up=True)
            looked += 1
            place = Place(item["StartTime"], str(item["PipelineExecutionArn"]))
            if _is_wanted(item, wanted):
                found.append(_without_secrets(item))
    return Browsed(names, tuple(found), None, looked, gave_up=False)


def _without_secrets(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The name that the service gives where nobody gave one is not looked at: each is another text."""
    own = f"execution-{str(item['PipelineExecutionArn']).rpartition('/')[2]}"
    hidden = {name: hide_text(text) for name in _WRITTEN if (text := item.get(name)) and text != own}
    return {**item, **hidden} if hidden else item


def _is_wanted(item: Mapping[str, Any], wanted: Wanted) -> bool:
    if wanted.statuses and item["PipelineExecutionStatus"] not in wanted.statuses:
        return False
    if not wanted.words:
        return True
    told = (
        str(item["PipelineExecutionArn"]).rpartition("/")[2],
        item.get("PipelineExecutionDisplayName") or "",
        item.get("PipelineExecutionDescription") or "",
    )
    return any(wanted.words.lower() in text.lower() for text in told)


def _behind(ordered: Iterator[Mapping[str, Any]], wanted: Wanted, after: Place | None) -> Iterator[Mapping[str, Any]]:
    """Services round a bound to seconds: what it let through is held against it once more. Those that began in the
    same moment stand in the order of their ARNs."""
    for started, together in groupby(ordered, itemgetter("StartTime")):
        if (wanted.since is not None and started < wanted.since) or (
            wanted.until is not None and started >= wanted.until
        ):
            continue
        for item in sorted(together, key=itemgetter("PipelineExecutionArn")):
            if after is None or _is_behind(started, str(item["PipelineExecutionArn"]), wanted, after):
                yield item


def _is_behind(started: datetime, arn: str, wanted: Wanted, after: Place) -> bool:
    if started == after.started:
        return arn > after.arn
    return started > after.started if wanted.oldest_first else started < after.started


def _ordered(
    sagemaker: Any, known: Sequence[Mapping[str, Any]], wanted: Wanted, after: Place | None, most: int
) -> Iterator[Mapping[str, Any]]:
    """Of all pipelines together. A pipeline is asked when it is its turn: none has one that began after its last, or
    before itself."""
    sign = 1.0 if wanted.oldest_first else -1.0
    heap: list[tuple[float, int, Mapping[str, Any] | None, Iterator[Mapping[str, Any]]]] = []
    for number, (name, bound) in enumerate(_bounds(known, wanted)):
        listed = _listed(sagemaker, name, wanted, after, most)
        heapq.heappush(heap, (sign * bound.timestamp(), number, None, listed))
    while heap:
        _, number, item, rest = heapq.heappop(heap)
        if item is not None:
            yield item
        following = next(rest, None)
        if following is not None:
            heapq.heappush(heap, (sign * following["StartTime"].timestamp(), number, following, rest))


def _pipelines(sagemaker: Any, wanted: Wanted) -> Sequence[Mapping[str, Any]]:
    """All that there are."""
    known = list(items(sagemaker, "list_pipelines", "PipelineSummaries"))
    if wanted.pipeline is not None and not any(item["PipelineName"] == wanted.pipeline for item in known):
        names = sorted(str(item["PipelineName"]) for item in known)
        raise UsageError(f"there is no pipeline {wanted.pipeline!r}{instead(wanted.pipeline, names)}")
    return known


def _bounds(known: Sequence[Mapping[str, Any]], wanted: Wanted) -> Iterator[tuple[str, datetime]]:
    """Names with the last start, or the time from which on they may have any."""
    for item in known:
        if wanted.pipeline in (None, item["PipelineName"]) and item.get("LastExecutionTime"):
            yield str(item["PipelineName"]), _BEFORE_ALL if wanted.oldest_first else item["LastExecutionTime"]


def _page_size(wanted: int) -> int:
    """So many come in as few answers as may be, and hardly one more.

    >>> [_page_size(number) for number in (26, 100, 101, 250)]
    [26, 100, 51, 84]
    """
    times = math.ceil(wanted / _PAGE)
    return math.ceil(wanted / times)


def _listed(sagemaker: Any, name: str, wanted: Wanted, after: Place | None, most: int) -> Iterator[Mapping[str, Any]]:
    begins = [wanted.since, after.started if after is not None and wanted.oldest_first else None]
    ends = [wanted.until, after.started if after is not None and not wanted.oldest_first else None]
    since = max((at for at in begins if at is not None), default=None)
    until = min((at for at in ends if at is not None), default=None)
    picks = bool(wanted.statuses or wanted.words)
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name,
        SortBy="CreationTime",
        SortOrder="Ascending" if wanted.oldest_first else "Descending",
        PaginationConfig={"PageSize": _PAGE if picks else _page_size(most + 1)},
        **({"CreatedAfter": since - _SECOND} if since is not None else {}),
        **({"CreatedBefore": until + _SECOND} if until is not None else {}),
    )
    told = iter(pages)
    while (page := unless_missing(lambda: next(told, None))) is not None:  # it may be deleted meanwhile
        for item in page["PipelineExecutionSummaries"]:
            yield {**item, "PipelineName": name}
