"""The model servers' processes: places their files, starts and stops them. What waits here is for threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from mlops.account.local.images.shelf import Shelf
from mlops.account.local.process.ports import LocalObjects, LocalRegistry
from mlops.account.local.process.serving.happenings import ServerId
from mlops.account.local.process.serving.plans import Plan
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.run.beneath import remove
from mlops.run.log import exit_reason
from mlops.run.ports import ObjectMissing
from mlops.run.sandbox import probe
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.serving.model_data import Container, place_model

_PING = b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_PING_SECONDS = 2.0
_PAUSE_SECONDS = 0.02
_BEHIND = {"MLOPS_NICENESS": "10"}
"""Of a shadow's servers: they share the processors with those that somebody waits for."""
_log = logging.getLogger("mlops.runner")
_TAIL = 700
"""Letters of a log in a FailureReason, which is cut at its end: what was raised stands there."""


@dataclass(frozen=True, slots=True)
class Process:
    """One attempt of a server. ``descriptors`` are readable when one of its containers has something to tell. They are
    the loop's own: whoever asks a container whether it lives closes the container's when it has ended, and the number
    of a descriptor that is closed while a loop watches it may be the next client's, who would then wait for ever."""

    server: ServerId
    attempt: int
    pipeline: InferencePipeline
    log: Path
    descriptors: tuple[int, ...]

    @classmethod
    def of(cls, server: ServerId, attempt: int, pipeline: InferencePipeline, log: Path) -> Process:
        descriptors = tuple(os.dup(one.process.fileno()) for one in pipeline.servers)
        return cls(server, attempt, pipeline, log, descriptors)

    @property
    def key(self) -> str:
        return f"{self.server}#{self.attempt}"

    def release(self) -> None:
        """Of what nobody watches any more."""
        for descriptor in self.descriptors:
            os.close(descriptor)

    def roots(self) -> list[int]:
        """The first process of each that still runs."""
        found = []
        for one in self.pipeline.servers:
            with contextlib.suppress(ProcessLookupError):
                found.append(one.process.pid)
        return found

    def kill(self) -> None:
        try:
            self.pipeline.kill()
        except OSError as error:
            _log.warning("files of %s stay: %s", self.server, error)

    def terminate(self) -> None:
        for one in self.pipeline.servers:
            one.process.terminate()

    def ended(self) -> str | None:
        """Why, where one of them does not run any more."""
        code = self.pipeline.ended()
        return None if code is None else f"the model server ended, {exit_reason(code, self.log, _TAIL)}"


@dataclass(slots=True)
class _Instance:
    """The files that the workers of one instance share."""

    folder: Path
    users: int = 0
    containers: Sequence[Container] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Instances:
    """Called from several threads at once."""

    def __init__(self, state: State, folder: Path) -> None:
        self._state = state
        self._folder = folder
        self._found: dict[tuple[int, str, int], _Instance] = {}
        self._users: dict[ServerId, tuple[int, str, int]] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Files of a process that was killed serve nobody."""
        remove(self._folder / "models")
        (self._folder / "models").mkdir()

    def need(self, uri: str) -> None:
        """Raises ObjectMissing."""
        if uri not in LocalObjects(self._state).keys(uri):
            raise ObjectMissing(f"{uri} does not exist")

    def launch(self, server: ServerId, attempt: int, plan: Plan) -> Process:
        """Every start has a log of its own, as every instance has its own stream. Raises StepFailed, ObjectMissing,
        RequestRefused, Refusal and OSError."""
        instance = self._instance(server, plan.variant.workers)
        with instance.lock:
            if instance.containers is None:
                remove(instance.folder)
                registry = LocalRegistry(self._state, "")
                instance.containers = place_model(
                    plan.model, instance.folder, LocalObjects(self._state), registry, Shelf(self._state.folder)
                )
            containers = instance.containers
        log = self._folder / endpoints.LOG_FOLDER / server.variant / f"i-{uuid.uuid4().hex[:17]}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        isolation = probe()
        if not plan.network and not isolation.is_private:
            log.write_text(f"[mlops] EnableNetworkIsolation has no effect here: {isolation.reason}\n", encoding="utf-8")
        extra = _BEHIND if plan.variant.shadow else None
        pipeline = InferencePipeline.launch(containers, log, network=plan.network, extra=extra, isolation=isolation)
        return Process.of(server, attempt, pipeline, log)

    def discard(self, server: ServerId) -> None:
        """The last of an instance takes its files along."""
        with self._lock:
            key = self._users.pop(server, None)
            if key is None:
                return
            instance = self._found[key]
            instance.users -= 1
            if instance.users:
                return
            del self._found[key]
        try:
            remove(instance.folder)
        except OSError as error:
            _log.warning("the files of %s stay: %s", server, error)

    def _instance(self, server: ServerId, workers: int) -> _Instance:
        key = (server.fleet, server.variant, server.number // workers)
        with self._lock:
            instance = self._found.setdefault(key, _Instance(self._folder / "models" / uuid.uuid4().hex))
            if server not in self._users:
                self._users[server] = key
                instance.users += 1
        return instance


async def healthy(ports: Sequence[int]) -> None:
    """Returns when all answer their health checks."""
    for port in ports:
        while not await _answers(port):
            await asyncio.sleep(_PAUSE_SECONDS)


async def _answers(port: int) -> bool:
    try:
        async with asyncio.timeout(_PING_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(_PING)
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
