"""One attempt of one step, as its action gets it, and the names and times that the service would make up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.ir import Checked, JobKind, Step, StepType
from mlops.ir.dataclass import dataclass
from mlops.knowledge.this_machine import of_step
from mlops.run.outcome import StepFailed
from mlops.run.output import note
from mlops.run.pace import Pace
from mlops.run.ports import Execution, Interpreter, Ports
from mlops.run.sandbox import Box, Isolation
from mlops.run.tidying import Tidying

NAME_LIMIT = 63  # botocore: names of models and of most jobs

FIRST_HOST = "algo-1"


class Prepared(Exception):
    """What would have been started; its folders are as the command would find them."""

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], cwd: str, python: Interpreter | None = None
    ) -> None:
        super().__init__(command, cwd)
        self.python = python
        self.command = command
        self.environment = environment
        self.cwd = cwd


@dataclass(frozen=True, slots=True)
class Work:
    """``request`` is the step's Arguments with every expression evaluated, ``members`` are those beside them.
    ``folder`` belongs to this attempt alone. ``name`` is what the job or model is to be called. ``earlier`` has the
    results of the steps that ended well, by name, also of those that end later."""

    step: Step
    request: Mapping[str, Any]
    execution: Execution
    ports: Ports
    folder: Path
    log: Path
    name: str
    isolation: Isolation
    pace: Pace
    checked: Checked
    step_type: StepType | None = None
    only_prepare: bool = False
    host: str = FIRST_HOST
    members: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tidying: Tidying | None = None

    @property
    def job_kind(self) -> JobKind:
        """Raises :class:`StepFailed` where the type of step starts no job."""
        if self.step_type is None or self.step_type.job is None:
            raise StepFailed(f"a step of type {self.step.type} starts no job: its StepType names none")
        return self.step_type.job

    @property
    def opt_ml(self) -> Path:
        """The folder that the step sees as ``/opt/ml``."""
        return self.folder / "ml"

    def need_possible(self, request: Mapping[str, Any]) -> None:
        """Raises :class:`StepFailed` for what cannot run on this machine, whatever lies on it."""
        action = self.step_type.action if self.step_type is not None else None
        for obstacle in of_step(self.step.type, action, request):
            raise StepFailed(obstacle.message)

    def on(self, host: str) -> Work:
        """The same attempt as another of its hosts has it, with folders and a log of its own."""
        if host == FIRST_HOST:
            return self
        return replace(self, folder=self.folder / "hosts" / host, log=self.log.with_name(f"log-{host}.txt"), host=host)

    def starting(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        cwd: str = "/tmp",  # noqa: S108 - the step's own
        python: Interpreter | None = None,
    ) -> None:
        """To be called when all is in place. With ``only_prepare`` raises :class:`Prepared`: nothing starts."""
        if self.only_prepare:
            raise Prepared(tuple(command), dict(environment), cwd, python)

    def box(self, *, network: bool = True, python: Interpreter | None = None) -> Box:
        """The sandbox for this attempt's command, which runs with ``python``, or with this one."""
        if not network and not self.isolation.is_private:
            self.note(f"EnableNetworkIsolation has no effect here: {self.isolation.reason}")
        return Box(self.opt_ml, self.folder / "scratch", self.isolation, network, self.ports.secret, python)

    def arn(self, kind: str) -> str:
        """``kind`` is e.g. ``training-job``."""
        partition = self.execution.execution_arn.split(":")[1]
        return f"arn:{partition}:sagemaker:{self.execution.region}:{self.execution.account}:{kind}/{self.name}"

    def note(self, text: str) -> None:
        """A line of ours in the step's log."""
        note(self.log, text)


def job_name(execution_id: str, step: str, attempt: int, base: str | None = None, limit: int = NAME_LIMIT) -> str:
    """The same for the same attempt. ``base`` is a name that the definition itself gives; the service appends to it.

    >>> job_name("abc123", "Train", 1)
    'pipelines-abc123-Train-flltzqer9f'
    >>> job_name("abc123def456", "Tune", 1, limit=32)
    'abc123def456-Tune-4tdpxceif5'
    """
    digest = hashlib.sha256(f"{execution_id}/{step}/{attempt}".encode()).digest()
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    suffix = "".join(alphabet[byte % 36] for byte in digest[:10])
    whole = f"{execution_id}-{step}" if limit < NAME_LIMIT else f"pipelines-{execution_id}-{step}"
    front = re.sub(r"[^A-Za-z0-9]+", "-", base or whole).strip("-")
    return f"{front[: limit - len(suffix) - 1].rstrip('-')}-{suffix}"


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Times in responses are text, so that a response is JSON: ``2026-11-22T03:04:05.678Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
