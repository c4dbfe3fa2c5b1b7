"""The router of an endpoint beside the bare model server, in the same rounds: requests a second, and their ratio.

    python benchmarks/router.py [--rounds N] [--seconds S] [--engine fast|plain]

Two models: one of 1 ms of work, in the model server that the local account starts, one worker; and one that does
nothing, an ASGI application in uvicorn. Each is asked directly and through the router, alternating, by wrk where it is
installed, else by clients in a process of their own that cost more than the router.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS = 16
PATH = "/endpoints/door/invocations"
WORK = """
import time
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end: pass
    return body
"""
NULL = """
HEADERS = [(b"content-type", b"text/csv"), (b"content-length", b"2")]
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"ok"})
"""
ROUTER = """
import asyncio, sys
from mlops.account.local.process.router.engine import fast, plain
from mlops.account.local.process.router.records import Recorder
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Routing, Server, Variant
from pathlib import Path
async def main(engine):
    router = Router("door", engine, record=Recorder(Path(sys.argv[4])).add)
    router.add(Server("one", (int(sys.argv[2]),), int(sys.argv[3]), "log"))
    router.route(Routing("config", {"A": Variant("A", ("one",))}))
    print(await router.start(), flush=True)
    await asyncio.Event().wait()
engine = plain() if sys.argv[1] == "plain" else fast()
if engine is None: sys.exit("httptools and uvloop are not installed: pip install httptools uvloop")
engine.run(main(engine))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--engine", choices=("fast", "plain"), default="fast")
    given = parser.parse_args()
    print(f"asked by {'wrk' if shutil.which('wrk') else 'clients in Python'}, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as name:
        folder = Path(name)
        with model(folder) as port, router(given.engine, port, 1, folder) as front:
            compare("a model of 1 ms", port, front, given, 0.98)
        with null(folder) as port, router(given.engine, port, 64, folder) as front:
            compare("a null model", port, front, given, 0.45)
    return 0


def compare(what: str, bare: int, front: int, given: argparse.Namespace, wanted: float) -> None:
    addresses = {"bare": f"http://127.0.0.1:{bare}/invocations", "router": f"http://127.0.0.1:{front}{PATH}"}
    found: dict[str, list[float]] = {name: [] for name in addresses}
    for address in addresses.values():  # connections are made, and it is known how quick the model is
        rate(address, 0.5)
    for number in range(given.rounds):
        for name in sorted(addresses, reverse=bool(number % 2)):
            found[name].append(rate(addresses[name], given.seconds))
    ratios = [front / bare for front, bare in zip(found["router"], found["bare"], strict=True)]
    ratio = statistics.median(ratios)
    told = ", ".join(f"{name} {statistics.median(rates):.0f}/s" for name, rates in found.items())
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{what}: {told}; ratio {ratio:.3f} ({spread}), wanted {wanted}{'' if ratio >= wanted else '  MISSED'}")


def rate(url: str, seconds: float) -> float:
    if shutil.which("wrk") is None:
        return asyncio.run(asked(url, seconds))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method = "POST"\nwrk.body = "1,2"\nwrk.headers["Content-Type"] = "text/csv"\n')
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(round(seconds), 1)}", "-s", script.name, url]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None or "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url}: {text}")
    return float(found[1])


async def asked(url: str, seconds: float) -> float:
    _, _, address, path = url.split("/", 3)
    port = int(address.partition(":")[2])
    request = (
        f"POST /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\nContent-Length: 3\r\n\r\n1,2".encode()
    )
    end, count = time.perf_counter() + seconds, 0

    async def client() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if b" 200 " not in head or length is None:
                raise SystemExit(f"{url}: {head!r}")
            await reader.readexactly(int(length[1]))
            count += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return count / seconds


@contextmanager
def model(folder: Path) -> Iterator[int]:
    from mlops.run.serving.model_server import ModelServer

    code = folder / "ml" / "model" / "code" / "inference.py"
    code.parent.mkdir(parents=True)
    code.write_text(WORK, encoding="utf-8")
    with ModelServer.start(folder / "ml" / "model", {}, folder / "log") as server:
        yield server.port


@contextmanager
def null(folder: Path) -> Iterator[int]:
    (folder / "null_app.py").write_text(NULL, encoding="utf-8")
    # Not --fd: uvicorn takes what it is given for a Unix socket, and leaves Nagle's algorithm on.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    words = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), "--port", str(port), *words, "null_app:app"]
    )
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def router(engine: str, port: int, slots: int, folder: Path) -> Iterator[int]:
    command = [sys.executable, "-c", ROUTER, engine, str(port), str(slots), str(folder / "requests")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        if not told:
            raise SystemExit("the router did not start")
        yield int(told)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
