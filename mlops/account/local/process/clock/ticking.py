"""The process: looks once a second whether somebody wrote, and sleeps else until something is due."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import cache

from mlops.account.local.clock import end
from mlops.account.local.process.clock import tickers as package
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import modules

LOOK_SECONDS = 1.0
_AGAIN = timedelta(seconds=30)
"""After a mistake of one that ticks."""
_ROUNDS = 10
"""What one ticker writes may be another's work."""
_log = logging.getLogger("mlops.clock")


@cache
def all_tickers() -> Mapping[str, Ticker]:
    return {name: found.load().TICKER for name, found in modules(package).items()}


@dataclass(slots=True)
class Clock:
    """Who ticks what. ``now`` is injected in tests."""

    state: State
    tickers: Mapping[str, Ticker] = field(default_factory=all_tickers)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _due: dict[str, datetime] = field(default_factory=dict)
    _seen: tuple[int, int] | None = None

    def turn(self) -> None:
        """Do what is due. Who ticks is asked when its time has come, and whenever somebody wrote."""
        for _ in range(_ROUNDS):
            now, seen = self.now(), self.state.store.changes()
            written = seen != self._seen
            self._seen = seen
            for name, ticker in self.tickers.items():
                if written or (name in self._due and self._due[name] <= now):
                    self._ask(name, ticker, now)
            if self.state.store.changes() == seen:
                return

    def _ask(self, name: str, ticker: Ticker, now: datetime) -> None:
        self._due.pop(name, None)
        try:
            due = ticker.tick(self.state, now)
        except Exception:  # the others go on, and it is asked again
            with suppress(OSError):
                traceback.print_exc()
            due = now + _AGAIN
        if due is not None:
            self._due[name] = due

    def ended(self, lock: int) -> bool:
        """Whether nothing is left to wait for: then the lock is let go, in a transaction, so that whoever writes
        something finds it either seen here or nobody's."""
        if any(ticker.wanted(self.state) for ticker in self.tickers.values()):
            return False
        with self.state.store.transaction():
            if any(ticker.wanted(self.state) for ticker in self.tickers.values()):
                return False
            end(self.state, lock)
        return True


def run_clock(state: State, lock: int) -> None:
    """Until there is nothing to wait for, or the account is gone."""
    there = state.identity
    clock = Clock(state)
    _log.info("the clock ticks")
    while there is not None and state.identity == there:
        clock.turn()
        if clock.ended(lock):
            break
        time.sleep(LOOK_SECONDS)
    _log.info("the clock has nothing to do")
