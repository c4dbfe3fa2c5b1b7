"""What happened in the account is put on its bus as the service puts it, behind what was put before: the place in the
events moves in the transaction that posts the deliveries, so whichever clock dies, each is put once."""

from __future__ import annotations

import traceback
from contextlib import suppress
from datetime import datetime

from mlops.account.local import clock, events
from mlops.account.local.process.clock.ticker import Ticker
from mlops.account.local.services.events import bus
from mlops.account.local.services.events.service_events import KINDS, service_events
from mlops.account.local.state import State

_AT_ONCE = 100
"""Others who write wait for so many."""


def _tick(state: State, now: datetime) -> datetime | None:
    if not bus.hears_the_service(state):
        return None
    while _put_some(state, now):
        pass
    return None


def _put_some(state: State, now: datetime) -> bool:
    """Whether there are more."""
    newest = events.last(state.store)
    after = clock.read_up_to(state, bus.SERVICE_EVENTS)
    if after == newest:
        return False
    with state.store.transaction():
        newest = events.last(state.store)
        after = clock.read_up_to(state, bus.SERVICE_EVENTS)
        # Without a place the rules are older than what tells them.
        page = events.read(state.store, after, kinds=[*KINDS], limit=_AT_ONCE) if after is not None else []
        for event in page:
            try:
                told = [*service_events(state, event)]
            except (LookupError, TypeError, ValueError, AttributeError):  # a mistake of ours: the others are told
                with suppress(OSError):
                    traceback.print_exc()
                continue
            for item in told:
                bus.put(state, item, now, happened=event.time)
        more = len(page) == _AT_ONCE
        clock.mark_read(state, bus.SERVICE_EVENTS, (page[-1].sequence or newest) if more else newest)
    return more


TICKER = Ticker(bus.hears_the_service, _tick)
