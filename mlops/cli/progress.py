"""An execution while it runs: a live table on a terminal, one line per change elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mlops.cli.printing import is_animated, printable, talk

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.ir import Event
    from mlops.ir.values import Value

_TAIL_SECONDS = 2.0
_TAILED_STEPS = 4
_STYLES = {"Succeeded": "green", "Failed": "red", "Executing": "yellow", "Starting": "yellow", "Stopped": "magenta"}


class Progress:
    """Hears of what happens, and tells it at the next look: of a step that went on meanwhile only the last. Everything
    goes to standard error."""

    def __init__(self, tail: Callable[[StepState], Sequence[str]] = lambda step: ()) -> None:
        """``tail`` gives the last lines that a step printed; it is asked on a terminal, for steps that run."""
        self._steps: dict[str, Event] = {}
        self._news: dict[str, Event] = {}
        self._told: dict[str, Value] = {}
        self._began = time.monotonic()
        self._live: Live | None = None
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

    def __call__(self, event: Event) -> None:
        if "step" in event.ids:
            self._steps[event.ids["step"]] = self._news[event.ids["step"]] = event

    def looked(self, state: ExecutionState) -> None:
        news, self._news = self._news, {}
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
        for name, event in [*self._steps.items()]:
            status = str(event.detail["status"])
            grid.add_row(name, f"[{_STYLES.get(status, 'white')}]{status}[/]", _took(event) + _outcome(event))
            for line in self._tails.get(name, ()) if status == "Executing" else ():
                grid.add_row("", "", f"[dim]{escape(printable(line))}[/]")
        grid.add_row("", f"{time.monotonic() - self._began:.1f} s")
        return grid


class Events:
    """Every change of a step or of the execution as one line of JSON on standard error, as it happens."""

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
            step.status + _named("cached" if step.cached else step.metadata.get("Condition", {}).get("Outcome")),
            "" if step.seconds is None else f"{step.seconds:.1f}",
        )
        for step in state.steps
    ]


def _took(event: Event) -> str:
    seconds = event.detail.get("seconds")
    return "" if seconds is None or event.detail.get("cached") else f" in {seconds:.1f} s"


def _outcome(event: Event) -> str:
    return _named("cached" if event.detail.get("cached") else event.detail.get("outcome"))


def _named(outcome: object) -> str:
    return f" ({outcome})" if outcome else ""
