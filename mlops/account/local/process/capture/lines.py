"""A captured request as the line that SageMaker writes of it, and the key of the file that holds it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring

from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import ATTRIBUTES, ID, KIND, TARGET, Seen, Side, text

VERSION = "0"
_BASE64 = "BASE64"
_IDENTIFYING = ((ID, "inferenceId"), (TARGET, "targetVariant"))
_MOST_TYPES = 64
"""That are remembered: callers may send any."""


class Lines:
    """Of what one ``capture`` asks for. What stands around the payloads is the same for nearly all requests, and made
    once."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self._around: dict[tuple[bytes | None, str], tuple[str, str, str]] = {}

    def line(self, seen: Seen, side: Side) -> str:
        """With its end. Written member by member: an encoder takes four times as long, for each request."""
        capture, asked, answered, data = self.capture, seen.headers, side.headers, ""
        if capture.input:
            data = f'"endpointInput":{self._payload(seen.body, asked.get(KIND), "INPUT")}'
        if capture.output and side.body is not None:
            comma = "," if data else ""
            data += f'{comma}"endpointOutput":{self._payload(side.body, answered.get(KIND), "OUTPUT")}'
        # The answer's own come before those of the question, which a container need not repeat.
        attributes = answered.get(ATTRIBUTES) or asked.get(ATTRIBUTES)
        attributes_told = f',"customAttributes":[{_quoted(text(attributes))}]' if attributes else ""
        more = "".join(
            [f',"{name}":{_quoted(text(asked[header]))}' for header, name in _IDENTIFYING if asked.get(header)]
        )
        return (
            f'{{"captureData":{{{data}}},"eventMetadata":{{"eventId":"{seen.event_id}"{attributes_told},'
            f'"inferenceTime":"{_second(int(seen.time))}"{more}}},"eventVersion":"{VERSION}"}}\n'
        )

    def _payload(self, body: bytes, content_type: bytes | None, mode: str) -> str:
        around = self._around.get((content_type, mode))
        if around is None:
            if len(self._around) >= _MOST_TYPES:
                self._around.clear()
            around = self._around[content_type, mode] = self._made(content_type, mode)
        before, behind, encoding = around
        if encoding != _BASE64:
            try:
                return f"{before}{_quoted(body.decode())}{behind}"
            except UnicodeDecodeError:
                pass  # it is not what it says
        return f'{before}"{b64encode(body).decode()}","encoding":"{_BASE64}"}}'

    def _made(self, content_type: bytes | None, mode: str) -> tuple[str, str, str]:
        told = None if content_type is None else text(content_type)
        kind = (told or "").partition(";")[0].strip().lower()
        encoding = "CSV" if kind in self.capture.csv else "JSON" if kind in self.capture.json else _BASE64
        quoted = "null" if told is None else _quoted(told)
        return f'{{"observedContentType":{quoted},"mode":"{mode}","data":', f',"encoding":"{encoding}"}}', encoding


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


_quoted = encode_basestring
"""As JSON writes a text, with letters beyond ASCII as they are."""
