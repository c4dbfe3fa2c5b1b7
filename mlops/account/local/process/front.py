"""The HTTP door of one endpoint on 127.0.0.1: chooses a variant by weight and passes requests to its model server."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mlops.run.serving.inference_pipeline import invoke

BIGGEST_BODY = 6 * 1024 * 1024
ANSWER_SECONDS = 60.0
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# What reaches the container; every other header of the caller is dropped.
_FORWARDED = (
    "Content-Type",
    "Accept",
    CUSTOM_ATTRIBUTES,
    "X-Amzn-SageMaker-Inference-Id",
    "X-Amzn-SageMaker-Session-Id",
    TARGET_VARIANT,
)


@dataclass(slots=True)
class Backend:
    """The servers of one model. ``busy`` counts requests that are on their way."""

    variant: str
    ports: tuple[int, ...]
    log: str
    busy: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def request(self) -> Iterator[None]:
        with self.lock:
            self.busy += 1
        try:
            yield
        finally:
            with self.lock:
                self.busy -= 1


@dataclass(frozen=True, slots=True)
class Routing:
    """Never changed, only replaced. ``weights`` are by variant."""

    backends: Mapping[str, Backend]
    weights: Mapping[str, float]
    shadow: Backend | None = None

    def choose(self) -> Backend:
        names = sorted(self.backends)
        return self.backends[random.choices(names, [self.weights[name] for name in names])[0]]  # noqa: S311


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Front:
    """Serves from :meth:`start` to :meth:`stop`; answers 503 while ``routing`` is None."""

    def __init__(self, name: str, log_stream: str) -> None:
        self.name = name
        self.log_stream = log_stream
        self.routing: Routing | None = None
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, body: bytes, headers: Message) -> Answer:
        routing = self.routing
        if routing is None:
            return _refused(503, "ServiceUnavailable", f"Endpoint {self.name} is not in service.")
        target = headers.get(TARGET_VARIANT)
        if target is not None and target not in routing.backends:
            return _refused(400, "ValidationError", f"Variant {target} was not found for endpoint {self.name}.")
        backend = routing.backends[target] if target else routing.choose()
        if routing.shadow is not None:
            threading.Thread(target=self._pass_on, args=(routing.shadow, body, headers), daemon=True).start()
        answer = self._pass_on(backend, body, headers)
        return Answer(answer.status, answer.body, {**answer.headers, INVOKED_VARIANT: backend.variant})

    def _pass_on(self, backend: Backend, body: bytes, headers: Message) -> Answer:
        forwarded = {name: headers[name] for name in _FORWARDED if headers.get(name) is not None}
        try:
            with backend.request():
                reply = invoke(backend.ports, body, forwarded, ANSWER_SECONDS)
        except TimeoutError:
            return self._model_error(backend, 0, f"the model did not answer within {ANSWER_SECONDS:g} seconds")
        except (OSError, http.client.HTTPException) as error:
            return self._model_error(backend, 0, f"the model server could not be reached: {error!r}")
        if reply.status >= 400:
            return self._model_error(backend, reply.status, reply.body.decode(errors="replace")[:2048])
        kept = {
            name: value for name in ("Content-Type", CUSTOM_ATTRIBUTES) if (value := reply.headers.get(name.lower()))
        }
        return Answer(200, reply.body, kept)

    def _model_error(self, backend: Backend, status: int, text: str) -> Answer:
        said = (
            f"Received {'server' if status >= 500 else 'client'} error ({status}) from {backend.variant} with message "
            f'"{text}". See {backend.log}.'
        )
        return _refused(
            424, "ModelError", said, OriginalStatusCode=status, OriginalMessage=text, LogStreamArn=self.log_stream
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(ANSWER_SECONDS)
        return connection, address


def _refused(status: int, code: str, message: str, **more: Any) -> Answer:
    content = json.dumps({"Code": code, "Message": message, **more}).encode()
    return Answer(status, content, {"Content-Type": "application/json", "x-amzn-ErrorType": code})


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/ping":
                self._send(Answer(200 if front.routing is not None else 503, b""))
            else:
                self._send(_refused(404, "NotFound", f"{self.path} is not served"))

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            # A body that is not read makes the connection useless for a next request.
            if not (size.isascii() and size.isdigit()):
                self.close_connection = True
                self._send(_refused(411, "ValidationError", "Content-Length is required"))
            elif int(size) > BIGGEST_BODY:
                self.close_connection = True
                self._send(_refused(413, "ValidationError", f"Request body exceeds {BIGGEST_BODY} bytes"))
            else:
                body = self.rfile.read(int(size))
                if self.path == f"/endpoints/{front.name}/invocations":
                    self._send(front.invoke(body, self.headers))
                else:
                    self._send(_refused(404, "NotFound", f"{self.path} is not served"))

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged: who wants them has the model server's log."""

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    return Handler
