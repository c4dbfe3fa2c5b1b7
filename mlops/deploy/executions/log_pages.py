"""What a step printed, a page at a time and from any place: a log may be larger than anybody wants to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from mlops.account import Account, answers
from mlops.deploy.executions.following import StepState
from mlops.deploy.executions.log_following import streams_of
from mlops.ir import UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass

_LARGEST = 10_000
"""Lines that the service gives at once."""
MOST_SEARCHED = 10
"""Answers of the service that one search reads."""
_PLACE = re.compile(r"(head|(?:from|before|after):[\w/=+-]{1,256})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogPage:
    """``streams`` are one for each host. ``before`` and ``behind`` are places from where to go on, ``here`` is where
    this page itself is found again."""

    stream: str
    streams: tuple[str, ...]
    lines: tuple[str, ...]
    before: str
    behind: str
    here: str


@dataclass(frozen=True, slots=True)
class Match:
    """``number`` is that of the line on the page that stands at ``place``, from 1."""

    place: str
    number: int
    line: str


@dataclass(frozen=True, slots=True)
class Matches:
    """``following`` is from where to search on, None where all was searched."""

    found: tuple[Match, ...] = field(default=())
    following: str | None = None
    searched: int = 0


def log_page(account: Account, step: StepState, stream: str | None, place: str | None, most: int) -> LogPage | None:
    """The last lines where no ``place`` is given, else those at the one that an earlier page told; None where nothing
    was printed. Raises UsageError for a stream that there is not, and for what is no place."""
    if place is not None and not _PLACE.fullmatch(place):
        raise UsageError("that is no place in a log", hint="take the address from a page of the log")
    source = _source(account, step, stream)
    if source is None:
        return None
    kind, _, token = (place or "").partition(":")
    if kind == "from":
        token = str(source.read(token, 1)["nextForwardToken"])  # what stands before it ends where this begins
    reply = source.read(token or None, most, from_head=kind == "head")
    lines = tuple(str(event["message"]).rstrip("\n") for event in reply["events"])
    before = str(reply["nextBackwardToken"])
    return LogPage(
        stream=source.stream,
        streams=source.streams,
        lines=lines,
        before=f"before:{before}",
        behind=f"after:{reply['nextForwardToken']}",
        here=f"from:{before}",
    )


def search(
    account: Account, step: StepState, stream: str | None, words: str, place: str | None, size: int, most: int
) -> Matches:
    """Lines that hold ``words``, in any case, from ``place`` on; each by the page of ``size`` lines that it is on."""
    source = _source(account, step, stream)
    if source is None:
        return Matches()
    if place is not None and not _PLACE.fullmatch(place):
        raise UsageError("that is no place in a log", hint="take the address from a page of the log")
    found: list[Match] = []
    asked, searched = words.lower(), 0
    token = place.partition(":")[2] if place is not None else None
    for _ in range(MOST_SEARCHED * _LARGEST // size):
        reply = source.read(token, size, from_head=token is None)
        here = f"from:{reply['nextBackwardToken']}"
        for number, event in enumerate(reply["events"], 1):
            line = str(event["message"]).rstrip("\n")
            if asked in line.lower():
                found.append(Match(here, number, line))
        searched += len(reply["events"])
        following = str(reply["nextForwardToken"])
        if following == token:  # an empty page may stand before others
            return Matches(tuple(found), None, searched)
        token = following
        if len(found) >= most:
            break
    return Matches(tuple(found), f"after:{token}", searched)


def whole_log(account: Account, step: StepState, stream: str | None) -> Iterator[str]:
    """Line by line; never more of it is held than the service gives at once. Raises UsageError for a stream that there
    is not, before any line."""
    source = _source(account, step, stream)
    return iter(()) if source is None else _all_lines(source)


def _all_lines(source: _Source) -> Iterator[str]:
    token: str | None = None
    while True:
        reply = source.read(token, _LARGEST, from_head=token is None)
        for event in reply["events"]:
            yield str(event["message"]).rstrip("\n")
        following = str(reply["nextForwardToken"])
        if following == token:
            return
        token = following


@dataclass(frozen=True, slots=True)
class _Source:
    client: Any
    group: str
    stream: str
    streams: tuple[str, ...]

    def read(self, token: str | None, limit: int, *, from_head: bool = True) -> Mapping[str, Any]:
        asked = {"logGroupName": self.group, "logStreamName": self.stream, "limit": limit, "startFromHead": from_head}
        with answers():
            reply: Mapping[str, Any] = self.client.get_log_events(**asked, **({"nextToken": token} if token else {}))
        return reply


def _source(account: Account, step: StepState, stream: str | None) -> _Source | None:
    group, begin = step.log_group, step.log_streams(account)
    if group is None or begin is None:
        return None
    client = account.client("logs")
    names = tuple(streams_of(client, group, begin))
    if not names:
        return None
    if stream is not None and stream not in names:
        raise UsageError(f"the step has no log stream {stream!r}{instead(stream, names, 'it has')}")
    return _Source(client, group, stream or names[0], names)
