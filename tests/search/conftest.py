"""A real OpenSearch for the tests of this folder: skipped where ``make opensearch`` did not make one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.assembling import HOME, is_whole

PATIENCE = 180.0
"""Seconds until it answers: a Java program on a machine that others use."""


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL."""
    if not is_whole() or shutil.which("java") is None:
        pytest.skip("there is no OpenSearch here: `make opensearch` puts one together")
    folder = tmp_path_factory.mktemp("opensearch")
    http, transport = _free(), _free()
    settings = [
        f"path.data={folder / 'data'}",
        f"path.logs={folder / 'logs'}",
        f"http.port={http}",
        f"transport.port={transport}",
    ]
    command = ["java", "-Xmx1g", "-cp", f"{HOME}/lib/*:{HOME}", "Launch", str(HOME), *settings]
    log = folder / "out"
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{http}"
        _wait(url, server, log)
        yield url
    finally:
        server.kill()
        server.wait()


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"OpenSearch did not answer:\n{log.read_text(errors='replace')[-3000:]}")
