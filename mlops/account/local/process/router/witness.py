"""Chooses the requests whose payloads are to be kept or compared with a shadow's, and tells how each of them ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlops.account.local.process.capture.seen import Room, Seen, Side
from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.queues import Line


class Witness:
    """``saw`` how a request ended, as far as there is ``room`` for what it holds."""

    def __init__(self, saw: Callable[[Seen, Side], None], room: Room, chance: Callable[[], float]) -> None:
        self._saw = saw
        self._room = room
        self._chance = chance

    def see(self, exchange: Exchange, mirrored: Exchange | None, shadow: Line | None) -> None:
        """Where somebody wants to know how it ends; ``shadow`` was to be shown it."""
        capture = exchange.line.variant.capture
        if capture is not None and capture.share < 1 and self._chance() >= capture.share:
            capture = None
        if shadow is not None and mirrored is None:
            self._room.unshown += 1
        if capture is None and mirrored is None:
            return
        held = self._room.take(exchange.size + exchange.head)
        if not held:
            self._room.dropped += capture is not None
            self._room.unshown += mirrored is not None
            return
        sides = 1 if mirrored is None else 2
        exchange.seen = Seen(exchange.body, exchange.headers, capture, sides, held, time.time())
        if mirrored is not None:
            mirrored.seen = exchange.seen

    def tell(self, exchange: Exchange, seen: Seen, status: int) -> None:
        headers, body = exchange.answered or ({}, None)
        if body is not None:
            held = self._room.take(len(body))
            seen.held += held
            body = body if held else None
        line, exchange.seen, exchange.answered = exchange.line, None, None
        microseconds = int(exchange.model_seconds * 1e6)
        name = line.variant.told or line.variant.name
        self._saw(seen, Side(exchange.config, name, line.shadow, status, microseconds, headers, body))
