"""What a job leaves in its own ``/opt/ml`` was uploaded; copies of its data would only fill the disk."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from mlops.run.beneath import remove

OF_A_JOB = ("ml", "scratch", "hosts", "containers")
"""Below the folder of a job's attempt."""


class Tidying:
    """To remove folders is to wait for the disk, so another thread does it, and only begins when the run itself has
    nothing to do: two threads that both work get in each other's way."""

    def __init__(self) -> None:
        self._added: list[Path] = []
        self._folders: SimpleQueue[Path | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, folder: Path) -> None:
        """Of a job that has ended well."""
        self._added.append(folder)

    def begin(self) -> None:
        for folder in self._added:
            self._folders.put(folder)
        self._added.clear()

    def finish(self) -> None:
        self.begin()
        self._folders.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (folder := self._folders.get()) is not None:
            for name in OF_A_JOB:
                # What cannot be removed goes with the execution, which says so.
                with suppress(OSError):
                    remove(folder / name)
