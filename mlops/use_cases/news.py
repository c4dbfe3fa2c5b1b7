"""What a use case tells while it is under way. Unlike other events these are kept nowhere: each holds the value itself
that it is about, for whoever shows it in this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops.ir import Event, Finding, MlopsError

if TYPE_CHECKING:  # whoever listens need not load what it is told of
    from mlops.deploy.executions.awaited import Awaited
    from mlops.deploy.executions.following import ExecutionState
    from mlops.use_cases.connecting import Connected


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Event):
    kind: str = "use-case.told"
    time: datetime = field(default_factory=_now)
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(News):
    """A sentence for people."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(News):
    """What the checker finds in the targets, before anything is done with them."""

    kind: str = "targets.judged"
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(News):
    """One of several things could not be done; the others are gone on with."""

    kind: str = "use-case.failed"
    error: MlopsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Began(News):
    """An execution of the pipeline ``about``; ``file`` is what was started, where that can be run again as it is."""

    kind: str = "execution.began"
    arn: str
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaits(News):
    """An execution, by its ARN, that is going to be watched: what it may reach."""

    kind: str = "execution.awaits"
    steps: tuple[Awaited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked(News):
    """What an execution and its steps did until now was told; this is all that is known."""

    kind: str = "execution.looked"
    connected: Connected
    state: ExecutionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(News):
    """An execution that was watched, before notices of it are sent, which may take their time."""

    kind: str = "execution.ended"
    connected: Connected
    state: ExecutionState
