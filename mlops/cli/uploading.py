"""Uploads while they go on: a bar on a terminal for what takes long, a line for each that is done."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mlops.cli.printing import is_animated, talk

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from mlops.deploy.pipelines.plan import Action

_WORTH_A_BAR = 32 * 1024 * 1024
_MOST_LINES = 20
"""Of a thousand files, the rest is counted."""


class UploadProgress:
    """Called from several threads with a URI, the bytes that are there, and all bytes."""

    def __init__(self) -> None:
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        self._lock = Lock()
        self._uploaded = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._uploaded > _MOST_LINES:
            talk(f"uploaded {self._uploaded} objects in all")

    def __call__(self, uri: str, there: int, size: int) -> None:
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

    def done(self, action: Action) -> None:
        from mlops.deploy.pipelines.plan import Upload

        if not isinstance(action, Upload):
            return
        self._uploaded += 1
        if self._uploaded <= _MOST_LINES:
            talk(f"uploaded {action.item.uri}")
