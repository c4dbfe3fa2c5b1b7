"""What an endpoint captured, put into the streams that take it: those that carry the tag with its name."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence

from mlops.account.local.answering import answer_fitting
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State
from mlops.knowledge.streams.names import CAPTURES

_BATCH, _BYTES = 100, 1024 * 1024
"""A record of a stream has so many bytes at most. Few at a time: the loop that serves wants the interpreter."""
_LARGEST = 1000 * 1024
_TRIES = 3
_log = logging.getLogger("mlops.runner")


class Streams:
    """Asked by one thread, which nobody waits for. ``lost`` are lines that no stream of those took, each for itself."""

    def __init__(self, state: State, endpoint: str) -> None:
        self._state = state
        self._endpoint = endpoint
        self.lost = 0

    def put(self, lines: Sequence[str]) -> None:
        """Into each of them."""
        for stream in self._streams():
            lost = sum(self._batch(stream, batch) for batch in _batches(lines))
            if lost:
                self.lost += lost
                _log.warning(
                    "endpoint %s: the stream %s did not take %d captured requests, %d since this process began",
                    self._endpoint, stream, lost, self.lost,
                )  # fmt: skip

    def _streams(self) -> list[str]:
        rows = self._state.store.all("SELECT arn FROM tag WHERE key = ? AND value = ?", CAPTURES, self._endpoint)
        return sorted(str(row["arn"]).rpartition("/")[2] for row in rows if ":deliverystream/" in row["arn"])

    def _batch(self, stream: str, batch: Sequence[bytes]) -> int:
        """How many of them were not taken."""
        left = [record for record in batch if len(record) <= _LARGEST]
        large = len(batch) - len(left)
        for _ in range(_TRIES):
            if not left:
                break
            time.sleep(0)
            try:
                reply = answer_fitting(
                    self._state,
                    "firehose",
                    "PutRecordBatch",
                    {"DeliveryStreamName": stream, "Records": [{"Data": record} for record in left]},
                )
            except Refusal:
                continue
            told = reply["RequestResponses"]
            left = [record for record, item in zip(left, told, strict=True) if item.get("ErrorCode")]
        return large + len(left)


def _batches(lines: Sequence[str]) -> Iterator[list[bytes]]:
    batch, size = list[bytes](), 0
    for line in lines:
        record = line.encode()
        if batch and (len(batch) == _BATCH or size + len(record) > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch
