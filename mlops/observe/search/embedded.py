"""OpenSearch on a machine that has none: osmem-server, one program that keeps all in memory, for as long as its owner
lives. It listens on this machine alone, and ends when its standard input does."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from mlops.ir import AccountError, ConfigurationError
from mlops.ir.dataclass import dataclass

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where it is, as an environment's table would say."""

    url: str
    auth: Literal["aws", "basic", "none"] = "none"
    service: Literal["es", "aoss"] = "es"
    user: str | None = None
    password_env: str | None = None


@contextmanager
def embedded(port: int = 0) -> Iterator[Embedded]:
    """
    Raises:
        ConfigurationError: it is not installed, or has no program for this machine.
        AccountError: it does not start.
    """
    if importlib.util.find_spec("osmem_server") is None:
        raise ConfigurationError(
            "there is no OpenSearch here: the environment names none, and osmem-server is not installed",
            hint="python -m pip install osmem-server, or write [env.local.search] with url in mlops.toml",
        )
    from osmem_server import OsmemError, resolve_binary

    try:
        program = resolve_binary()
    except OsmemError as error:
        raise ConfigurationError(f"osmem-server has no program for this machine: {error}") from None
    process = subprocess.Popen(
        [program, "--parent-pid", str(os.getpid()), "--no-ja", "--addr", f"127.0.0.1:{port}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for its owner, who may have a last thing to put
    )
    try:
        yield Embedded(_url(process))
    finally:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - asked for above
        process.kill()  # it holds nothing that is not elsewhere
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _url(process: subprocess.Popen[bytes]) -> str:
    """What it says when it listens."""
    found: list[str] = []

    def read() -> None:
        assert process.stdout is not None  # noqa: S101 - asked for above
        for line in process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict) and "url" in told:
                found.append(str(told["url"]))
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(_SECONDS)
    if not found:
        raise AccountError("osmem-server did not start", hint="is its port in use? another one: --port")
    return found[0]
