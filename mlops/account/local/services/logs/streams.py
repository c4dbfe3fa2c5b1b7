"""CloudWatch Logs over the files that steps and model servers write.

A file knows no time per line: every line of a stream carries the time at which its step started.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.lambda_ import functions
from mlops.account.local.services.logs.reading import Page, backward, each_line, forward
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.settling import ALIVE
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.check.job_kinds import by_log_group, kinds_here
from mlops.ir.dataclass import dataclass
from mlops.ir.function_arn import LOG_GROUPS, function_name
from mlops.run.work import job_name

_ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"
_COMPONENT_GROUP = "/aws/sagemaker/InferenceComponents/"
_PAGE = 10_000
_TOKEN = re.compile(r"([fb])/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Stream:
    name: str
    file: Path
    started: int
    """Milliseconds since 1970."""
    ended: bool
    """Nothing is written to it any more."""

    @property
    def written(self) -> int:
        return int(self.file.stat().st_mtime * 1000) if self.file.exists() else self.started


def describe_log_groups(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    names = [kind.log_group for kind in kinds_here() if kind.log_group is not None]
    names += [
        f"{group}{row['name']}"
        for kind, group in ((endpoints.KIND, _ENDPOINT_GROUP), (endpoints.COMPONENT, _COMPONENT_GROUP))
        for row in state.store.all("SELECT name FROM resource WHERE kind = ?", kind)
    ]
    names += [f"{LOG_GROUPS}{name}" for name in {*functions.names(state), *_called(state)}]
    prefix, pattern = request.get("logGroupNamePrefix") or "", request.get("logGroupNamePattern") or ""
    return {
        "logGroups": [
            {"logGroupName": name, "arn": _arn(state, name), "storedBytes": 0}
            for name in sorted(names)
            if name.startswith(prefix) and pattern in name
        ]
    }


def describe_log_streams(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group = group_of(request)
    prefix = request.get("logStreamNamePrefix") or ""
    found = sorted(streams_of(state, group, prefix), key=lambda stream: stream.name)
    if request.get("orderBy") == "LastEventTime":
        found.sort(key=lambda stream: stream.started)
    if request.get("descending"):
        found.reverse()
    start = _offset(request)
    limit = request.get("limit") or 50
    return {
        "logStreams": [
            {
                "logStreamName": stream.name,
                "creationTime": stream.started,
                "firstEventTimestamp": stream.started,
                "lastEventTimestamp": stream.started,
                "lastIngestionTime": stream.written,
                "arn": f"{_arn(state, group)}:log-stream:{stream.name}",
            }
            for stream in found[start : start + limit]
        ],
        "nextToken": f"f/{start + limit}" if len(found) > start + limit else None,
    }


def get_log_events(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tokens are places, so a caller who comes back with ``nextForwardToken`` gets what was written since. Where that
    was taken out meanwhile, the line that tells of it comes first."""
    group, name = group_of(request), request["logStreamName"]
    stream = next((item for item in streams_of(state, group, name) if item.name == name), None)
    if stream is None:
        raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
    token = _TOKEN.fullmatch(request["nextToken"]) if request.get("nextToken") else None
    if request.get("nextToken") and token is None:
        raise Refusal("InvalidParameterException", "The specified nextToken is invalid.")
    limit, place = request.get("limit") or _PAGE, int(token[2]) if token is not None else None
    if not _within(request, stream.started):
        page = Page()
    elif token is not None and token[1] == "b":
        page = backward(stream.file, place, limit, ended=stream.ended)
    elif token is not None or request.get("startFromHead"):
        page = forward(stream.file, place or 0, limit, ended=stream.ended)
    else:
        page = backward(stream.file, None, limit, ended=stream.ended)
    started, written = stream.started, stream.written  # the file is asked once, not for each line
    return {
        "events": [{"timestamp": started, "message": line, "ingestionTime": written} for line in page.lines],
        "nextForwardToken": f"f/{page.end}",
        "nextBackwardToken": f"b/{page.begin}",
    }


def filter_log_events(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group = group_of(request)
    names = request.get("logStreamNames")
    found = [
        stream
        for stream in streams_of(state, group, request.get("logStreamNamePrefix") or "")
        if (names is None or stream.name in names) and _within(request, stream.started)
    ]
    found.sort(key=lambda stream: (stream.started, stream.name))
    wanted = words(request.get("filterPattern") or "")
    start, limit = _offset(request), min(request.get("limit") or _PAGE, _PAGE)
    events: list[dict[str, Any]] = []
    number = -1
    for stream in found:
        written = stream.written
        for index, line in enumerate(each_line(stream.file, ended=stream.ended)):
            if not all(word in line for word in wanted):
                continue
            number += 1
            if number < start:
                continue
            if len(events) == limit:
                return {"events": events, "searchedLogStreams": [], "nextToken": f"f/{start + limit}"}
            events.append(
                {
                    "logStreamName": stream.name,
                    "timestamp": stream.started,
                    "message": line,
                    "ingestionTime": written,
                    "eventId": f"{stream.started}-{stream.name}-{index:010d}",
                }
            )
    return {"events": events, "searchedLogStreams": []}


def group_of(request: Mapping[str, Any]) -> str:
    given = request.get("logGroupName") or request.get("logGroupIdentifier") or ""
    name = str(given.rpartition(":log-group:")[2].removesuffix(":*"))
    if by_log_group(name) is None and not name.startswith((_ENDPOINT_GROUP, _COMPONENT_GROUP, LOG_GROUPS)):
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    return name


def streams_of(state: State, group: str, prefix: str = "") -> Iterator[Stream]:
    kind = by_log_group(group)
    if kind is not None:
        yield from _job_streams(state, kind.name, prefix)
    elif group.startswith(LOG_GROUPS):
        yield from _function_streams(state, group.removeprefix(LOG_GROUPS), prefix)
    elif group.startswith(_COMPONENT_GROUP):
        yield from _component_streams(state, group.removeprefix(_COMPONENT_GROUP), prefix)
    else:
        yield from _endpoint_streams(state, group.removeprefix(_ENDPOINT_GROUP), prefix)


def _job_streams(state: State, kind: str, prefix: str) -> Iterator[Stream]:
    # The range makes use of the index; U+FFFF sorts behind what a job's name can hold.
    asked = prefix.partition("/")[0]
    start = f"{kind}/{asked}"
    rows = state.store.all(
        "SELECT job, log, started, ended FROM step WHERE job >= ? AND job < ? AND log IS NOT NULL",
        start,
        f"{start}\uffff",
    )
    found = [(row["job"].partition("/")[2], Path(row["log"]), row["started"], row["ended"] is not None) for row in rows]
    for job, log, began, ended in (*found, *_other_jobs(state, kind, asked)):
        started = _milliseconds(began)
        others = sorted(log.parent.glob(f"{log.stem}-algo-*.txt"))
        for host, file in (("algo-1", log), *((file.stem.removeprefix(f"{log.stem}-"), file) for file in others)):
            name = f"{job}/{host}-{started // 1000}"
            if name.startswith(prefix):
                yield Stream(name, file, started, ended)


def _other_jobs(state: State, kind: str, name: str) -> Iterator[tuple[str, Path, str, bool]]:
    """Name, log, start and whether it has ended, of those that no step stands for."""
    for row in state.store.all(
        "SELECT job.name, log, created, status FROM job JOIN resource ON resource.kind = job.kind "
        "AND resource.name = job.name WHERE job.kind = ? AND job.name >= ? AND job.name < ? AND log IS NOT NULL",
        kind,
        name,
        f"{name}\uffff",
    ):
        yield row["name"], Path(row["log"]), row["created"], row["status"] not in ALIVE


def _endpoint_streams(state: State, endpoint: str, prefix: str) -> Iterator[Stream]:
    row = _resource(state, endpoints.KIND, endpoint)
    for file in sorted((state.endpoint_folder(endpoint) / endpoints.LOG_FOLDER).glob("*/*.txt")):
        name = f"{file.parent.name}/{file.stem}"
        if name.startswith(prefix):
            yield Stream(name, file, _milliseconds(row["created"]), row["status"] not in endpoints.ALIVE)


def _component_streams(state: State, component: str, prefix: str) -> Iterator[Stream]:
    """One of each copy, on the variant that it is on."""
    row = _resource(state, endpoints.COMPONENT, component)
    body = json.loads(row["body"])
    folder = state.endpoint_folder(body["EndpointName"]) / endpoints.LOG_FOLDER / "component" / component
    for file in sorted(folder.glob("*.txt")):
        name = f"{body['VariantName']}/{file.stem}"
        if name.startswith(prefix):
            yield Stream(name, file, _milliseconds(row["created"]), row["status"] not in endpoints.ALIVE)


def _resource(state: State, kind: str, name: str) -> sqlite3.Row:
    row = state.store.one("SELECT created, status, body FROM resource WHERE kind = ? AND name = ?", kind, name)
    if row is None:
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    return row


def _function_streams(state: State, function: str, prefix: str) -> Iterator[Stream]:
    """One of each call by a step. A call by a client has its log in its answer alone (LogType)."""
    found = _called(state).get(function)
    if found is None and function not in functions.names(state):
        raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
    for stream in found or ():
        if stream.name.startswith(prefix):
            yield stream


def _called(state: State) -> Mapping[str, Sequence[Stream]]:
    """The calls of functions by steps, by the functions' names; also of those that are not there any more."""
    found: dict[str, list[Stream]] = {}
    for row in state.store.all(
        "SELECT execution, name, attempt, log, started, ended, metadata FROM step "
        "WHERE type = 'Lambda' AND log IS NOT NULL"
    ):
        arn = json.loads(row["metadata"]).get("Lambda", {}).get("Arn")
        if arn is not None:
            name = job_name(row["execution"], row["name"], row["attempt"])
            stream = Stream(name, Path(row["log"]), _milliseconds(row["started"]), row["ended"] is not None)
            found.setdefault(function_name(arn), []).append(stream)
    return found


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def _within(request: Mapping[str, Any], time: int) -> bool:
    return (request.get("startTime") or 0) <= time and (
        request.get("endTime") is None or time < int(request["endTime"])
    )


def _offset(request: Mapping[str, Any]) -> int:
    if not request.get("nextToken"):
        return 0
    found = _TOKEN.fullmatch(request["nextToken"])
    if found is None:
        raise Refusal("InvalidParameterException", "The specified nextToken is invalid.")
    return int(found[2])


def words(pattern: str) -> list[str]:
    """The plain form of a filter pattern: every term must occur. The JSON and column forms are not read here.

    >>> words('"out of memory" rank')
    ['out of memory', 'rank']
    """
    if pattern.startswith(("{", "[", "%")):
        raise Refusal("InvalidParameterException", "The local account reads filter patterns of plain terms only.")
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', pattern)]


def _arn(state: State, group: str) -> str:
    return f"arn:aws:logs:{state.region}:{ACCOUNT_ID}:log-group:{group}:*"


OPERATIONS = {
    "DescribeLogGroups": describe_log_groups,
    "DescribeLogStreams": describe_log_streams,
    "FilterLogEvents": filter_log_events,
    "GetLogEvents": get_log_events,
}
