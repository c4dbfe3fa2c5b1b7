"""Asynchronous requests to an endpoint: each a file that waits below the endpoint's folder until its process has asked
the model, and the answer or the failure is an object.

A file is gone when its object is there. So a process that dies in between is followed by one that asks again: at least
once, as with the service's queue.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, field
from pathlib import Path
from typing import Protocol

from mlops.account.local.services.sagemaker.endpoints import WAITING
from mlops.ir.dataclass import dataclass
from mlops.project.files import replacing
from mlops.run.ports import ObjectMissing

LONGEST_SECONDS = 3600.0
BIGGEST_BODY = 256 * 1024 * 1024
"""The service takes a gigabyte; here it is held in memory."""
_LOOK_SECONDS = 0.1
_BUSY = (429, 503)
"""No model answered: there may be one a moment later."""
_AT_ONCE = 4
"""Of an endpoint whose configuration says no number."""
_log = logging.getLogger("mlops.runner")


@dataclass(frozen=True, slots=True)
class Waiting:
    """``input`` is a URI, empty where ``body`` (in latin-1, byte by byte) came with the request. ``headers`` are for
    the model, times in seconds since 1970."""

    id: str
    endpoint: str
    input: str
    output: str
    failure: str | None
    headers: Mapping[str, str]
    came: float
    until: float
    seconds: float
    at_once: int = _AT_ONCE
    body: str = field(default="", repr=False)


class Objects(Protocol):
    def size(self, uri: str) -> int: ...
    def read(self, uri: str) -> bytes: ...
    def put(self, content: Iterator[bytes], uri: str) -> None: ...


def wait_for(folder: Path, request: Waiting) -> None:
    """Nobody else reads it: it may hold what was asked."""
    name = f"{request.came:017.6f}-{uuid.uuid4().hex}.json"
    with replacing(folder / WAITING / name, mode=0o600) as file:
        file.write(json.dumps(asdict(request)).encode())


class Queue:
    """Works in threads of its own until it is closed. ``port`` is where the endpoint's router listens."""

    def __init__(self, folder: Path, port: int, objects: Objects, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._port, self._objects, self._clock = folder / WAITING, port, objects, clock
        self._underway: set[Path] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """What is under way is left to the next process."""
        self._ended.set()
        self._thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self._look()
            except OSError as error:
                _log.warning("asynchronous requests cannot be read: %s", error)

    def _look(self) -> None:
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            with self._lock:
                if file in self._underway:
                    continue
                request = _read(file)
                if request is None:
                    file.unlink(missing_ok=True)
                    continue
                if len(self._underway) >= request.at_once:
                    return
                self._underway.add(file)
            # As many threads as any configuration may want: those that there is nothing for are not made.
            self._pool = self._pool or ThreadPoolExecutor(1000, "waiting")
            self._pool.submit(self._serve, file, request)

    def _serve(self, file: Path, request: Waiting) -> None:
        try:
            if self._settled(request):
                file.unlink(missing_ok=True)
            else:
                self._ended.wait(0.5)
        except Exception:
            _log.exception("the asynchronous request %s could not be ended, and is tried again", request.id)
            self._ended.wait(1.0)
        finally:
            with self._lock:
                self._underway.discard(file)

    def _settled(self, request: Waiting) -> bool:
        """Whether its object is there; else it waits on."""
        if self._clock() > request.until:
            return self._failed(request, "the request expired in the queue: RequestTTLSeconds")
        try:
            # Before it is read: a process that has no room for it would be followed by one that tries again.
            size = self._objects.size(request.input) if request.input else 0
            if size > BIGGEST_BODY:
                return self._failed(request, f"the request has {size} bytes; here {BIGGEST_BODY} can be asked")
            body = self._objects.read(request.input) if request.input else request.body.encode("latin-1")
        except ObjectMissing as missing:
            return self._failed(request, str(missing))
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=request.seconds)
        try:
            connection.request("POST", f"/endpoints/{request.endpoint}/invocations", body, dict(request.headers))
            reply = connection.getresponse()
            answer = reply.read()
        except TimeoutError:
            return self._failed(request, f"no answer within {request.seconds:g} seconds: InvocationTimeoutSeconds")
        except (OSError, http.client.HTTPException):
            return False
        except ValueError:
            return self._failed(request, "a header of the request cannot be sent")
        finally:
            connection.close()
        if reply.status in _BUSY:
            return False
        if reply.status != 200:
            return self._failed(request, _message(answer))
        try:
            self._objects.put(iter((answer,)), request.output)
        except ObjectMissing as nowhere:
            return self._failed(request, f"the answer cannot be kept: {nowhere}")
        return True

    def _failed(self, request: Waiting, why: str) -> bool:
        _log.info("the asynchronous request %s failed: %s", request.id, why)
        if request.failure is not None:
            try:
                self._objects.put(iter((why.encode(),)), request.failure)
            except ObjectMissing as nowhere:
                _log.warning("why the asynchronous request %s failed cannot be kept: %s", request.id, nowhere)
        return True


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["Message"])
    except (ValueError, KeyError, TypeError):
        return answer.decode(errors="replace")


def _read(file: Path) -> Waiting | None:
    """None of one that is no request."""
    try:
        return Waiting(**json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        _log.warning("%s is no asynchronous request: %s", file, error)
        return None
