"""Starts and stops the server of one model in a sandbox, for Transform steps and for endpoints of the local account."""

from __future__ import annotations

import http.client
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from mlops.run import containers
from mlops.run.beneath import remove
from mlops.run.containers import Container, Place
from mlops.run.log import exit_reason
from mlops.run.ports import Interpreter
from mlops.run.sandbox import Box, Boxed, Isolation, probe, start

STARTUP_SECONDS = 240.0  # the service's default health check timeout
STOP_SECONDS = 30.0
WORKERS, THREADS = "SAGEMAKER_MODEL_SERVER_WORKERS", "SAGEMAKER_GUNICORN_THREADS"
_PING_SECONDS = 2.0
_ENTRY = Path(__file__).with_name("entry.py")
_START = "import runpy, sys; sys.path.pop(0); runpy.run_path(sys.argv[1], run_name='__main__')"
"""Without the modules beside that file, as by -P, which Python has since 3.11."""


def workers_of(environment: Mapping[str, str]) -> int:
    """Processes that a container is to have, as the inference toolkits are told it.

    >>> workers_of({"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}), workers_of({})
    (2, 1)
    """
    return _count(environment.get(WORKERS))


def threads_of(environment: Mapping[str, str]) -> int:
    """Requests that one process works on at a time."""
    return _count(environment.get(THREADS))


def _count(text: str | None) -> int:
    return max(int(text), 1) if text is not None and text.isascii() and text.isdigit() else 1


class ModelServerFailed(Exception):
    """It did not start; the text says why, with the end of its log."""


class ModelServer:
    """A running server on ``port`` of 127.0.0.1. Use as a context manager, or call :meth:`stop`."""

    def __init__(self, process: Boxed, port: int, log: Path, scratch: Path) -> None:
        self.process = process
        self.port = port
        self.log = log
        self._scratch = scratch

    @classmethod
    def launch(
        cls,
        model_dir: Path,
        environment: Mapping[str, str],
        log: Path,
        port: int | None = None,
        isolation: Isolation | None = None,
        network: bool = True,
        algorithm: str | None = None,
        python: Interpreter | None = None,
        contained: Container | None = None,
    ) -> ModelServer:
        """Start without waiting. ``algorithm`` is the built-in one that answers, where it is not the model's own code;
        ``python`` is what it runs with, by default this one; ``contained`` is what an engine starts instead.
        ``model_dir`` is named ``model``; its parent becomes ``/opt/ml``. Raises OSError where
        ``port`` is taken."""
        if model_dir.name != "model":
            raise ValueError(f"{model_dir} is to be named model: its parent becomes /opt/ml")
        scratch = Path(tempfile.mkdtemp(prefix="server-", dir=model_dir.parent.parent))
        # The server inherits the socket that we bind, so that nobody can take the port in between.
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", port or 0))
            except OSError:
                remove(scratch)
                raise
            bound = listening.getsockname()[1]
            if contained is not None:
                listening.close()  # the engine itself is to listen there
                place = Place(f"server-{scratch.name}-{bound}", model_dir.parent, scratch / "tmp", log)
                process = containers.start(contained, place, environment, network=network, port=bound)
                return cls(process, bound, log, scratch)
            process = start(
                [sys.executable, "-P", str(_ENTRY)]
                if python is None
                else [str(python.executable), "-c", _START, str(_ENTRY)],
                Box(model_dir.parent, scratch, isolation or probe(), network, python=python),
                environment={
                    **environment,
                    "SAGEMAKER_BIND_TO_PORT": str(bound),
                    "MLOPS_LISTEN_FD": str(listening.fileno()),
                    **({"MLOPS_ALGORITHM": algorithm} if algorithm is not None else {}),
                },
                log=log,
                pass_fds=(listening.fileno(),),
            )
        return cls(process, bound, log, scratch)

    @classmethod
    def start(
        cls,
        model_dir: Path,
        environment: Mapping[str, str],
        log: Path,
        port: int | None = None,
        *,
        isolation: Isolation | None = None,
        startup_seconds: float = STARTUP_SECONDS,
    ) -> ModelServer:
        """:meth:`launch` and :meth:`wait_until_healthy`."""
        server = cls.launch(model_dir, environment, log, port, isolation)
        try:
            server.wait_until_healthy(startup_seconds)
        except BaseException:
            server.kill()
            raise
        return server

    def wait_until_healthy(self, seconds: float = STARTUP_SECONDS) -> None:
        """Raises :class:`ModelServerFailed`."""
        deadline = time.monotonic() + seconds
        while not self.healthy():
            code = self.process.poll()
            if code is not None:
                raise ModelServerFailed(f"the model server ended, {exit_reason(code, self.log)}")
            if time.monotonic() > deadline:
                raise ModelServerFailed(f"the model server did not answer /ping within {seconds:g} seconds")
            time.sleep(0.05)

    def healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PING_SECONDS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and after ``grace_seconds`` SIGKILL."""
        self.process.terminate()
        self.process.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        remove(self._scratch)

    def __enter__(self) -> ModelServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
