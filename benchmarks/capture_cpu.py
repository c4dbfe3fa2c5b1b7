"""What capture and mirroring cost in processor time, inside the router's process and without sockets.

    python benchmarks/capture_cpu.py [--rounds N] [--requests N] [--bytes N]

The router's own connections are given requests and answers as bytes. ``loop`` is the thread that answers, ``whole``
the process, with the threads that write captured lines, pairs and records. The least of all rounds is told, which
changes little with what else the machine does; what a mirrored request costs in the kernel is not in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from mlops.account.local.process.capture.keeper import Keeper
from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import Room
from mlops.account.local.process.ports import LocalObjects
from mlops.account.local.process.router.door import Door
from mlops.account.local.process.router.engine import best
from mlops.account.local.process.router.model_connection import ModelConnection
from mlops.account.local.process.router.queues import Running
from mlops.account.local.process.router.records import Recorder
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Limits, Routing, Server, Variant
from mlops.account.local.state import State
from mlops.account.shadow_pairs import ShadowPair

KINDS = ("plain", "captured", "mirrored", "dead")
AMPLE = 1 << 40
CONNECTIONS = 6
REQUEST = (
    b"POST /endpoints/door/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
    b"X-Amzn-SageMaker-Inference-Id: order-1\r\nContent-Length: %d\r\n\r\n%b"
)
REPLY = b"HTTP/1.1 200 OK\r\nserver: model\r\ncontent-type: text/csv; charset=utf-8\r\ncontent-length: %d\r\n\r\n%b"


class Nowhere:
    """A transport that takes all there is. Of a model's connection it notes who was asked."""

    def __init__(self, asked: list[Any] | None = None, who: ModelConnection | None = None) -> None:
        self._asked, self._who = asked, who

    def write(self, data: bytes) -> None:
        if self._asked is not None:
            self._asked.append(self._who)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def nothing(self) -> None:
        pass

    abort = close = write_eof = pause_reading = resume_reading = nothing


def spent(kind: str, requests: int, size: int, folder: Path) -> tuple[float, float]:
    """Microseconds of a request: of the loop, and of the whole process."""
    pairs = Recorder(folder / "pairs", waiting=AMPLE, columns=ShadowPair._fields)
    keeper = Keeper("door", LocalObjects(State(folder, "us-east-1")).put, pairs, room=Room(AMPLE))
    recorder = Recorder(folder / "requests", waiting=AMPLE)
    seen: Any = {} if kind == "plain" else {"saw": keeper.saw, "room": keeper.room}
    limits = Limits(held=AMPLE, shadow_held=AMPLE)
    router = Router("door", best(), record=recorder.add, limits=limits, **seen)
    capture = None if kind == "plain" else Capture("s3://kept/here", csv=frozenset({"text/csv"}))
    router.add(Server("one", (1,), 1, "log"))
    router.add(Server("shadow", (2,), 4, "log"))
    shadow = Variant("S", ("shadow",)) if kind in ("mirrored", "dead") else None
    router.route(Routing("config", {"A": Variant("A", ("one",), capture=capture)}, shadow))
    asked: list[ModelConnection] = []
    silent = router._running["shadow"] if kind == "dead" else None
    for running in router._running.values():
        connect(router, running, asked)
    door: Any = Door(router)
    door.connection_made(Nowhere())
    body = (b"1.5," * (size // 4 + 1))[:size]
    request, reply = REQUEST % (len(body), body), REPLY % (len(body), body)
    whole, loop = time.process_time(), time.thread_time()
    for _ in range(requests):
        door.data_received(request)
        while asked:
            model = asked.pop()
            if model.running is not silent:
                model.data_received(reply)
    loop = time.thread_time() - loop
    keeper.close()
    pairs.close()
    recorder.close()
    return 1e6 * loop / requests, 1e6 * (time.process_time() - whole) / requests


def connect(router: Router, running: Running, asked: list[ModelConnection]) -> None:
    for _ in range(CONNECTIONS):
        model: Any = ModelConnection(router, running, 0)
        model.connection_made(Nowhere(asked, model))
        running.opened(model)
        running.put_back(model, time.perf_counter())


async def measure(given: argparse.Namespace) -> None:
    plain = (0.0, 0.0)
    for kind in KINDS:
        found = []
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory(prefix="mlops-bench-") as name:
                found.append(spent(kind, given.requests, given.bytes, Path(name)))
        loop, whole = (min(column) for column in zip(*found, strict=True))
        plain = plain if any(plain) else (loop, whole)
        print(
            f"{kind:<9} loop {loop:5.1f} us ({loop - plain[0]:+5.1f}), "
            f"whole {whole:5.1f} us ({whole - plain[1]:+5.1f}) a request"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=200, help="of a request's body, and of its answer's")
    best().run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
