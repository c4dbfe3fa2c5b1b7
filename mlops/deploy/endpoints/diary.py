"""What a promotion does, in the account's table of events where it keeps one: begun, each action, and how it ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from mlops.account import Account
from mlops.deploy.endpoints.promotion import Action, Wanted
from mlops.deploy.models.registry import Version
from mlops.ir import Event, MlopsError, Value

STARTED, ACTED, ENDED, FAILED = (
    "promotion.started",
    "promotion.acted",
    "promotion.ended",
    "promotion.failed",
)


class Diary:
    """Of one promotion. A promotion that was killed has no last entry; the one that finishes it has entries of its
    own. What cannot be kept fails nothing: it is said once."""

    def __init__(
        self, account: Account, wanted: Wanted, version: Version, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._table = account.events
        self._say = say
        self._lost = 0
        self._about = wanted.endpoint
        self._ids = {
            "promotion": uuid.uuid4().hex,
            "endpoint": wanted.endpoint,
            "model-package": f"{version.group}/{version.number}",
        }

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around the whole of it: what is refused is told as its failure, what kills it is not."""
        self._tell(STARTED, {})
        try:
            yield
        except MlopsError as error:
            self._tell(FAILED, {"failure": error.message})
            raise

    def acted(self, action: Action) -> None:
        self._tell(ACTED, {"action": type(action).__name__})

    def ended(self, verb: str, config: str) -> None:
        self._tell(ENDED, {"config": config, "action": verb})

    def _tell(self, kind: str, detail: dict[str, Value]) -> None:
        if self._table is None:
            return
        try:
            self._table.append(Event(kind, datetime.now(UTC), self._about, self._ids, detail))
        except MlopsError as error:
            self._lost += 1
            if self._lost == 1:
                self._say(f"events of this promotion could not be kept: {error.message}")
