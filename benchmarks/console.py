"""The console: how soon it listens, and how soon it answers with 1,000 executions in its account and with 100,000.

python benchmarks/console.py [--mlflow FOLDER]    # about five minutes: 3 GB below the temporary folder

With ``--mlflow`` also how soon `mlflow server` lists as many runs; it is installed in that folder if it is not there.
"""

from __future__ import annotations

import argparse
import http.client
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import mlflow_server
from store import LARGE, SMALL, project
from timing import MLOPS, Wanted, tell_machine, tell_ratios, tell_seconds

ROUNDS, ASKED = 7, 20
CLIENTS, SECONDS = 20, 10
RUNS, SHOWN = 1_000, 100
"""That MLflow has, and that its page lists at once."""
MOST_SECONDS = 0.1
BARE, START = "python -c 'import starlette, jinja2'", "mlops console, until it listens"
PAGES = {
    "executions": "/executions",
    "executions, one of a pipeline": "/executions?pipeline=many&size=25",
    "executions, older": "/executions?until=2026-01-02",
    "pipelines": "/pipelines",
    "an execution": "/executions/{id}",
    "its log": "/executions/{id}/steps/Work/log",
}


@contextmanager
def console(folder: Path) -> Iterator[tuple[int, str, float]]:
    """Its port, the cookie that lets in, and the seconds until it listened."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [*MLOPS, "console", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        told = urlsplit(process.stdout.readline().strip())
        took = time.perf_counter() - began
        port = told.port or 0
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", f"{told.path}?{told.query}")
        cookie = (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]
        yield port, cookie, took
    finally:
        process.terminate()
        process.wait()


def ask(port: int, cookie: str, path: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie})
    reply = connection.getresponse()
    reply.read()
    took = time.perf_counter() - began
    connection.close()
    if reply.status != 200:
        raise SystemExit(f"{path} was answered with {reply.status}")
    return took


def starts(folder: Path) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {BARE: [], START: []}
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import starlette, jinja2"], check=True)
        bare = time.perf_counter() - began
        with console(folder) as (_, _, took):
            if number:  # the first fills the caches
                seconds[BARE].append(bare)
                seconds[START].append(took)
    return seconds


def pages(folders: dict[int, tuple[Path, str]]) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {}
    with console(folders[SMALL][0]) as small, console(folders[LARGE][0]) as large:
        there = {SMALL: small, LARGE: large}
        for name, path in PAGES.items():
            for number in range(ASKED + 2):
                for size, (port, cookie, _) in there.items():
                    took = ask(port, cookie, path.format(id=folders[size][1]))
                    if number > 1:
                        seconds.setdefault(f"{size}: {name}", []).append(took)
    return seconds


def together(folder: Path) -> list[float]:
    """What 20 clients wait that ask once a second each, at moments of their own."""
    found: list[float] = []
    with console(folder) as (port, cookie, _):
        ask(port, cookie, "/executions")

        def client(number: int) -> None:
            time.sleep(number / CLIENTS)
            for _ in range(SECONDS):
                began = time.perf_counter()
                found.append(ask(port, cookie, "/executions"))
                time.sleep(max(1.0 - (time.perf_counter() - began), 0.0))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return found


def beside(folder: Path, mlflow: Path) -> dict[str, list[float]]:
    """A page of as many, and all of them, asked of one after the other."""
    python = mlflow_server.installed(mlflow)
    if python is None:
        return {}
    with socket.create_server(("127.0.0.1", 0)) as free:
        mlflow_port = free.getsockname()[1]
    seconds: dict[str, list[float]] = {}
    with (
        mlflow_server.serving(python, folder / "mlflow", mlflow_port, RUNS) as server,
        console(folder / str(SMALL)) as (port, cookie, _),
    ):
        for number in range(ASKED + 2):
            page = ask(port, cookie, f"/executions?size={SHOWN}&parameters=1")
            whole = listed_by_pages(port, cookie)
            taken = {
                f"mlflow server: {SHOWN} of {RUNS} runs": server.listed(SHOWN),
                f"mlops console: {SHOWN} of {RUNS} executions": page,
                f"mlflow server: {RUNS} runs": server.listed(RUNS),
                f"mlops console: {RUNS} executions": whole,
            }
            for name, took in taken.items() if number > 1 else ():
                seconds.setdefault(name, []).append(took)
    return seconds


def listed_by_pages(port: int, cookie: str) -> float:
    """Seconds for all executions, page behind page."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.perf_counter()
    place: str | None = f"?size={SHOWN}&parameters=1"
    while place is not None:
        connection.request("GET", f"/executions{place}", headers={"Cookie": cookie})
        text = connection.getresponse().read().decode()
        found = re.search(r'href="([^"]+)" rel="next"', text)
        place = unescape(found[1]) if found else None
    took = time.perf_counter() - began
    connection.close()
    return took


def tell_waits(waits: Sequence[float]) -> None:
    worst = statistics.quantiles(waits, n=100)[98]
    holds = "holds" if worst <= MOST_SECONDS else "MISSED"
    print(
        f"\n{CLIENTS} clients that ask for executions once a second: median {1000 * statistics.median(waits):.0f} ms, "
        f"p99 {1000 * worst:.0f} ms, wanted at most {1000 * MOST_SECONDS:.0f} ms: {holds}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlflow", type=Path, help="the folder of an environment that has mlflow, or will")
    mlflow: Path | None = parser.parse_args().mlflow
    tell_machine()
    folder = Path(tempfile.mkdtemp(prefix="mlops-console-"))
    try:
        folders = {}
        for size in (SMALL, LARGE):
            processes = project(folder / str(size), size)
            folders[size] = (folder / str(size), str(processes[f"{size}: show by id"].command[-1]))
        seconds = {**starts(folders[SMALL][0]), **pages(folders)}
        compared = beside(folder, mlflow) if mlflow is not None else {}
        waits = together(folders[LARGE][0])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell_seconds({**seconds, **compared})
    ratios = [
        Wanted(f"{name}, {LARGE} / {SMALL} executions", f"{LARGE}: {name}", f"{SMALL}: {name}", at_most=1.5)
        for name in PAGES
    ]
    if compared:
        ratios += [
            Wanted(
                f"mlflow server / mlops console, {what}", f"mlflow server: {runs}", f"mlops console: {ours}", at_least=5
            )
            for what, runs, ours in (
                ("a page", f"{SHOWN} of {RUNS} runs", f"{SHOWN} of {RUNS} executions"),
                ("all", f"{RUNS} runs", f"{RUNS} executions"),
            )
        ]
    tell_ratios([Wanted("start", START, BARE, at_most=3.0), *ratios], {**seconds, **compared})
    tell_waits(waits)
    return 0


if __name__ == "__main__":
    sys.exit(main())
