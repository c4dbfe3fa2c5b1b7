"""The servers of one model: one for each container, and what one answers is the next one's request.

An inference pipeline of the service passes each answer on with its own content type. Which Accept the containers
before the last get is not documented: here none, so that they answer in their default.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops.ir.dataclass import dataclass
from mlops.run.sandbox import Isolation
from mlops.run.serving.model_data import Container
from mlops.run.serving.model_server import STARTUP_SECONDS, STOP_SECONDS, ModelServer


@dataclass(frozen=True, slots=True)
class Reply:
    """Of the last container, or of the first that answered with an error. Names of ``headers`` are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class InferencePipeline:
    """At least one running server."""

    def __init__(self, servers: Sequence[ModelServer]) -> None:
        self.servers = tuple(servers)

    @classmethod
    def launch(
        cls,
        containers: Sequence[Container],
        log: Path,
        *,
        network: bool,
        extra: Mapping[str, str] | None = None,
        isolation: Isolation | None = None,
    ) -> InferencePipeline:
        """Start without waiting. ``extra`` are variables of every container."""
        servers: list[ModelServer] = []
        try:
            for container in containers:
                environment = {**container.environment, **(extra or {})}
                model = container.ml / "model"
                launched = ModelServer.launch(
                    model,
                    environment,
                    log,
                    isolation=isolation,
                    network=network,
                    algorithm=container.algorithm,
                    python=container.python,
                    contained=container.contained,
                )
                servers.append(launched)
        except BaseException:
            for server in servers:
                server.kill()
            raise
        return cls(servers)

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(server.port for server in self.servers)

    def ended(self) -> int | None:
        """The exit status of a server that does not run any more."""
        codes = (server.process.poll() for server in self.servers)
        return next((code for code in codes if code is not None), None)

    def wait_until_healthy(self, seconds: float = STARTUP_SECONDS) -> None:
        """Raises ModelServerFailed."""
        deadline = time.monotonic() + seconds
        for server in self.servers:
            server.wait_until_healthy(max(deadline - time.monotonic(), 0.0))

    def stop(self, grace_seconds: float = STOP_SECONDS) -> None:
        """SIGTERM to all, and after ``grace_seconds`` SIGKILL."""
        for server in self.servers:
            server.process.terminate()
        deadline = time.monotonic() + grace_seconds
        for server in self.servers:
            server.process.wait(max(deadline - time.monotonic(), 0.0))
        self.kill()

    def kill(self) -> None:
        for server in self.servers:
            server.kill()


def invoke(ports: Sequence[int], body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    """One request through the servers on ``ports``. ``seconds`` are for each. Raises TimeoutError, OSError and
    http.client.HTTPException."""
    passed = dict(headers)
    accept = passed.pop("Accept", None)
    reply = Reply(200, body, {})
    for position, port in enumerate(ports):
        if position == len(ports) - 1 and accept is not None:
            passed["Accept"] = accept
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            connection.request("POST", "/invocations", reply.body, passed)
            answered = connection.getresponse()
            reply = Reply(
                answered.status, answered.read(), {name.lower(): value for name, value in answered.getheaders()}
            )
        finally:
            connection.close()
        if reply.status >= 300:
            break
        if "content-type" in reply.headers:
            passed["Content-Type"] = reply.headers["content-type"]
    return reply
