"""An upsert while it goes on: plans, a bar on a terminal for an upload that takes long, a line for what is done."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from mlops.cli.listening import hear
from mlops.cli.printing import is_animated, talk
from mlops.deploy.declared import plan_report as resources_report
from mlops.deploy.pipelines import plan_report
from mlops.deploy.pipelines.actions import Upload
from mlops.ir import Event
from mlops.use_cases.news import Failed
from mlops.use_cases.upsert import (
    ResourcesWerePlanned,
    ResourcesWereUpserted,
    Sending,
    WasDone,
    WasPlanned,
    WasUpserted,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_WORTH_A_BAR = 32 * 1024 * 1024
_MOST_LINES = 20
"""Of a thousand files, the rest is counted."""


class UpsertProgress:
    """A listener. With ``results`` each pipeline is a line on standard output as soon as it is done."""

    def __init__(self, *, results: bool) -> None:
        self._results = results
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        self._lock = Lock()
        self._uploaded = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_uploads()

    def __call__(self, event: Event) -> None:
        match event:
            case WasPlanned(plan=plan):
                talk(plan_report.text(plan).rstrip("\n"))
            case Sending(about=uri, there=there, size=size):
                self._show(uri, there, size)
            case WasDone(action=Upload(item=item)):
                self._uploaded += 1
                if self._uploaded <= _MOST_LINES:
                    talk(f"uploaded {item.uri}")
            case WasUpserted(environment=environment, applied=applied):
                self._end_uploads()
                if self._results:
                    click.echo(f"{applied.name}: {applied.action} in {environment}")
            case ResourcesWerePlanned(plan=declared):
                talk(resources_report.text(declared).rstrip("\n"))
            case ResourcesWereUpserted(environment=environment, applied=made):
                self._end_uploads()
                if self._results:
                    click.echo(f"{made.name}: {'upserted' if made.done else 'unchanged'} in {environment}")
            case Failed():
                self._end_uploads()
                hear(event)
            case _:
                hear(event)

    def _show(self, uri: str, there: int, size: int) -> None:
        if size < _WORTH_A_BAR or not is_animated(sys.stderr):
            return
        with self._lock:
            if self._progress is None:
                from rich.console import Console
                from rich.progress import Progress

                self._progress = Progress(console=Console(stderr=True), transient=True)
                self._progress.start()
            if uri not in self._bars:
                self._bars[uri] = self._progress.add_task(uri.rpartition("/")[2], total=size)
            self._progress.update(self._bars[uri], completed=there)

    def _end_uploads(self) -> None:
        """Of one pipeline."""
        if self._progress is not None:
            self._progress.stop()
        if self._uploaded > _MOST_LINES:
            talk(f"uploaded {self._uploaded} objects in all")
        self._progress, self._bars, self._uploaded = None, {}, 0
