"""An execution while it runs: a live table on a terminal, one line per change elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mlops.cli.printing import is_animated, printable, talk

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from mlops.deploy.executions.following import ExecutionState, StepState

_TAIL_SECONDS = 2.0
_TAILED_STEPS = 4
_STYLES = {"Succeeded": "green", "Failed": "red", "Executing": "yellow", "Starting": "yellow", "Stopped": "magenta"}


class Progress:
    """Called with each new state. Everything goes to standard error."""

    def __init__(self, tail: Callable[[StepState], Sequence[str]] = lambda step: ()) -> None:
        """``tail`` gives the last lines that a step printed; it is asked on a terminal, for steps that run."""
        self._told: dict[str, str] = {}
        self._began = time.monotonic()
        self._live: Live | None = None
        self._state: ExecutionState | None = None
        self._tail = tail
        self._tails: Mapping[str, Sequence[str]] = {}
        self._tailed = self._began

    def __enter__(self) -> Self:
        if is_animated(sys.stderr):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                get_renderable=self._render, console=Console(stderr=True), refresh_per_second=4, transient=True
            )
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, traceback)

    def __call__(self, state: ExecutionState) -> None:
        self._state = state
        if self._live is not None:
            return
        for step in state.steps:
            if self._told.get(step.name) != step.status:
                self._told[step.name] = step.status
                talk(f"{step.name}: {step.status}{_took(step)}{_outcome(step)}")

    def looked(self, state: ExecutionState) -> None:
        if self._live is None or time.monotonic() < self._tailed + _TAIL_SECONDS:
            return
        running = [step for step in state.steps if step.status == "Executing"][:_TAILED_STEPS]
        self._tails = {step.name: self._tail(step) for step in running}
        self._tailed = time.monotonic()

    def _render(self) -> RenderableType:
        from rich.markup import escape
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        for step in self._state.steps if self._state else ():
            grid.add_row(
                step.name, f"[{_STYLES.get(step.status, 'white')}]{step.status}[/]", _took(step) + _outcome(step)
            )
            for line in self._tails.get(step.name, ()) if step.status == "Executing" else ():
                grid.add_row("", "", f"[dim]{escape(printable(line))}[/]")
        grid.add_row("", f"{time.monotonic() - self._began:.1f} s")
        return grid


class Events:
    """Every change of a step or of the execution as one line of JSON on standard error, as it happens."""

    def __init__(self) -> None:
        self._told: dict[str | None, tuple[str, str | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def looked(self, state: ExecutionState) -> None:
        """Nothing that has not changed is an event."""

    def __call__(self, state: ExecutionState) -> None:
        for step in state.steps:
            self._tell(step.name, step.status, step.failure, seconds=step.seconds, cached=step.cached)
        self._tell(None, state.status, state.failure, arn=state.arn)

    def _tell(self, step: str | None, status: str, failure: str | None, **more: object) -> None:
        if self._told.get(step) == (status, failure):
            return
        self._told[step] = (status, failure)
        event = {"event": "step", "step": step} if step is not None else {"event": "execution"}
        time_now = datetime.now(UTC).isoformat(timespec="milliseconds")
        talk(json.dumps({**event, "status": status, "time": time_now, "failure": failure, **more}))


def summary(state: ExecutionState) -> list[tuple[str, str, str, str]]:
    """Rows of step, type, status, seconds."""
    return [
        (step.name, step.kind, step.status + _outcome(step), "" if step.seconds is None else f"{step.seconds:.1f}")
        for step in state.steps
    ]


def _took(step: StepState) -> str:
    return "" if step.seconds is None or step.cached else f" in {step.seconds:.1f} s"


def _outcome(step: StepState) -> str:
    outcome = "cached" if step.cached else step.metadata.get("Condition", {}).get("Outcome")
    return f" ({outcome})" if outcome else ""
