"""Who is told on the way of a promotion, and the account's table of events, where it keeps one. Neither delays nor
fails it: a thread sends, and what could not be sent or kept is told at the end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account import Account
from mlops.deploy.notify import LONGEST_SECONDS, send
from mlops.deploy.shifting.controller import Happened
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.settings import Notify
from mlops.ir import Event, MlopsError, Value
from mlops.project.environments import Environment

Notice = tuple[str, str, dict[str, Any]]
"""Its subject, its text and all of it."""
_KINDS: Mapping[Happened, str] = {
    "start": "shift.started",
    "stage": "shift.stage",
    "verdict": "shift.verdict",
    "rollback": "shift.taken-back",
    "end": "shift.ended",
}
"""Of events."""


class People:
    """Of one environment. ``root`` is where a relative file lies."""

    def __init__(self, account: Account, environment: Environment, wanted: Notify | None, root: Path) -> None:
        self._account = account
        self._environment = environment
        self._wanted = wanted
        self._root = root
        self._waiting: queue.SimpleQueue[Notice | None] = queue.SimpleQueue()
        self._failures: list[str] = []
        self._unsent: list[str] = []
        self._thread: threading.Thread | None = None

    def tell(self, happened: Happened, text: str, journal: Journal) -> None:
        """At once, whatever becomes of it. Whoever goes on with a promotion that was cut off may tell of the same
        again: then with the same key."""
        about = {"group": journal.group, "version": journal.version, "phase": journal.phase, "by": journal.by}
        key = f"{journal.id}-{journal.done}-{happened}"
        self._keep(happened, text, journal, key)
        self.tell_of(journal.endpoint, happened, text, {**about, "key": key})

    def _keep(self, happened: Happened, text: str, journal: Journal, key: str) -> None:
        """Once for a key, with ids that join it to its promotion and its version."""
        table = self._account.events
        try:
            if table is None or table.read(ids={"notice": key}, limit=1):
                return
            ids = {"notice": key, "shift": journal.id, "endpoint": journal.endpoint}
            if journal.version:
                ids["model-package"] = f"{journal.group}/{journal.version}"
            detail: dict[str, Value] = {"said": text, "by": journal.by, "phase": journal.phase}
            table.append(Event(_KINDS[happened], datetime.now(UTC), journal.endpoint, ids, detail))
        except MlopsError as error:
            self._failures.append(f"an event could not be kept: {error.message}")

    def tell_of(self, endpoint: str, happened: Happened, text: str, about: Mapping[str, Any]) -> None:
        if self._wanted is None or happened not in self._wanted.on:
            return
        where = f"{endpoint} in {self._environment.name}"
        said = f"{where}: {text}"
        told = {"kind": happened, "environment": self._environment.name, "endpoint": endpoint, **about, "text": said}
        self._unsent.append(happened)
        self._waiting.put((f"{where}: {happened}", said, told))
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, name="notices", daemon=True)
            self._thread.start()

    def close(self, say: Callable[[str], None], seconds: float = LONGEST_SECONDS) -> None:
        """Waits a little for what is on its way, and says what was not sent."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(seconds)
        for failure in self._failures:
            say(failure)
        if self._unsent:
            say(f"not sent in time: the notice{'s' if len(self._unsent) > 1 else ''} of {', '.join(self._unsent)}")

    def _send(self) -> None:
        wanted = self._wanted
        assert wanted is not None  # noqa: S101 - nothing is told without
        while (notice := self._waiting.get()) is not None:
            try:
                self._failures.extend(send(self._account, wanted, *notice, self._root))
            except Exception as error:
                # Whatever it is, it ends no promotion.
                self._failures.append(f"a notice could not be sent: {type(error).__name__}")
            self._unsent.pop(0)
