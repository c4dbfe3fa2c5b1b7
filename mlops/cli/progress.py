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
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from mlops.deploy.executions.awaited import Awaited
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.ir import Event
    from mlops.ir.values import Value

_TAIL_SECONDS = 2.0
_TAILED_STEPS = 4
_WAITING = 8
"""Lines for steps that have not begun; of more the number is told."""
_RUNNING = ("Starting", "Executing", "Stopping")
_STYLES = {"Succeeded": "green", "Failed": "red", "Executing": "yellow", "Starting": "yellow", "Stopped": "magenta"}


class Progress:
    """Hears of what happens, and tells it at the next look: of a step that went on meanwhile only the last. Everything
    goes to standard error."""

    def __init__(
        self, tail: Callable[[StepState], Sequence[str]] = lambda step: (), awaited: Sequence[Awaited] = ()
    ) -> None:
        """``tail`` gives the last lines that a step printed; it is asked on a terminal, for steps that run. ``awaited``
        is what the execution may reach."""
        self._steps: dict[str, Event] = {}
        self._news: dict[str, Event] = {}
        self._told: dict[str, Value] = {}
        self._began = time.monotonic()
        self._live: Live | None = None
        self._tail = tail
        self._awaited = awaited
        self._state: ExecutionState | None = None
        self._tails: Mapping[str, Sequence[str]] = {}
        self._tailed = self._began

    def __enter__(self) -> Self:
        self.draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()

    def draw(self) -> None:
        """On a terminal, until it is cleared."""
        if self._live is None and is_animated(sys.stderr):
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                get_renderable=self._render, console=Console(stderr=True), refresh_per_second=4, transient=True
            )
            self._live.__enter__()

    def clear(self) -> None:
        """Takes the picture away, so that something else can be told in its place."""
        if self._live is not None:
            self._live.__exit__(None, None, None)
            self._live = None

    def __call__(self, event: Event) -> None:
        if "step" in event.ids:
            self._steps[event.ids["step"]] = self._news[event.ids["step"]] = event

    def looked(self, state: ExecutionState) -> None:
        news, self._news = self._news, {}
        self._state = state
        if self._live is None:
            for name, event in news.items():
                if self._told.get(name) != event.detail["status"]:
                    self._told[name] = event.detail["status"]
                    talk(f"{name}: {event.detail['status']}{_took(event)}{_outcome(event)}")
            return
        if time.monotonic() < self._tailed + _TAIL_SECONDS:
            return
        running = [step for step in state.steps if step.status == "Executing"][:_TAILED_STEPS]
        self._tails = {step.name: self._tail(step) for step in running}
        self._tailed = time.monotonic()

    def _render(self) -> RenderableType:
        from rich.markup import escape
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        begun = {step.name: step for step in self._state.steps} if self._state is not None else {}
        for name, event in [*self._steps.items()]:
            status = str(event.detail["status"])
            took = _took(event) or (_takes(begun.get(name)) if status in _RUNNING else "")
            grid.add_row(escape(name), f"[{_STYLES.get(status, 'white')}]{status}[/]", took + _outcome(event))
            for line in self._tails.get(name, ()) if status == "Executing" else ():
                grid.add_row("", "", f"[dim]{escape(printable(line))}[/]")
        still = self._waiting()
        for name in still[:_WAITING]:
            grid.add_row(f"[dim]{escape(name)}[/]", "[dim]waiting[/]", "")
        if len(still) > _WAITING:
            grid.add_row(f"[dim]and {len(still) - _WAITING} more[/]", "[dim]waiting[/]", "")
        grid.add_row("", self._count(len(still)), f"{time.monotonic() - self._began:.1f} s")
        return grid

    def _waiting(self) -> tuple[str, ...]:
        from mlops.deploy.executions.awaited import waiting  # a run starts its runner before it loads this

        if self._state is None:
            names = tuple(step.name for step in self._awaited if not step.branches)
        else:
            names = waiting(self._awaited, self._state)
        return tuple(name for name in names if name not in self._steps)

    def _count(self, still: int) -> str:
        over = sum(event.detail["status"] not in _RUNNING for event in [*self._steps.values()])
        return f"{over} of {counted(len(self._steps) + still, 'step')}"


class Events:
    """Every change of a step or of the execution as one line of JSON on standard error, as it happens."""

    def draw(self) -> None:
        """Nothing is drawn."""

    def clear(self) -> None:
        """Nothing has to make room."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def looked(self, state: ExecutionState) -> None:
        """Nothing that has not changed is an event."""

    def __call__(self, event: Event) -> None:
        step, detail = event.ids.get("step"), event.detail
        more: dict[str, object]
        if step is not None:
            of, more = {"event": "step", "step": step}, {name: detail.get(name) for name in ("seconds", "cached")}
        else:
            of, more = {"event": "execution"}, {"arn": event.about}
        time_told = event.time.astimezone(UTC).isoformat(timespec="milliseconds")
        talk(
            json.dumps({**of, "status": detail["status"], "time": time_told, "failure": detail.get("failure"), **more})
        )


def summary(state: ExecutionState) -> list[tuple[str, str, str, str]]:
    """Rows of step, type, status, seconds."""
    return [
        (
            step.name,
            step.kind,
            step.status
            + _named(
                "stub"
                if step.stub
                else "cached"
                if step.cached
                else _not_cleaned(step) or step.metadata.get("Condition", {}).get("Outcome")
            ),
            "" if step.seconds is None else f"{step.seconds:.1f}",
        )
        for step in state.steps
    ]


def _not_cleaned(step: StepState) -> str | None:
    failed = step.metadata.get("Cleanup", {}).get("FailedSteps")
    return f"{len(failed)} not cleaned up" if failed else None


def _takes(step: StepState | None) -> str:
    """Of one that runs."""
    if step is None or step.started is None:
        return ""
    return f"for {(datetime.now(UTC) - step.started).total_seconds():.0f} s"


def _took(event: Event) -> str:
    seconds = event.detail.get("seconds")
    served = event.detail.get("cached") or event.detail.get("stub")
    return "" if seconds is None or served else f" in {seconds:.1f} s"


def _outcome(event: Event) -> str:
    served = next((word for word in ("stub", "cached") if event.detail.get(word)), None)
    return _named(served or event.detail.get("outcome"))


def _named(outcome: object) -> str:
    return f" ({outcome})" if outcome else ""
