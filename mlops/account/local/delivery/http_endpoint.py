"""The requests of an HTTP endpoint destination, and what an answer to one means.

Source: "Understand HTTP endpoint delivery request and response specifications" of Data Firehose's guide.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlops.account.local.delivery.record import Failed, Record
from mlops.account.local.delivery.sending import Answer, Attempt, Post, place
from mlops.account.local.delivery.settings import Endpoint
from mlops.ir.dataclass import dataclass
from mlops.knowledge.streams.names import HTTP_FAILED

MOST_RECORDS = 10_000
_LARGEST_ANSWER = 1024 * 1024
_LONGEST_ERROR = 8192
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Verdict:
    """``again`` is whether the same is to be sent once more."""

    delivered: bool
    again: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Requests:
    """Sends to ``endpoint`` what the stream ``arn`` is to deliver."""

    endpoint: Endpoint
    arn: str
    key: str | None
    post: Post

    @property
    def retry_seconds(self) -> int:
        return self.endpoint.retry_seconds

    def parts(self, records: Iterable[Record]) -> Iterator[list[Record]]:
        listed = list(records)
        return (listed[at : at + MOST_RECORDS] for at in range(0, len(listed), MOST_RECORDS))

    def attempt(self, records: Sequence[Record], request_id: str, attempts: int, now: int) -> Attempt:
        """A request is taken or not, as a whole."""
        headers, body = request(self.endpoint, self.arn, request_id, records, now, self.key)
        said = ""
        try:
            answer = self.post(self.endpoint.address, headers, body)
        except OSError as error:
            verdict = Verdict(False, again=True, reason=f"no answer from {place(self.endpoint.address)}: {error}")
        else:
            verdict = judged(answer, request_id)
            # Whoever refuses a request may quote it.
            said = "" if answer.status == 200 else f"it answered {answer.status}"
        if verdict.delivered:
            return Attempt(len(records))
        if verdict.again:
            return Attempt(0, again=records, reason=verdict.reason, said=said)
        return Attempt(0, dropped=len(records), reason=verdict.reason, said=said)

    def given_up(self, record: Record, reason: str, attempts: int, now: int) -> Failed:
        return Failed(record, HTTP_FAILED, "HttpEndpoint.DestinationException", reason, attempts, now)


def request(
    endpoint: Endpoint, arn: str, request_id: str, records: Sequence[Record], now: int, key: str | None
) -> tuple[Mapping[str, str], bytes]:
    """Headers and body. ``now`` in milliseconds; the id is the same however often it is sent."""
    told = [{"data": base64.b64encode(record.data).decode()} for record in records]
    body = json.dumps({"requestId": request_id, "timestamp": now, "records": told}, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Firehose-Protocol-Version": "1.0",
        "X-Amz-Firehose-Request-Id": request_id,
        "X-Amz-Firehose-Source-Arn": arn,
        "User-Agent": "Amazon Kinesis Data Firehose Agent/1.0",
    }
    if key:
        headers["X-Amz-Firehose-Access-Key"] = key
    if endpoint.attributes:
        headers["X-Amz-Firehose-Common-Attributes"] = json.dumps({"commonAttributes": dict(endpoint.attributes)})
    if endpoint.gzip:
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    return headers, body


def judged(answer: Answer, request_id: str) -> Verdict:
    """
    >>> judged(Answer(204, {}, b""), "r").reason
    '204: '
    >>> judged(Answer(413, {}, b"too much"), "r")
    Verdict(delivered=False, again=False, reason='413: too much')
    """
    told = f"{answer.status}: {answer.body[:_LONGEST_ERROR].decode(errors='replace')}"
    if answer.status == _TOO_LARGE:
        return Verdict(False, reason=told)
    if answer.status != 200:
        return Verdict(False, again=True, reason=told)
    wrong = next(_misfits(answer, request_id), None)
    return Verdict(True) if wrong is None else Verdict(False, again=True, reason=f"200, but {wrong}")


def _misfits(answer: Answer, request_id: str) -> Iterator[str]:
    """A success that does not keep the protocol is none."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        yield f"Content-Type is {kind or 'not there'}, and not application/json"
    if answer.headers.get("content-encoding"):
        yield "the answer has a Content-Encoding"
    if "content-length" not in answer.headers:
        yield "the answer has no Content-Length"
    if len(answer.body) > _LARGEST_ANSWER:
        yield "the answer is larger than 1 MiB"
        return
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        yield "the answer is no JSON"
        return
    if not isinstance(told, dict):
        yield "the answer is no JSON object"
        return
    if told.get("requestId") != request_id:
        yield f"requestId is not {request_id}, that of the request"
    if not isinstance(told.get("timestamp"), int) or isinstance(told.get("timestamp"), bool):
        yield "timestamp is no integer"
