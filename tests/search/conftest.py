"""A real OpenSearch for the tests of this folder: skipped where ``make opensearch`` did not make one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.observe.search.asking import Answered, Ask, asking
from mlops.observe.search.embedded import embedded
from mlops.use_cases.searched import OF
from tests.observe.search.place import At
from tests.search.assembling import HOME, assemble, is_whole

PATIENCE = 180.0
"""Seconds until it answers: a Java program on a machine that others use."""
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""It runs for half a minute: to compile it for speed took more of the processor than all tests."""


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL."""
    if shutil.which("java") is None:
        pytest.skip("there is no OpenSearch here, for there is no java")
    if not is_whole():
        if "MLOPS_BROUGHT" in os.environ:
            pytest.skip("there is no OpenSearch here, for its parts could not be had")
        try:
            assemble()
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"there is no OpenSearch here, for its parts cannot be had: {error}")
    folder = tmp_path_factory.mktemp("opensearch")
    http, transport = _free(), _free()
    settings = [
        f"path.data={folder / 'data'}",
        f"path.logs={folder / 'logs'}",
        f"http.port={http}",
        f"transport.port={transport}",
    ]
    command = ["java", *QUICK, "-Xmx1g", "-cp", f"{HOME}/lib/*:{HOME}", "Launch", str(HOME), *settings]
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


@pytest.fixture(scope="session")
def osmem() -> Iterator[str]:
    """The URL of the embedded one."""
    with embedded() as found:
        yield found.url


@pytest.fixture(params=["osmem", pytest.param("opensearch", marks=pytest.mark.proof("search"))])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Of either, with nothing of ours."""
    found = asking(At(request.getfixturevalue(request.param)), "us-east-1", lambda: None)
    emptied(found)
    return found


def emptied(ask: Ask) -> None:
    """As nobody has set it up."""
    for name in OF.values():
        for path in (f"/{name}*?expand_wildcards=all", f"/_index_template/{name}"):
            try:
                ask("DELETE", path, None)
            except Answered as refused:
                if refused.status != 404:
                    raise


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
