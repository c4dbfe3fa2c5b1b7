"""Queues and their messages: delivered at least once, hidden from others for a while, gone when they are deleted.

Dead-letter queues, FIFO queues and policies are not there.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.knowledge.this_machine import NO_FIFO, is_fifo

KIND = "Queue"
_DEFAULTS: Mapping[str, str] = {
    "VisibilityTimeout": "30",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "MessageRetentionPeriod": "345600",
    "MaximumMessageSize": "1048576",
}
_LARGEST = 1024 * 1024  # bytes of a message, and of a batch
_MOST = 10  # entries of a batch, messages of one answer
_MOST_LISTED = 1000
_LONGEST_WAIT, _LONGEST_HIDDEN, _LONGEST_DELAY = 20, 43_200, 900
_PAUSE_SECONDS = 0.05
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ENTRY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def create_queue(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["QueueName"]
    if not _NAME.fullmatch(name):
        raise _invalid(
            NO_FIFO
            if is_fifo(name)
            else "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    if (request.get("Attributes") or {}).get("FifoQueue") == "true":
        raise _invalid(NO_FIFO)
    given = _judged(request.get("Attributes") or {})
    existing = resources.find(state, KIND, name)
    if existing is not None:
        if any(existing["Attributes"].get(key) != value for key, value in given.items()):
            raise Refusal("QueueAlreadyExists", "A queue already exists with the same name and a different value")
        return {"QueueUrl": url(state, name)}
    resources.insert(
        state,
        KIND,
        name,
        {"Attributes": {**_DEFAULTS, **given}, "Tags": dict(request.get("tags") or {})},
        taken=Refusal("QueueAlreadyExists", "A queue of that name was made at this moment; ask again"),
    )
    return {"QueueUrl": url(state, name)}


def get_queue_url(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _found(state, request["QueueName"])
    return {"QueueUrl": url(state, request["QueueName"])}


def list_queues(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = state.store.all("SELECT name FROM resource WHERE kind = ? ORDER BY name", KIND)
    names = [row["name"] for row in rows if row["name"].startswith(request.get("QueueNamePrefix") or "")]
    most = _between(request.get("MaxResults"), _MOST_LISTED, 1, _MOST_LISTED, "MaxResults")
    after = request.get("NextToken") or ""
    left = [name for name in names if name > after]
    page = left[:most]
    more = {"NextToken": page[-1]} if len(left) > most else {}
    return {"QueueUrls": [url(state, name) for name in page], **more}


def delete_queue(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM message WHERE queue = ?", (name,))
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (KIND, name))
    return {}


def purge_queue(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    state.store.write("DELETE FROM message WHERE queue = ?", _name(state, request))
    return {}


def get_queue_attributes(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    body, moment = _found(state, name), time.time()
    counted = state.store.one(
        "SELECT SUM(visible <= ?) AS waiting, SUM(visible > ? AND receipt IS NOT NULL) AS taken, "
        "SUM(visible > ? AND receipt IS NULL) AS delayed FROM message WHERE queue = ?",
        moment, moment, moment, name,
    )  # fmt: skip
    known = {
        **body["Attributes"],
        "QueueArn": f"arn:aws:sqs:{state.region}:{ACCOUNT_ID}:{name}",
        "ApproximateNumberOfMessages": str((counted and counted["waiting"]) or 0),
        "ApproximateNumberOfMessagesNotVisible": str((counted and counted["taken"]) or 0),
        "ApproximateNumberOfMessagesDelayed": str((counted and counted["delayed"]) or 0),
    }
    wanted = request.get("AttributeNames") or ()
    unknown = [item for item in wanted if item != "All" and item not in known]
    if unknown:
        raise Refusal("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")
    return {"Attributes": {key: value for key, value in known.items() if "All" in wanted or key in wanted}}


def set_queue_attributes(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    body = _found(state, name)
    attributes = {**body["Attributes"], **_judged(request["Attributes"])}
    resources.replace(state, KIND, name, {**body, "Attributes": attributes})
    return {}


def send_message(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    return _sent(state, name, [request])[0]


def send_message_batch(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, entries = _name(state, request), _entries(request)
    if sum(len(str(entry["MessageBody"]).encode()) for entry in entries) > _LARGEST:
        message = f"Batch requests cannot be longer than {_LARGEST} bytes."
        raise Refusal("AWS.SimpleQueueService.BatchRequestTooLong", message)
    replies = _sent(state, name, entries)
    done = [{"Id": entry["Id"], **reply} for entry, reply in zip(entries, replies, strict=True)]
    return {"Successful": done, "Failed": []}


def receive_message(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    attributes = _found(state, name)["Attributes"]
    most = _between(request.get("MaxNumberOfMessages"), 1, 1, _MOST, "MaxNumberOfMessages")
    hidden = _between(
        request.get("VisibilityTimeout"), int(attributes["VisibilityTimeout"]), 0, _LONGEST_HIDDEN, "VisibilityTimeout"
    )
    wait = _between(
        request.get("WaitTimeSeconds"),
        int(attributes["ReceiveMessageWaitTimeSeconds"]),
        0,
        _LONGEST_WAIT,
        "WaitTimeSeconds",
    )
    deadline = time.monotonic() + wait
    while not (rows := _taken(state, name, most, hidden)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return {"Messages": [_told(row, request) for row in rows]} if rows else {}


def delete_message(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _delete(state, _name(state, request), request["ReceiptHandle"])
    return {}


def delete_message_batch(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    done, failed = [], []
    for entry in _entries(request):
        try:
            _delete(state, name, entry["ReceiptHandle"])
            done.append({"Id": entry["Id"]})
        except Refusal as refusal:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": refusal.code, "Message": refusal.message})
    return {"Successful": done, "Failed": failed}


def change_message_visibility(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(state, request)
    seconds = _between(request["VisibilityTimeout"], 0, 0, _LONGEST_HIDDEN, "VisibilityTimeout")
    moment = time.time()
    changed = state.store.write(
        "UPDATE message SET visible = ? WHERE queue = ? AND receipt = ? AND visible > ?",
        moment + seconds, name, request["ReceiptHandle"], moment,
    )  # fmt: skip
    if not changed:
        raise _not_in_flight(request["ReceiptHandle"])
    return {}


def send(state: State, queue_url: str, body: str) -> None:
    """To ourselves: to the queue of that name, which is made where it is missing. A definition that was written for AWS
    names queues that this account never heard of."""
    name = queue_url.rstrip("/").rpartition("/")[2]
    if resources.find(state, KIND, name) is None:
        create_queue(state, {"QueueName": name})
    _sent(state, name, [{"MessageBody": body}])


def url(state: State, name: str) -> str:
    return f"https://sqs.{state.region}.amazonaws.com/{ACCOUNT_ID}/{name}"


def _sent(state: State, name: str, requests: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    delay = int(_found(state, name)["Attributes"]["DelaySeconds"])
    rows: list[tuple[object, ...]] = []
    replies: list[Mapping[str, Any]] = []
    for request in requests:
        body = request["MessageBody"]
        if not body or _UNSENDABLE.search(body):
            raise Refusal("InvalidMessageContents", "Message must be at least one character of those that XML knows.")
        if len(body.encode()) > _LARGEST:
            raise _invalid(
                f"One or more parameters are invalid. Reason: Message must be shorter than {_LARGEST} bytes."
            )
        later = _between(request.get("DelaySeconds"), delay, 0, _LONGEST_DELAY, "DelaySeconds")
        attributes = {key: dict(value) for key, value in (request.get("MessageAttributes") or {}).items()}
        if any("BinaryValue" in value for value in attributes.values()):
            raise Refusal("AWS.SimpleQueueService.UnsupportedOperation", "Binary attributes are not kept here.")
        id_, moment = str(uuid.uuid4()), time.time()
        rows.append((name, id_, body, json.dumps(attributes), moment, moment + later))
        reply = {"MessageId": id_, "MD5OfMessageBody": _md5(body.encode())}
        replies.append({**reply, "MD5OfMessageAttributes": _md5_of(attributes)} if attributes else reply)
    with state.store.transaction() as connection:
        connection.executemany(
            "INSERT INTO message (queue, id, body, attributes, sent, visible) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    return replies


def _taken(state: State, name: str, most: int, hidden: int) -> list[sqlite3.Row]:
    moment = time.time()
    kept = moment - int(_found(state, name)["Attributes"]["MessageRetentionPeriod"])
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM message WHERE queue = ? AND sent < ?", (name, kept))
        rows = connection.execute(
            "SELECT sequence FROM message WHERE queue = ? AND visible <= ? ORDER BY sequence LIMIT ?",
            (name, moment, most),
        ).fetchall()
        for row in rows:
            connection.execute(
                "UPDATE message SET visible = ?, receipt = ?, received = received + 1, first = COALESCE(first, ?) "
                "WHERE sequence = ?",
                (moment + hidden, secrets.token_urlsafe(32), moment, row["sequence"]),
            )
        return [
            connection.execute("SELECT * FROM message WHERE sequence = ?", (row["sequence"],)).fetchone()
            for row in rows
        ]


def _told(row: sqlite3.Row, request: Mapping[str, Any]) -> Mapping[str, Any]:
    known = {
        "SenderId": ACCOUNT_ID,
        "SentTimestamp": str(int(row["sent"] * 1000)),
        "ApproximateReceiveCount": str(row["received"]),
        "ApproximateFirstReceiveTimestamp": str(int(row["first"] * 1000)),
    }
    wanted = {*(request.get("AttributeNames") or ()), *(request.get("MessageSystemAttributeNames") or ())}
    shown = {key: value for key, value in known.items() if "All" in wanted or key in wanted}
    named = tuple(request.get("MessageAttributeNames") or ())
    attributes = {
        key: value
        for key, value in json.loads(row["attributes"]).items()
        if any(name in ("All", ".*", key) or (name.endswith(".*") and key.startswith(name[:-1])) for name in named)
    }
    return {
        "MessageId": row["id"],
        "ReceiptHandle": row["receipt"],
        "Body": row["body"],
        "MD5OfBody": _md5(row["body"].encode()),
        **({"Attributes": shown} if shown else {}),
        **({"MessageAttributes": attributes, "MD5OfMessageAttributes": _md5_of(attributes)} if attributes else {}),
    }


def _delete(state: State, name: str, receipt: str) -> None:
    """A handle of an earlier delivery deletes nothing, as on the service; one that never was is refused."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", receipt):
        raise Refusal(
            "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt[:100]}" is not a valid receipt handle.'
        )
    state.store.write("DELETE FROM message WHERE queue = ? AND receipt = ?", name, receipt)


def _entries(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = [*request["Entries"]]
    ids = [entry["Id"] for entry in entries]
    prefix = "AWS.SimpleQueueService."
    if not entries:
        raise Refusal(f"{prefix}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _MOST:
        message = f"Maximum number of entries per request are {_MOST}. You have sent {len(entries)}."
        raise Refusal(f"{prefix}TooManyEntriesInBatchRequest", message)
    if len(set(ids)) != len(ids):
        raise Refusal(f"{prefix}BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
    if not all(_ENTRY.fullmatch(id_) for id_ in ids):
        raise Refusal(f"{prefix}InvalidBatchEntryId", "The Id of a batch entry has letters, digits, - and _, 1 to 80.")
    return entries


def _judged(attributes: Mapping[str, str]) -> Mapping[str, str]:
    ranges = {
        "VisibilityTimeout": (0, _LONGEST_HIDDEN),
        "DelaySeconds": (0, _LONGEST_DELAY),
        "ReceiveMessageWaitTimeSeconds": (0, _LONGEST_WAIT),
        "MessageRetentionPeriod": (60, 1_209_600),
        "MaximumMessageSize": (1024, _LARGEST),
    }
    for name, value in attributes.items():
        if name not in ranges:
            raise Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
        low, high = ranges[name]
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise Refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")
    return attributes


def _between(value: Any, default: int, low: int, high: int, name: str) -> int:
    found = default if value is None else int(value)
    if not low <= found <= high:
        raise _invalid(f"Value {found} for parameter {name} is invalid. Reason: Must be between {low} and {high}.")
    return found


def _name(state: State, request: Mapping[str, Any]) -> str:
    name = str(request["QueueUrl"]).rstrip("/").rpartition("/")[2]
    _found(state, name)
    return name


def _found(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise Refusal("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    return body


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _md5_of(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """As clients check it: of name, type and text, each with its length, in the order of the names."""
    parts: list[bytes] = []

    def take(texts: Iterable[str]) -> None:
        for text in texts:
            raw = text.encode()
            parts.extend((len(raw).to_bytes(4, "big"), raw))

    for name in sorted(attributes):
        take((name, str(attributes[name]["DataType"])))
        parts.append(b"\x01")
        take((str(attributes[name].get("StringValue", "")),))
    return _md5(b"".join(parts))


def _not_in_flight(receipt: str) -> Refusal:
    message = f"Value {receipt[:100]} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
    return Refusal("AWS.SimpleQueueService.MessageNotInflight", f"{message}available for visibility timeout change.")


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)


OPERATIONS = {
    "CreateQueue": create_queue,
    "GetQueueUrl": get_queue_url,
    "ListQueues": list_queues,
    "DeleteQueue": delete_queue,
    "PurgeQueue": purge_queue,
    "GetQueueAttributes": get_queue_attributes,
    "SetQueueAttributes": set_queue_attributes,
    "SendMessage": send_message,
    "SendMessageBatch": send_message_batch,
    "ReceiveMessage": receive_message,
    "DeleteMessage": delete_message,
    "DeleteMessageBatch": delete_message_batch,
    "ChangeMessageVisibility": change_message_visibility,
}
