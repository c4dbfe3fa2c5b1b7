"""Records: accepted when they lie in the spool of their stream, refused in the service's words."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.account.local import ownership
from mlops.account.local.delivery.deliverer import SPOOL, record_id
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.firehose import streams
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State
from mlops.ir import full_disk
from mlops.project.spool import Spool

LARGEST_RECORD = 1000 * 1024
LARGEST_BATCH = 4 * 1024 * 1024
_BUSY = ("ServiceUnavailableException", "Slow down.")


def put_record(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, records = request["DeliveryStreamName"], _sized([request["Record"]], "Record.Data")
    body, share = _open(state, name)
    if share and random.random() < share:  # noqa: S311 - as often as the tag says
        raise Refusal(*_BUSY, 503)
    return {"RecordId": _accepted(state, name, body, records)[0], "Encrypted": bool(body.get("Encryption"))}


def put_record_batch(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refused whole, or accepted with what failed of it, in the order of the request."""
    name, records = request["DeliveryStreamName"], _sized(request["Records"], "Records.{}.member.Data")
    if sum(map(len, records)) > LARGEST_BATCH:
        raise streams.invalid("Records size exceeds 4 MB limit")
    body, share = _open(state, name)
    kept = [not share or random.random() >= share for _ in records]  # noqa: S311
    good = [record for record, keep in zip(records, kept, strict=True) if keep]
    ids = iter(_accepted(state, name, body, good) if good else ())
    failed = {"ErrorCode": _BUSY[0], "ErrorMessage": _BUSY[1]}
    return {
        "FailedPutCount": len(records) - len(good),
        "Encrypted": bool(body.get("Encryption")),
        "RequestResponses": [{"RecordId": next(ids)} if keep else failed for keep in kept],
    }


def _open(state: State, name: str) -> tuple[Mapping[str, Any], float]:
    """The stream, and how large a part of its records is to fail."""
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", streams.KIND, name)
    if row is None or row["status"] != streams.ACTIVE:
        raise Refusal("ResourceNotFoundException", f"Firehose {name} under account {ACCOUNT_ID} not found.")
    share = state.store.one(
        "SELECT value FROM tag WHERE arn = ? AND key = ?", streams.stream_arn(state, name), streams.FAIL_SHARE
    )
    return resources.body_of(row), float(share["value"]) if share is not None else 0.0


def _accepted(state: State, name: str, body: Mapping[str, Any], records: Sequence[bytes]) -> list[str]:
    kept = streams.kept_in(state, name, body["Incarnation"])
    try:
        place = Spool(kept / SPOOL).append(records, int(time.time() * 1000))
    except OSError as error:
        # Whoever put them keeps them, and puts them again.
        told = full_disk.told(state.folder) if full_disk.is_full(error) else str(error.strerror or error)
        raise Refusal(_BUSY[0], f"{_BUSY[1]} ({told})", 503) from None
    if not ownership.owned(streams.folder_of(state, name)):
        streams.start(state, name)
    block = record_id(body["Incarnation"].replace("-", ""), place)
    return [f"{block}{number:03x}" for number in range(len(records))]


def _sized(given: Sequence[Mapping[str, Any]], at: str) -> list[bytes]:
    records, wrong = [], []
    for number, record in enumerate(given, 1):
        data = record["Data"]
        held = data if isinstance(data, bytes) else _bytes(data)
        records.append(held)
        if len(held) > LARGEST_RECORD:
            where = at.format(number)
            wrong.append(
                f"Value at '{where}' failed to satisfy constraint: Member must have length less than or equal to "
                f"{LARGEST_RECORD}"
            )
    if wrong:
        count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
        raise Refusal("ValidationException", f"{count}: {'; '.join(wrong)}")
    return records


def _bytes(data: Any) -> bytes:
    if isinstance(data, str):
        return data.encode()
    return bytes(data.read() if hasattr(data, "read") else data)


OPERATIONS = {"PutRecord": put_record, "PutRecordBatch": put_record_batch}
