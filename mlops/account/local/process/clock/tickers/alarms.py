"""Alarms are evaluated, each when its time has come."""

from __future__ import annotations

from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.services.cloudwatch.alarm_bodies import KIND
from mlops.account.local.services.cloudwatch.evaluating import by_the_clock
from mlops.account.local.state import State


def _wanted(state: State) -> bool:
    return state.store.one("SELECT 1 FROM resource WHERE kind = ? LIMIT 1", KIND) is not None


TICKER = Ticker(_wanted, by_the_clock)
