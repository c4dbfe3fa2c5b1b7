"""Requests that are taken and not answered yet: until when each has time, and how much of their bodies is held."""

from __future__ import annotations

import time

from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.routing import Limits


class UnderWay:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._exchanges: dict[Exchange, None] = {}
        self.held = 0  # bytes

    def __len__(self) -> int:
        return len(self._exchanges)

    def hold(self, count: int) -> bool:
        """Whether there is room for ``count`` bytes more of bodies."""
        if self.held + count > self.limits.held:
            return False
        self.held += count
        return True

    def release(self, exchange: Exchange) -> None:
        """Its body is needed no more."""
        self.held -= exchange.size
        exchange.size, exchange.parts, exchange.body = 0, [], b""

    def begin(self, exchange: Exchange) -> None:
        exchange.deadline = exchange.arrived + self.limits.answer_seconds
        self._exchanges[exchange] = None

    def went_on(self, exchange: Exchange) -> None:
        """As long as something comes, it has time."""
        if exchange in self._exchanges:
            exchange.deadline = time.perf_counter() + self.limits.answer_seconds

    def end(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange, None)

    def late(self) -> list[Exchange]:
        """Those that wait first: none of them is to get the place of one that is late itself."""
        now = time.perf_counter()
        # Not in the order of their deadlines: the configuration that was taken up meanwhile may give less time.
        late = [exchange for exchange in self._exchanges if exchange.deadline <= now]
        return [*(item for item in late if item.sent == 0), *(item for item in late if item.sent)]
