"""A model behind ``GET /ping`` and ``POST /invocations``, as a model container answers.

Runs inside the sandbox. Listens on the socket whose number ``MLOPS_LISTEN_FD`` gives, else on port
``SAGEMAKER_BIND_TO_PORT`` (8080) of 127.0.0.1. Answers nothing before the model is loaded; ends with status 1 where
that fails. Answers one request at a time, or as many as ``SAGEMAKER_GUNICORN_THREADS`` says. ``MLOPS_ALGORITHM`` is the
built-in algorithm that answers, where one does; ``MLOPS_NICENESS`` how far others' processes go before it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mlops.run.serving.handlers import (
    JSON,
    Answer,
    HandlerFault,
    Handlers,
    RequestFault,
    Service,
    chosen_by_handler,
    load_module,
)

LISTEN_FD = "MLOPS_LISTEN_FD"
ALGORITHM = "MLOPS_ALGORITHM"
NICENESS = "MLOPS_NICENESS"
_IDLE_SECONDS = 120


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listening: socket.socket, service: Service, threads: int = 1) -> None:
        super().__init__(listening.getsockname(), _Request, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.socket.listen(self.request_queue_size)
        self.service = service
        self.at_work = threading.Semaphore(threads)  # a worker of the toolkit has one request at a time too


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Head and body of an answer leave together: apart, the second waits until the first is acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/ping":
            self._reply(200, b"", JSON)
        elif (told := self.server.service.told(path)) is not None:
            self._reply(200, told.body, told.content_type)
        else:
            self._reply(404, b"only /ping and /invocations are answered\n", "text/plain")

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != "/invocations":
            self.close_connection = True
            self._reply(404, b"only /ping and /invocations are answered\n", "text/plain")
            return
        try:
            answer = self._invoke()
        except RequestFault as fault:
            self._reply(fault.status, str(fault).encode(), fault.content_type)
        except Exception as fault:
            told = traceback.format_exc()
            sys.stderr.write(told)
            chosen = chosen_by_handler(fault) or RequestFault(500, str(fault))
            self._reply(chosen.status, f"{chosen}\n{told}".encode(), "text/plain", chosen.phrase)
        else:
            self._reply(200, answer.body, answer.content_type)

    def _invoke(self) -> Answer:
        body = self._body()
        with self.server.at_work:
            return self.server.service.answer(
                body,
                self.headers.get("Content-Type") or "",
                self.headers.get("Accept") or "",
                dict(self.headers.items()),
            )

    def _body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise RequestFault(411, "send the body with a Content-Length")
        length = self.headers.get("Content-Length") or "0"
        most = self.server.service.most
        if not (length.isascii() and length.isdigit()) or int(length) > most:
            self.close_connection = True
            raise RequestFault(413, f"Content-Length {length[:20]} is not between 0 and {most}")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            raise RequestFault(400, "the body is shorter than its Content-Length")
        return body

    def _reply(self, status: int, body: bytes, content_type: str, phrase: str | None = None) -> None:
        self.send_response(status, phrase)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        if "/ping" not in self.requestline:
            sys.stderr.write(f"{format % args}\n")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.nice(int(os.environ.pop(NICENESS, "0")))
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    model_folder = base / "model"
    try:
        service = _service(os.environ, model_folder)
    except HandlerFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    threads = os.environ.get("SAGEMAKER_GUNICORN_THREADS", "")
    at_a_time = max(int(threads), 1) if threads.isascii() and threads.isdigit() else 1
    with _Server(_listening(), service, at_a_time) as server:
        server.serve_forever()
    return 0


def _service(environment: Mapping[str, str], model_folder: Path) -> Service:
    """Raises :class:`HandlerFault` and whatever the user's code raises."""
    program, defaults = environment.get("SAGEMAKER_PROGRAM"), None
    if name := environment.get(ALGORITHM):
        from mlops.run.algorithms import implementation  # not there where a model is packaged by itself

        algorithm = implementation(name)
        if not program or not hasattr(algorithm, "script_defaults"):
            try:
                service: Service = algorithm.service(model_folder)
            except RuntimeError as fault:
                raise HandlerFault(str(fault)) from fault
            return service
        defaults = algorithm.script_defaults()
    submitted = Path(environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or model_folder / "code")
    accept = environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
    return Handlers(load_module(submitted, program), model_folder, accept, defaults)


def _listening() -> socket.socket:
    if given := os.environ.get(LISTEN_FD):
        return socket.socket(fileno=int(given))
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)))
    return listening


if __name__ == "__main__":
    sys.exit(main())
