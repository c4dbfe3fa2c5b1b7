"""What a promotion does, in the account's table of events where it keeps one: refused by gates or let over them, begun,
each action, and how it ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from mlops.account import Account
from mlops.deploy.endpoints.promotion import Action
from mlops.deploy.models.registry import Version
from mlops.ir import Event, MlopsError, Value

REFUSED, OVERRIDDEN, STARTED, ACTED, ENDED, FAILED = (
    "promotion.refused",
    "promotion.overridden",
    "promotion.started",
    "promotion.acted",
    "promotion.ended",
    "promotion.failed",
)


class Diary:
    """Of one promotion of ``version`` to ``endpoint``, ``by`` whom. A promotion that was killed has no last entry; the
    one that finishes it has entries of its own. What cannot be kept fails nothing: it is said once."""

    def __init__(
        self, account: Account, endpoint: str, version: Version, by: str, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._table = account.events
        self._by = by
        self._say = say
        self._lost = 0
        self._about = endpoint
        self._ids = {
            "promotion": uuid.uuid4().hex,
            "endpoint": endpoint,
            "model-package": f"{version.group}/{version.number}",
            "model-package-group": version.group,
        }

    def refused(self, gates: Sequence[str]) -> None:
        """By ``gates``, before anything was done."""
        self._tell(REFUSED, {"by": self._by, "what": tuple(gates)})

    def overridden(self, gates: Sequence[str], reason: str | None) -> None:
        """``gates`` refused, and are passed over for a ``reason``. Nothing where there are none."""
        if gates:
            self._tell(OVERRIDDEN, {"by": self._by, "what": tuple(gates), "reason": reason or ""})

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around the whole of it: what is refused is told as its failure, what kills it is not."""
        self._tell(STARTED, {"by": self._by})
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
