"""What the size of a request does, measured: records as large as a stream's are put by the publisher into a stream of a
local account that is made for it and goes again. Nothing is put into any other."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.services.firehose import streams
from mlops.deploy.streams.publisher import LARGEST_BATCH, LARGEST_RECORD, MOST_RECORDS, Publisher
from mlops.ir.dataclass import dataclass

SIZES = (1, 10, 50, 100, 250, MOST_RECORDS)
_REQUESTS, _LEAST_RECORDS = 10, 100
_BYTES = 64 * 1024 * 1024
"""At most, of one size of a request."""
_ATTEMPTS = 100
"""However many fail: all are taken in the end."""
_NAME, _BUCKET = "measured", "mlops-measured"


@dataclass(frozen=True, slots=True)
class Measured:
    """Of requests of up to ``batch`` records: ``milliseconds`` is the median of one, ``again`` how many of ``records``
    were sent another time."""

    batch: int
    records: int
    requests: int
    milliseconds: float
    records_per_second: float
    again: int


def measured(size: int, failing: float) -> Iterator[Measured]:
    """``size`` in bytes, of a record; ``failing`` is the share of records that is refused at first."""
    with tempfile.TemporaryDirectory(prefix="mlops-measured-") as folder:
        account = LocalAccount(Path(folder) / ".mlops", "us-east-1")
        account.ensure_bucket(_BUCKET)
        client = account.client("firehose")
        client.create_delivery_stream(
            DeliveryStreamName=_NAME,
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/measured",
                "BucketARN": f"arn:aws:s3:::{_BUCKET}",
            },
            Tags=[{"Key": streams.FAIL_SHARE, "Value": f"{failing:.9f}"}],
        )
        # Who holds its lock delivers: no process is started.
        lock = ownership.take(streams.folder_of(account.state, _NAME))
        try:
            for batch in SIZES:
                if batch == 1 or batch * size <= LARGEST_BATCH:
                    yield _of_batch(client, batch, min(size, LARGEST_RECORD))
        finally:
            if lock is not None:
                os.close(lock)


class _Timed:
    def __init__(self, client: Any) -> None:
        self._client = client
        self.seconds: list[float] = []

    def put_record_batch(self, **request: Any) -> Any:
        begun = time.perf_counter()
        try:
            return self._client.put_record_batch(**request)
        finally:
            self.seconds.append(time.perf_counter() - begun)


def _of_batch(client: Any, batch: int, size: int) -> Measured:
    timed, record = _Timed(client), b"x" * size
    count = max(min(max(_LEAST_RECORDS, _REQUESTS * batch), _BYTES // size), batch)
    begun = time.perf_counter()
    # Requests are measured, and not the pauses between attempts.
    publisher = Publisher(timed, _NAME, batch=batch, attempts=_ATTEMPTS, sleep=lambda seconds: None)
    for _ in range(count):
        publisher.put_bytes(record)
    told = publisher.flush()
    spent = max(time.perf_counter() - begun, 1e-9)
    return Measured(batch, count, told.requests, statistics.median(timed.seconds) * 1000, count / spent, told.again)
