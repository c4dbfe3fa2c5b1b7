"""Names of what a machine makes: new for an execution, a try and an iteration."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from mlops.emit.states.jsonata import DATA, expression, literal, name
from mlops.emit.states.retrying import Again
from mlops.emit.states.work import Work
from mlops.ir import Value

_ID_LENGTH = 12
_TAIL = 9
"""What tries and iterations add to a name."""
_LIMIT = 63
_TRY = "$states.context.Execution.RedriveCount & 'r' & $states.context.State.RetryCount"
"""A job that failed has its name for good: tried again it is another one's."""


def name_of(work: Work, given: Value) -> str:
    """JSONata of the name of what a step makes; what a definition gives is its beginning."""
    job = work.known.job if work.known is not None else None
    limit = job.name_limit if job is not None else _LIMIT
    parts = [f"{DATA}.Execution.Id", _TRY, *_counted(work)]
    room = limit - _ID_LENGTH - _TAIL - 2
    short = _short(work.step.name, room if limit < _LIMIT else room - len("pipelines-"))
    if given is not None:
        base = (
            literal(_short(given, room))
            if isinstance(given, str)
            else f"$substring({expression(given, work.words())}, 0, {room})"
        )
        return f"{base} & '-' & {' & '.join(_dashed(parts))}"
    front = "" if limit < _LIMIT else "'pipelines-' & "
    return f"{front}{parts[0]} & {literal(f'-{short}-')} & {' & '.join(_dashed(parts[1:]))}"


def _counted(work: Work) -> list[str]:
    found = [f"{DATA}.Loop.Index"] if work.scope.looped else []
    return [*found, *(f"{DATA}.Tries.{name(key)}" for key in Again.keys(work.step))]


def _dashed(parts: Sequence[str]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield "'-'"
        yield part


def _short(text: str, room: int) -> str:
    """As names of jobs are spelled; what has to be cut stays another one's."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    if len(plain) <= room:
        return plain
    digest = hashlib.sha256(text.encode()).hexdigest()[:4]
    return f"{plain[: room - 5].rstrip('-')}-{digest}"
