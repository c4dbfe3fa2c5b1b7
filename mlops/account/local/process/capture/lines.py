"""A captured request as the line that SageMaker writes of it, and the key of the file that holds it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring

from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import Seen, Side

VERSION = "0"


def line(seen: Seen, side: Side, capture: Capture) -> str:
    """With its end. Written member by member: an encoder takes four times as long, for each request."""
    data = []
    if capture.input:
        data.append(f'"endpointInput":{_payload(seen.body, seen.content_type, "INPUT", capture)}')
    if capture.output and side.body is not None:
        data.append(f'"endpointOutput":{_payload(side.body, side.content_type, "OUTPUT", capture)}')
    # The answer's own come before those of the question, which a container need not repeat.
    attributes = side.attributes or seen.attributes
    attributes_told = f',"customAttributes":[{_quoted(attributes)}]' if attributes else ""
    identified = f',"inferenceId":{_quoted(seen.inference_id)}' if seen.inference_id else ""
    return (
        f'{{"captureData":{{{",".join(data)}}},"eventMetadata":{{"eventId":"{seen.event_id}"{attributes_told},'
        f'"inferenceTime":"{_second(int(seen.time))}"{identified}}},"eventVersion":"{VERSION}"}}\n'
    )


def folder(destination: str, endpoint: str, variant: str, moment: float) -> str:
    """By the hour of the invocation.

    >>> folder("s3://acme/kept", "churn", "blue", 1700000000.5)
    's3://acme/kept/churn/blue/2023/11/14/22'
    """
    return f"{destination}/{endpoint}/{variant}/{_hour(int(moment // 3600))}"


@lru_cache(maxsize=64)
def _second(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=8)
def _hour(number: int) -> str:
    return f"{datetime.fromtimestamp(number * 3600, UTC):%Y/%m/%d/%H}"


def file_name(moment: float, file_id: str) -> str:
    """
    >>> file_name(1700000000.5, "0b1e")
    '13-20-500-0b1e.jsonl'
    """
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%M-%S}-{at.microsecond // 1000:03}-{file_id}.jsonl"


def _payload(body: bytes, content_type: str | None, mode: str, capture: Capture) -> str:
    data, encoding = _encoded(body, content_type, capture)
    kind = "null" if content_type is None else _quoted(content_type)
    return f'{{"observedContentType":{kind},"mode":"{mode}","data":{_quoted(data)},"encoding":"{encoding}"}}'


def _encoded(body: bytes, content_type: str | None, capture: Capture) -> tuple[str, str]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    name = "CSV" if kind in capture.csv else "JSON" if kind in capture.json else None
    if name is not None:
        try:
            return body.decode(), name
        except UnicodeDecodeError:
            pass  # it is not what it says
    return b64encode(body).decode(), "BASE64"


_quoted = encode_basestring
"""As JSON writes a text, with letters beyond ASCII as they are."""
