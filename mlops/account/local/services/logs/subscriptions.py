"""Subscriptions of streams to log groups: what is written after one is made goes to its stream, a gzipped envelope of
many lines each. The clock reads, and notes how far it is.

Source: "Real-time processing of log data with subscriptions" of the guide to CloudWatch Logs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.account.local import clock
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.firehose import records
from mlops.account.local.services.firehose import streams as fed
from mlops.account.local.services.logs import streams
from mlops.account.local.services.logs.reading import backward, forward
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND = "LogSubscription"
_MOST = 2
"""Of one group."""
_LINES, _BYTES = 1000, 512 * 1024
"""Of one envelope, before it is compressed: noise does not become smaller, and a record is 1,000 KiB at most."""
_PAGES = 100
"""Of one stream of a group at one look: alarms and schedules have their turn, however much is written."""
_LONGEST = 256 * 1024
"""Of a line: what the service took for one event for most of its life."""
_FIREHOSE = ":firehose:"
_PLACES, _REFUSED = "Places", "Refused"


def create_log_group(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Groups are of what runs, and there before it does; nobody writes to another."""
    streams.group_of(request)
    raise Refusal("ResourceAlreadyExistsException", "The specified log group already exists")


def put_subscription_filter(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Made when the stream took a message to see whether it does."""
    group, name = streams.group_of(request), request["filterName"]
    arn = request["destinationArn"]
    if _FIREHOSE not in arn:
        raise _invalid(f"The local account subscribes streams of Data Firehose to logs, and not {arn}.")
    streams.words(request["filterPattern"])
    key = f"{group}:{name}"
    _need_room(state, group, name)
    try:
        _put(state, arn, _control())
    except Refusal as refusal:
        raise _invalid(
            "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in "
            f"ACTIVE state. ({refusal.message})"
        ) from None
    asked = {
        "logGroupName": group,
        "filterName": name,
        "filterPattern": request["filterPattern"],
        "destinationArn": arn,
        "roleArn": request.get("roleArn"),
        "distribution": request.get("distribution") or "ByLogStream",
    }
    with state.store.transaction():
        _need_room(state, group, name)
        before = resources.find(state, KIND, key)
        if before is not None:
            resources.replace(state, KIND, key, {**before, **asked})
        else:
            taken = Refusal("OperationAbortedException", "A conflicting operation is currently in progress.")
            made = {"creationTime": int(time.time() * 1000), _PLACES: _ends(state, group)}
            resources.insert(state, KIND, key, {**asked, **made}, taken=taken)
    clock.wake(state)
    return {}


def describe_subscription_filters(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    group, prefix = streams.group_of(request), request.get("filterNamePrefix") or ""
    found = [body for body in _of_group(state, group) if body["filterName"].startswith(prefix)]
    return {"subscriptionFilters": [{m: v for m, v in body.items() if m not in (_PLACES, _REFUSED)} for body in found]}


def delete_subscription_filter(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    key = f"{streams.group_of(request)}:{request['filterName']}"
    with state.store.transaction():
        if resources.find(state, KIND, key) is None:
            raise Refusal("ResourceNotFoundException", "The specified subscription filter does not exist.")
        state.store.write("DELETE FROM resource WHERE kind = ? AND name = ?", KIND, key)
    return {}


def subscribed(state: State) -> bool:
    return state.store.one("SELECT 1 FROM resource WHERE kind = ? LIMIT 1", KIND) is not None


def deliver_logs(state: State) -> bool:
    """What was written since, into the streams that subscribed. Whether it is to be looked at again though nobody
    writes to the store: something still runs, or a stream takes nothing. Who is killed between putting and noting puts
    it twice, with the same ids."""
    again = False
    for row in state.store.all("SELECT name, body FROM resource WHERE kind = ? ORDER BY name", KIND):
        body = json.loads(row["body"])
        try:
            found = [*streams.streams_of(state, body["logGroupName"])]
        except Refusal:
            continue  # its group is gone, and may come back
        places = {stream.name: int(body[_PLACES].get(stream.name, 0)) for stream in found}
        refused = None
        try:
            for stream in found:
                again = again or not stream.ended
                for pages, place in enumerate(_taken(state, body, stream, places[stream.name]), 1):
                    places[stream.name] = place
                    if pages == _PAGES:
                        again = True
                        break
        except Refusal as refusal:
            again, refused = True, f"{refusal.code}: {refusal.message}"
        if places != body[_PLACES] or refused != body.get(_REFUSED):
            _note(state, row["name"], places, refused)
    return again


def _taken(state: State, body: Mapping[str, Any], stream: streams.Stream, place: int) -> Iterator[int]:
    """How far its lines were put, after each page. Raises Refusal where the stream does not take them."""
    wanted = streams.words(body["filterPattern"])
    while True:
        page = forward(stream.file, place, _LINES, ended=stream.ended)
        if not page.lines:
            return
        kept = [
            (number, line) for number, line in enumerate(page.lines) if line and all(word in line for word in wanted)
        ]
        for part in _parts(kept):
            events = [_event(stream, f"{place}/{number}", line) for number, line in part]
            _put(state, body["destinationArn"], _envelope(body, stream, events))
        place = page.end
        yield place


def _parts(lines: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    part, size = list[tuple[int, str]](), 0
    for number, line in lines:
        cut = line.encode()[:_LONGEST].decode(errors="ignore")
        if part and size + len(cut.encode()) > _BYTES:
            yield part
            part, size = [], 0
        part.append((number, cut))
        size += len(cut.encode())
    if part:
        yield part


def _event(stream: streams.Stream, place: str, line: str) -> dict[str, Any]:
    """Its id is the same whenever it is put."""
    digest = hashlib.sha256(f"{stream.name} {stream.started} {place}".encode()).hexdigest()
    return {"id": f"{int(digest, 16) % 10**56:056}", "timestamp": stream.started, "message": line}


def _envelope(body: Mapping[str, Any], stream: streams.Stream, events: Sequence[Mapping[str, Any]]) -> bytes:
    return _packed("DATA_MESSAGE", ACCOUNT_ID, body["logGroupName"], stream.name, [body["filterName"]], events)


def _control() -> bytes:
    message = "CWL CONTROL MESSAGE: Checking health of destination Firehose."
    event = {"id": "", "timestamp": int(time.time() * 1000), "message": message}
    return _packed("CONTROL_MESSAGE", "CloudwatchLogs", "", "", [], [event])


def _packed(
    kind: str, owner: str, group: str, stream: str, filters: Sequence[str], events: Sequence[Mapping[str, Any]]
) -> bytes:
    told = {
        "messageType": kind,
        "owner": owner,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": filters,
        "logEvents": events,
    }
    return gzip.compress(json.dumps(told, ensure_ascii=False).encode(), mtime=0)


def _put(state: State, arn: str, record: bytes) -> None:
    records.put_record(state, {"DeliveryStreamName": arn.rpartition("/")[2], "Record": {"Data": record}})


def _of_group(state: State, group: str) -> list[dict[str, Any]]:
    rows = state.store.all(
        "SELECT body FROM resource WHERE kind = ? AND substr(name, 1, ?) = ? ORDER BY name",
        KIND,
        len(group) + 1,
        f"{group}:",
    )
    return [json.loads(row["body"]) for row in rows]


def _need_room(state: State, group: str, name: str) -> None:
    if sum(body["filterName"] != name for body in _of_group(state, group)) >= _MOST:
        raise Refusal("LimitExceededException", "Resource limit exceeded.")


def _ends(state: State, group: str) -> dict[str, int]:
    """Where the streams of a group end: what was written before is not put. Whose group it is may not be there yet."""
    try:
        found = [*streams.streams_of(state, group)]
    except Refusal:
        return {}
    return {stream.name: backward(stream.file, None, 0, ended=stream.ended).end for stream in found}


def _note(state: State, key: str, places: Mapping[str, int], refused: str | None) -> None:
    """That a stream takes nothing is told once, until it does again."""
    with state.store.transaction():
        there = resources.find(state, KIND, key)
        if there is None:
            return
        resources.replace(state, KIND, key, {**there, _PLACES: places, _REFUSED: refused})
        if refused is not None and refused != there.get(_REFUSED):
            name = str(there["destinationArn"]).rpartition("/")[2]
            fed.tell(state, name, "unfed", {"reason": f"{there['logGroupName']}: {refused}"})


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)


OPERATIONS = {
    "CreateLogGroup": create_log_group,
    "DeleteSubscriptionFilter": delete_subscription_filter,
    "DescribeSubscriptionFilters": describe_subscription_filters,
    "PutSubscriptionFilter": put_subscription_filter,
}
