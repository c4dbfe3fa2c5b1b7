"""A request in, a reply out, whatever happens: what is refused is told in the words and the form of the service."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore.model import OperationModel

from mlops.account.local.answering import answer
from mlops.account.local.clock import wake_again
from mlops.account.local.refusal import Refusal
from mlops.account.local.shapes import conform
from mlops.account.local.state import State
from mlops.account.wire import aws_chunked, protocols, queue_urls, routing, signing
from mlops.account.wire.messages import Reply, Request, Unread
from mlops.account.wire.protocols import Protocol, Said
from mlops.ir import MlopsError
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import modules

_MOST_REGIONS = 16


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it was answered: nothing of what it held. ``code`` is that of a refusal, ``mistake`` an error of
    ours."""

    service: str
    operation: str
    status: int
    seconds: float
    code: str | None = None
    mistake: Exception | None = None


class Answers:
    """``tell`` hears of each request, when its reply is made. Raises Unread."""

    def __init__(
        self,
        folder: Path,
        region: str,
        user: str | None = None,
        tell: Callable[[Told], None] = lambda told: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._region = region
        self._tell = tell
        self._now = now
        # Regions are not apart: whoever asks from another hears that one in ARNs.
        self._state = lru_cache(maxsize=_MOST_REGIONS)(lambda region: State(folder, region, user))
        wake_again(self._state(region))

    def __call__(self, request: Request) -> Reply:
        if _is_scrape(request):
            return self._scraped()
        began = time.perf_counter()
        request_id = str(uuid.uuid4())
        found: routing.Spoken | None = None
        operation: OperationModel | None = None
        refusal: Refusal | None = None
        mistake: Exception | None = None
        try:
            found, request = routing.spoken(request)
            meant = routing.meant(found, request)
            operation, request = meant.operation, meant.request
            reply = self._answered(operation, found, request, request_id)
        except Refusal as refused:
            refusal = refused
        except Unread:
            raise
        except MlopsError as error:
            refusal = Refusal("InternalFailure", f"{error.message}{f': {error.hint}' if error.hint else ''}", 500)
        except OSError as error:
            if _is_of_connection(error):
                raise
            refusal, mistake = Refusal("InternalFailure", f"{error.strerror or error}", 500), error
        except Exception as error:
            refusal = Refusal("InternalFailure", f"A mistake in mlops itself: {type(error).__name__}", 500)
            mistake = error
        if refusal is not None:
            reply = _refused(refusal, found, operation, request, request_id)
        self._tell(
            Told(
                (found.service if found is not None else None) or "?",
                operation.name if operation is not None else (found.action if found is not None else None) or "?",
                reply.status,
                time.perf_counter() - began,
                None if refusal is None else refusal.code,
                mistake,
            )
        )
        return reply

    def _scraped(self) -> Reply:
        from mlops.account.local.upkeep.exposition import CONTENT_TYPE, exposition  # few serve a Prometheus

        began = time.perf_counter()
        try:
            reply = Reply(
                200, {"Content-Type": CONTENT_TYPE}, exposition(self._state(self._region), self._now()).encode()
            )
            mistake = None
        except Exception as error:
            reply, mistake = Reply(500, {"Content-Type": "text/plain"}, b"the metrics cannot be read\n"), error
        self._tell(Told("prometheus", "Scrape", reply.status, time.perf_counter() - began, None, mistake))
        return reply

    def _answered(self, operation: OperationModel, found: routing.Spoken, request: Request, request_id: str) -> Reply:
        service = operation.service_model.service_name
        signing.need_unexpired(request, self._now())
        if service == "s3":
            request = aws_chunked.unframed(request)
        protocol = _protocol(found.protocol)
        given = protocol.read(operation, request)
        state = self._state(found.scope.region or self._region)
        told: Mapping[str, Any] = conform(operation.output_shape, answer(state, service, operation.name, given)) or {}
        if service == "sqs":
            told = queue_urls.led_here(told, request.header("host"))
        reply = protocol.write(operation, told, request_id)
        if service == "s3" and operation.name == "GetObject" and "ContentRange" in told:
            return Reply(206, reply.headers, reply.body)
        return reply


def _is_scrape(request: Request) -> bool:
    """Of Prometheus, which signs nothing: what is signed is meant for a bucket of that name."""
    is_plain = not request.header("authorization") and not any(
        name.lower().startswith("x-amz") for name, _ in request.query
    )
    return request.method == "GET" and request.path == "/metrics" and is_plain


def _refused(
    refusal: Refusal,
    found: routing.Spoken | None,
    operation: OperationModel | None,
    request: Request,
    request_id: str,
) -> Reply:
    service = (found.service if found is not None else None) or ""
    said = Said(
        request_id,
        message=_message_member(operation, refusal.code),
        service=service,
        resource=request.path,
        query_mode=request.header("x-amzn-query-mode") == "true",
    )
    return _protocol(found.protocol if found is not None else routing.REST_JSON).refuse(refusal, said)


def _message_member(operation: OperationModel | None, code: str) -> str:
    """What the model of an error calls its text."""
    shape = operation.service_model.shape_for_error_code(code) if operation is not None else None
    members = shape.members if shape is not None else ()
    return next((name for name in members if name.lower() == "message"), "message")


def _protocol(name: str) -> Protocol:
    found: Protocol = modules(protocols)[name].load().PROTOCOL
    return found


def _is_of_connection(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError)
