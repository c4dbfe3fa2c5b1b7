"""What is written to log groups is put into the streams that subscribed to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.services.logs.subscriptions import deliver_logs, subscribed
from mlops.account.local.state import State

_LOOK = timedelta(seconds=5)
"""A line is written to a file, of which the store tells nothing."""


def _tick(state: State, now: datetime) -> datetime | None:
    if not subscribed(state):
        return None
    return now + _LOOK if deliver_logs(state) else None


TICKER = Ticker(subscribed, _tick)
