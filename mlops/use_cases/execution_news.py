"""What a use case tells of an execution that it starts or watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.ir.dataclass import dataclass
from mlops.use_cases.news import News

if TYPE_CHECKING:  # whoever listens need not load what it is told of
    from mlops.deploy.executions.awaited import Awaited
    from mlops.deploy.executions.following import ExecutionState
    from mlops.use_cases.connecting import Connected


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
