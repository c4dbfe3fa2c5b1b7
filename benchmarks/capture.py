"""What capture and mirroring cost a model of 1 ms: routers beside each other in the same short rounds, as ratios.

    python benchmarks/capture.py [--rounds N] [--seconds S] [--engine fast|plain]

All ask the same model server. ``plain`` is the router alone; ``captured`` keeps every payload in a local account, and
``streamed`` puts it into a stream of that, too; ``mirrored`` also shows each request to a shadow that answers at once,
and pairs the answers; ``dead`` has a shadow that takes requests and never answers. Wanted: 95 % of the throughput,
105 % of the p99, and at most 64 MB more memory with a dead shadow, of which the last rounds have large bodies. On a
machine that others use the processor time that a request takes in the router says more than throughput: it is told
beside.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from router import CONNECTIONS, PATH, model

from mlops.account.local import LocalAccount

WANTED, SLOWER, MEGABYTES, LARGE = 0.95, 1.05, 64, 300_000
ROUTER = """
import asyncio, sys
from pathlib import Path
from mlops.account.local.process.capture.keeper import Keeper
from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.streaming import Streams
from mlops.account.local.process.ports import LocalObjects
from mlops.account.local.process.router.engine import fast, plain
from mlops.account.local.process.router.records import Recorder
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Routing, Server, Variant
from mlops.account.local.state import State
from mlops.account.shadow_pairs import ShadowPair
async def dead(reader, writer):
    while await reader.read(65536): pass
async def main(engine, kind, port, shadow, folder):
    pairs = Recorder(folder / "pairs", waiting=4000, columns=ShadowPair._fields)
    state = State(folder, "us-east-1")
    keeper = Keeper("door", LocalObjects(state).put, pairs, Streams(state, "door").put)
    seen = {} if kind == "plain" else {"saw": keeper.saw, "room": keeper.room}
    router = Router("door", engine, record=Recorder(folder / "requests").add, **seen)
    router.add(Server("one", (port,), 1, "log"))
    capture = None if kind == "plain" else Capture("s3://kept/here", csv=frozenset({"text/csv"}))
    beside = None
    if kind in ("mirrored", "dead"):
        if kind == "dead":
            silent = await asyncio.start_server(dead, "127.0.0.1", 0)
            shadow = silent.sockets[0].getsockname()[1]
        router.add(Server("shadow", (shadow,), 4, "log"))
        beside = Variant("S", ("shadow",))
    router.route(Routing("config", {"A": Variant("A", ("one",), capture=capture)}, beside))
    print(await router.start(), flush=True)
    await asyncio.Event().wait()
engine = plain() if sys.argv[1] == "plain" else fast()
if engine is None: sys.exit("httptools and uvloop are not installed: pip install httptools uvloop")
engine.run(main(engine, sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])))
"""
# Its own processor time is a model's and not the router's: as little as a server can take.
SHADOW = """
import asyncio, sys
import uvloop
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/csv\\r\\nContent-Length: 1\\r\\n\\r\\n1"
class Answering(asyncio.Protocol):
    left = 0
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        if not self.left:
            head, _, rest = data.partition(b"\\r\\n\\r\\n")
            self.left = int(head.rpartition(b"Content-Length: ")[2])
            data = rest
        self.left -= len(data)
        if not self.left: self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""
KINDS = ("plain", "captured", "streamed", "mirrored", "dead")


@dataclass(frozen=True, slots=True)
class Round:
    """Requests a second, milliseconds, and microseconds of the router's processor time for each request."""

    rate: float
    p99: float
    micros: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--engine", choices=("fast", "plain"), default="fast")
    parser.add_argument("--bytes", type=int, default=200, help="of a request's body")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: clients in Python cost more than what is measured")
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(model(folder))
        shadow = stack.enter_context(answering())
        fronts = {kind: stack.enter_context(front(given.engine, kind, port, shadow, folder / kind)) for kind in KINDS}
        found: dict[str, list[Round]] = {kind: [] for kind in KINDS}
        for kind in KINDS:  # connections are made, and it is known how quick the model is
            asked(fronts[kind], 1.0, given.bytes)
        before = {kind: resident(process) for kind, (_, process) in fronts.items()}
        for number in range(given.rounds):
            for kind in KINDS if number % 2 else reversed(KINDS):
                found[kind].append(asked(fronts[kind], given.seconds, given.bytes))
        asked(fronts["dead"], 3 * given.seconds, LARGE)
        missed = [report(kind, found) for kind in KINDS[1:]]
        for kind, (_, process) in fronts.items():
            grown = (peak(process) - before[kind]) / 1024
            beyond = kind == "dead" and grown > MEGABYTES
            missed.append(beyond)
            wanted = f", wanted at most {MEGABYTES}{'  MISSED' if beyond else ''}" if kind == "dead" else ""
            print(f"{kind}: {before[kind] / 1024:.0f} MB of memory, at most {grown:.1f} MB more{wanted}")
    return 1 if any(missed) else 0


def report(kind: str, found: dict[str, list[Round]]) -> bool:
    """Whether it was missed."""
    rates = [one.rate / plain.rate for one, plain in zip(found[kind], found["plain"], strict=True)]
    slower = [one.p99 / plain.p99 for one, plain in zip(found[kind], found["plain"], strict=True)]
    rate, late = statistics.median(rates), statistics.median(slower)
    missed = rate < WANTED or late > SLOWER
    per_second = statistics.median(one.rate for one in found[kind])
    p99 = statistics.median(one.p99 for one in found[kind])
    micros = {name: statistics.median(one.micros for one in found[name]) for name in (kind, "plain")}
    print(
        f"{kind}: {per_second:.0f}/s, ratio {rate:.3f} ({min(rates):.2f} to {max(rates):.2f}), wanted {WANTED}; "
        f"p99 {p99:.2f} ms, ratio {late:.3f} ({min(slower):.2f} to {max(slower):.2f}), wanted {SLOWER}; "
        f"{micros[kind]:.0f} us of CPU a request, {micros[kind] - micros['plain']:+.0f}{'  MISSED' if missed else ''}"
    )
    return missed


def asked(front: tuple[int, int], seconds: float, size: int) -> Round:
    port, process = front
    body = ("1.5," * (size // 4 + 1))[:size]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "POST"\nwrk.body = "{body}"\nwrk.headers["Content-Type"] = "text/csv"\n')
        script.flush()
        url = f"http://127.0.0.1:{port}{PATH}"
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(round(seconds), 1)}", "--latency", "-s", script.name, url]
        before = spent(process)
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        used = spent(process) - before
    rate, late = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    count = re.search(r"(\d+) requests in", text)
    if rate is None or late is None or count is None or "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url}: {text}")
    return Round(
        float(rate[1]), float(late[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]], 1e6 * used / int(count[1])
    )


@contextmanager
def answering() -> Iterator[int]:
    """The port of a shadow, beside all others as the local account starts it."""
    with subprocess.Popen(
        ["nice", "-n", "10", sys.executable, "-c", SHADOW], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def front(engine: str, kind: str, port: int, shadow: int, folder: Path) -> Iterator[tuple[int, int]]:
    """The port on which it answers, and its process."""
    folder.mkdir()
    if kind == "streamed":
        account = LocalAccount(folder, "us-east-1")
        account.ensure_bucket("kept")
        place = {"RoleARN": "arn:aws:iam::000000000000:role/d", "BucketARN": "arn:aws:s3:::kept"}
        account.client("firehose").create_delivery_stream(
            DeliveryStreamName="inferences",
            ExtendedS3DestinationConfiguration=place,
            Tags=[{"Key": "mlops:captures", "Value": "door"}],
        )
    words = [sys.executable, "-c", ROUTER, engine, kind, str(port), str(shadow), str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            if not line:
                raise SystemExit("the router did not start")
            yield int(line), process.pid
        finally:
            process.kill()


def spent(process: int) -> float:
    """Seconds of processor time until now."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> int:
    return _of_status(process, "VmRSS")


def peak(process: int) -> int:
    return _of_status(process, "VmHWM")


def _of_status(process: int, name: str) -> int:
    """In KiB."""
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return int(found[1]) if found is not None else 0


if __name__ == "__main__":
    sys.exit(main())
