"""What jobs, functions and servers printed, line by line, with the ids of what printed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import describe, listed
from mlops.deploy.pages import items
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import KeyHiding
from mlops.ir.log_fields import Source

MOST_EXECUTIONS = 200
"""That are asked for, the newest."""
MOST_LINES = 100_000
"""Of one job or endpoint, the first."""
_ENDPOINTS = "/aws/sagemaker/Endpoints/"


@dataclass(frozen=True, slots=True)
class LogLine:
    """``event`` is the id that CloudWatch Logs gives it, ``number`` its place in the stream. In the local account all
    lines of a stream have the time at which its step or its endpoint was begun. What looks like a secret is hidden."""

    time: datetime
    group: str
    stream: str
    event: str
    number: int
    text: str
    ids: Mapping[str, str]


def log_lines(account: Account, sources: Sequence[Source], since: datetime) -> Iterator[LogLine]:
    """Raises AccountError."""
    if "steps" in sources:
        yield from _of_steps(account, since)
    if "endpoints" in sources:
        yield from _of_endpoints(account, since)


def _of_steps(account: Account, since: datetime) -> Iterator[LogLine]:
    for summary in listed(account, None, MOST_EXECUTIONS):
        if summary["StartTime"].astimezone(UTC) < since:
            return
        state = describe(account, str(summary["PipelineExecutionArn"]))
        for step in state.steps:
            group, begin = step.log_group, step.log_streams(account)
            if group is None or begin is None:
                continue
            ids = {"pipeline": state.pipeline, "execution": state.id, "step": step.name}
            if step.job is not None:
                ids["job"] = step.job
            yield from _lines(account, group, begin, None, ids)


def _of_endpoints(account: Account, since: datetime) -> Iterator[LogLine]:
    with answers():
        names = [
            str(item["EndpointName"]) for item in items(account.client("sagemaker"), "list_endpoints", "Endpoints")
        ]
    for name in names:
        # A line of the local account is as old as its endpoint.
        begin = since if account.here is None else None
        for line in _lines(account, f"{_ENDPOINTS}{name}", "", begin, {"endpoint": name}):
            variant = line.stream.partition("/")[0]
            yield LogLine(
                line.time, line.group, line.stream, line.event, line.number, line.text, {**line.ids, "variant": variant}
            )


def _lines(
    account: Account, group: str, begin: str, since: datetime | None, ids: Mapping[str, str]
) -> Iterator[LogLine]:
    numbers: Counter[str] = Counter()
    keys: dict[str, KeyHiding] = {}
    for event in _events(account.client("logs"), group, begin, since):
        stream = str(event["logStreamName"])
        text = keys.setdefault(stream, KeyHiding()).line(str(event["message"]).rstrip("\r\n"))
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        yield LogLine(at, group, stream, str(event["eventId"]), numbers[stream], text, ids)
        numbers[stream] += 1


def _events(client: Any, group: str, begin: str, since: datetime | None) -> Iterator[Mapping[str, Any]]:
    asked: dict[str, Any] = {"logGroupName": group}
    if begin:
        asked["logStreamNamePrefix"] = begin
    if since is not None:
        asked["startTime"] = int(since.timestamp() * 1000)
    count = 0
    while count < MOST_LINES:
        with answers():
            reply = unless_missing(partial(client.filter_log_events, **asked)) or {"events": ()}
        found = reply["events"][: MOST_LINES - count]
        yield from found
        count += len(found)
        if not reply.get("nextToken"):
            return
        asked["nextToken"] = reply["nextToken"]
