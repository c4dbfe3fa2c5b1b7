"""A constant load on an endpoint: wrk where it is installed, else clients of our own in a process of their own.

Each of a few connections asks, waits for the answer, pauses, and asks again. ``python load.py URL PAUSE [FILE]`` is the
second kind; it tells what it saw, as JSON, when it is interrupted.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

CONNECTIONS = 8
PAUSE_MILLISECONDS = 60
CONTENT_TYPE = "text/csv"


@dataclass(slots=True)
class Seen:
    """By the clients. ``failed`` got no answer, or another than 200."""

    by: str
    requests: int = 0
    failed: int = 0


class Load:
    """Runs while it is entered; :attr:`seen` is told afterwards. Without ``body`` requests are numbers, from 1 on."""

    def __init__(self, url: str, body: Path | None, *, pause: int = PAUSE_MILLISECONDS) -> None:
        self._url, self._body, self._pause = url, body, pause
        self._scripts = tempfile.TemporaryDirectory(prefix="mlops-load-")
        self.seen = Seen("")

    def __enter__(self) -> Load:
        if shutil.which("wrk"):
            script = Path(self._scripts.name, "ask.lua")
            script.write_text(
                f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = '{CONTENT_TYPE}'\n"
                f"{_lua(self._body)}\nfunction delay() return {self._pause} end\n"
            )
            command = [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                "-d3600",
                "--timeout",
                "60",
                "-s",
                str(script),
                self._url,
            ]
        else:
            command = [
                sys.executable,
                __file__,
                self._url,
                str(self._pause),
                *([str(self._body)] if self._body else []),
            ]
        self._by_wrk = command[0] == "wrk"
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGINT)
        told, _ = self._process.communicate(timeout=90)
        self._scripts.cleanup()
        self.seen = _of_wrk(told) if self._by_wrk else Seen(**json.loads(told))


def _lua(body: Path | None) -> str:
    if body is not None:
        return f"wrk.body = {json.dumps(body.read_text(encoding='utf-8'))}"
    return "local n = 0\nfunction request()\n n = n + 1\n return wrk.format(nil, nil, nil, tostring(n))\nend"


def _of_wrk(told: str) -> Seen:
    """
    >>> _of_wrk("  120 requests in 6.02s, 1MB read\\n  Socket errors: connect 0, read 2, write 0, timeout 1\\n")
    Seen(by='wrk', requests=120, failed=3)
    """
    requests = re.search(r"(\d+) requests in", told)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if requests is None:
        raise SystemExit(f"wrk said: {told}")
    failed = sum(map(int, errors.groups())) if errors else 0
    return Seen("wrk", int(requests[1]), failed + (int(refused[1]) if refused else 0))


async def _ask(url: str, body: bytes | None, pause: float) -> Seen:
    at, seen, ended = urlsplit(url), Seen("clients in Python"), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    head = f"POST {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length:"

    async def client() -> None:
        writer: asyncio.StreamWriter | None = None
        while not ended.is_set():
            seen.requests += 1
            content = str(seen.requests).encode() if body is None else body
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(at.hostname, at.port)
                writer.write(f"{head} {len(content)}\r\n\r\n".encode() + content)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", answer)
                await reader.readexactly(int(length[1]) if length else 0)
                seen.failed += answer.split()[1] != b"200"
            except (OSError, asyncio.IncompleteReadError):
                seen.failed += 1
                writer = None
            await asyncio.sleep(pause)
        if writer is not None:
            writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return seen


if __name__ == "__main__":
    _, _url, _pause, *_files = sys.argv
    _body = Path(_files[0]).read_bytes() if _files else None
    print(json.dumps(asdict(asyncio.run(_ask(_url, _body, int(_pause) / 1000)))))
