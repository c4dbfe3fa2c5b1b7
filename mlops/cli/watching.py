"""An execution while it is watched, and how it ended: for `run`, `start`, `executions show` and `retry`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mlops.cli.listening import hear
from mlops.cli.printing import print_json, printable, table, talk
from mlops.cli.progress import Events, Progress, summary
from mlops.ir import Event, Refusal
from mlops.ir.one_line import in_one_line
from mlops.use_cases.execution_news import Awaits, Began, Ended, Looked
from mlops.use_cases.news import News, Said

if TYPE_CHECKING:  # a run starts its runner before it loads these
    from mlops.deploy.executions.awaited import Awaited
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.use_cases.connecting import Connected
    from mlops.use_cases.executions import Failure

_TAIL = 3
"""Lines of a running step's log that are shown on a terminal."""


class Watching:
    """A listener."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._file: str | None = None
        self._connected: Connected | None = None
        self._awaited: Sequence[Awaited] = ()
        self._progress: Events | Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, event: Event) -> None:
        match event:
            case Began(about=name, arn=arn, file=file):
                self._file = file
                if not self._as_json:
                    talk(f"{name}: execution {arn.rpartition('/')[2]}")
            case Awaits(steps=steps):
                self._awaited = steps
                self._shown()
            case Looked(connected=connected, state=state):
                self._connected = connected
                self._shown().looked(state)
                if state.ended:
                    self._end()
            case Ended(connected=connected, state=state):
                tell(connected, state, as_json=self._as_json, file=self._file)
                # A notice that follows may take its time.
                sys.stdout.flush()
            case Said(text=text) if self._as_json:
                talk(json.dumps({"event": "note", "text": text}, ensure_ascii=False))
            case News():
                if self._progress is not None:
                    self._progress.clear()
                hear(event)
                if self._progress is not None:
                    self._progress.draw()
            case _:
                self._shown()(event)

    def _shown(self) -> Events | Progress:
        if self._progress is None:
            self._progress = Events() if self._as_json else Progress(self._tail, self._awaited)
            self._progress.__enter__()
        return self._progress

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
        self._progress = None

    def _tail(self, step: StepState) -> tuple[str, ...]:
        from mlops.use_cases.watching import tail

        return tail(self._connected, step, _TAIL) if self._connected is not None else ()


def tell(connected: Connected, state: ExecutionState, *, as_json: bool, file: str | None) -> None:
    """The steps on standard output, the reason of a failure on standard error."""
    from mlops.use_cases.executions import as_dictionary, failures

    if as_json:
        print_json(as_dictionary(connected, state, file))
    else:
        table(("STEP", "TYPE", "STATUS", "SECONDS"), summary(state))
    for failure in failures(connected, state, file):
        tell_failure(failure)
    if state.status == "Succeeded" and not as_json:
        talk(f"execution {state.id} of {state.pipeline} succeeded")


def need_success(state: ExecutionState, elsewhere: str = "") -> None:
    """Raises Refusal where it did not succeed. ``elsewhere`` is the option of its environment."""
    from mlops.use_cases.executions import way_on

    if state.status == "Succeeded":
        return
    reason = f": {state.failure}" if state.failure else ""
    has_log = any(step.job for step in state.steps if step.status == "Failed")
    log = f"`mlops executions logs {state.id} STEP{elsewhere}` shows the whole log" if has_log else None
    ways = [way for way in (way_on(state, elsewhere), log) if way is not None]
    raise Refusal(f"execution {state.id} of {state.pipeline} is {state.status}{reason}", hint="; ".join(ways) or None)


def tell_failure(failure: Failure) -> None:
    shown = [printable(line) for line in failure.log]
    reason = [printable(line) for line in (failure.step.failure or "no reason was given").splitlines()]
    talk(f"{failure.step.name} failed: " + "\n  ".join(_without_log(reason, shown)))
    for line in shown:
        talk(f"  | {line}")
    if failure.replay is not None:
        talk(f"  replay it here: {failure.replay}")
        if not failure.is_as_it_is_now:
            talk("  that takes the code that ran; with the pipeline file behind `run` it takes the code as it is now")
    sys.stderr.flush()


def short_reason(failure: str) -> str:
    """In one line, and of that no more than a terminal shows."""
    return printable(in_one_line(failure))


def _without_log(reason: Sequence[str], shown: Sequence[str]) -> Sequence[str]:
    """The reason may quote the end of the log, which follows anyway; of that its last line says most."""
    first, last = reason[0], reason[-1]
    quoted = next((line for line in shown if first.endswith(f": {line}")), None)
    if len(reason) == 1 or quoted is None or last not in shown:
        return [line for line in reason if line not in shown] or reason
    return [first.removesuffix(quoted) + last, *(line for line in reason[1:] if line not in shown)]
