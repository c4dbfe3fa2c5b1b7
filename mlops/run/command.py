"""A step that is one command, or the same on several hosts, in sandboxes: watched, limited in time and in what it
takes, stopped as the service stops a container."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run import containers
from mlops.run.cluster import Cluster
from mlops.run.containers import Container, Place
from mlops.run.limits import Limits, Watch
from mlops.run.log import exit_reason, last_lines
from mlops.run.outcome import JOB_INTERNAL_ERROR, Outcome
from mlops.run.output import bound
from mlops.run.ports import Interpreter
from mlops.run.sandbox import Boxed, start
from mlops.run.transfer import Upload
from mlops.run.work import Work

_NOT_THE_SCRIPT = (125, 137)
"""No sandbox; SIGKILL, which nobody but the system or a person sends: too little memory."""


@dataclass(frozen=True, slots=True)
class HostCommand:
    """What one host is to run. ``work`` is the host's own, ``uploads`` are stored while it runs and once behind it,
    ``python`` stands for the image's. Where there is a ``container``, that is started in the place of the command."""

    work: Work
    command: Sequence[str]
    environment: Mapping[str, str]
    cwd: str = "/tmp"  # noqa: S108 - the step's own
    uploads: Sequence[Upload] = ()
    limits: Limits = field(default_factory=Limits)
    python: Interpreter | None = None
    container: Container | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """``stopped``: somebody asked for it. ``timed_out``: it ran longer than its limit. ``interrupted``: its instances
    were taken away. ``exceeded`` says how it took more than it may. ``host`` is the position of the one that
    decided."""

    code: int
    stopped: bool
    timed_out: bool
    interrupted: bool = False
    exceeded: str | None = None
    host: int = 0


class _Running:
    def __init__(self, planned: HostCommand, boxed: Boxed) -> None:
        self.planned = planned
        self.boxed = boxed
        work = planned.work
        self.watch = Watch(boxed, (work.opt_ml, work.folder / "scratch" / "tmp"), planned.limits)


class CommandTask:
    """``finish`` turns the end of all commands into the step's outcome; it may raise StepFailed, and answers None where
    the step is to go on otherwise. One host that fails ends the others."""

    def __init__(
        self,
        planned: Sequence[HostCommand],
        cluster: Cluster,
        *,
        network: bool,
        metadata: Mapping[str, Any],
        limit_seconds: float | None,
        finish: Callable[[Ended], Outcome | None],
        upload_seconds: float | None = None,
    ) -> None:
        self.metadata = metadata
        self.stored = 0
        """How many files were stored while it ran."""

        self.over = False
        self._hosts: list[_Running] = []
        for host, item in zip(cluster.hosts, planned, strict=True):
            if item.container is not None:
                work = item.work
                place = Place(
                    f"{work.name}-{host.name}",
                    work.opt_ml,
                    work.folder / "scratch" / "tmp",
                    work.log,
                    work.ports.secret,
                )
                boxed = containers.start(item.container, place, item.environment, network=network, hostname=host.name)
                self._hosts.append(_Running(item, boxed))
                continue
            boxed = start(
                item.command,
                item.work.box(network=network, python=item.python),
                environment=item.environment,
                log=item.work.log,
                cwd=item.cwd,
                hostname=host.name,
                hosts=cluster.addresses,
                share_network_with=self._hosts[0].boxed if self._hosts else None,
            )
            self._hosts.append(_Running(item, boxed))
        pace = planned[0].work.pace
        self._grace = pace.grace
        self._finish = finish
        self._upload_seconds = pace.uploads if upload_seconds is None else upload_seconds
        self._upload_at = time.monotonic() + self._upload_seconds
        self._deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
        self._kill_at: float | None = None
        self._stopped = self._timed_out = self._interrupted = False
        self._failed: int | None = None
        self._exceeded: str | None = None

    def poll(self) -> Outcome | None:
        codes = [host.boxed.poll() for host in self._hosts]
        if self._failed is None and self._kill_at is None:
            self._failed = next((position for position, code in enumerate(codes) if code), None)
        moment = time.monotonic()
        if None not in codes:
            return self._end([code or 0 for code in codes])
        if moment >= self._upload_at:
            self._upload()
            self._upload_at = time.monotonic() + self._upload_seconds
        if self._exceeds(codes):
            return None
        if self._kill_at is not None:
            if moment >= self._kill_at:
                self.kill()
        elif self._failed is not None:
            self._terminate()
        elif self._deadline is not None and moment >= self._deadline:
            self._timed_out = True
            self._terminate()
        return None

    def stop(self) -> None:
        self._stopped = True
        if self._kill_at is None:
            self._terminate()

    def interrupt(self) -> None:
        """Its instances are taken away, as those of a spot job are: SIGTERM first."""
        self._interrupted = True
        if self._kill_at is None:
            self._terminate()

    def kill(self) -> None:
        for host in self._hosts:
            host.boxed.kill()

    def _end(self, codes: Sequence[int]) -> Outcome | None:
        self.over = True
        self._upload()
        if self._exceeded is None and not (self._stopped or self._timed_out or self._interrupted):
            told = [host.watch.filled() for host in self._hosts]
            position = next((position for position, text in enumerate(told) if text), None)
            if position is not None:
                self._failed, self._exceeded = position, told[position]
        decided = self._failed if self._failed is not None else 0
        code = codes[decided]
        outcome = self._finish(Ended(code, self._stopped, self._timed_out, self._interrupted, self._exceeded, decided))
        for host in self._hosts:
            bound(host.planned.work.log)
        asked = self._stopped or self._timed_out or self._exceeded is not None
        if outcome is not None and outcome.status == "Failed" and code in _NOT_THE_SCRIPT and not asked:
            return replace(outcome, fault=JOB_INTERNAL_ERROR)
        return outcome

    def _exceeds(self, codes: Sequence[int | None]) -> bool:
        for position, host in enumerate(self._hosts):
            if codes[position] is None and (told := host.watch.exceeded()) is not None:
                if self._exceeded is None:
                    self._failed, self._exceeded = position, told
                self.kill()
                return True
        return False

    def _upload(self) -> None:
        for host in self._hosts:
            self.stored += sum(upload.changed() for upload in host.planned.uploads)

    def _terminate(self) -> None:
        self._kill_at = time.monotonic() + self._grace
        for host in self._hosts:
            host.boxed.terminate()


def failure_reason(ended: Ended, hosts: Sequence[Work]) -> str:
    """For a command that gave no reason itself: what ended it, and the end of the log of the host that decided."""
    log = hosts[ended.host].log
    of_host = f"{hosts[ended.host].host}: " if len(hosts) > 1 else ""
    if ended.exceeded is None:
        return of_host + exit_reason(ended.code, log)
    told = last_lines(log)
    return f"{of_host}{ended.exceeded}{': ' + told if told else ''}"


def runtime_limit(request: Mapping[str, Any]) -> float | None:
    limit = (request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
    return float(limit) if isinstance(limit, int) else None
