"""One connection to a model server, kept for the next request."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

from mlops.account.local.process.router.wire import CUSTOM_ATTRIBUTES

if TYPE_CHECKING:
    from mlops.account.local.process.router.exchange import Exchange
    from mlops.account.local.process.router.queues import Running
    from mlops.account.local.process.router.router import Router

_KEPT = frozenset((b"content-type", CUSTOM_ATTRIBUTES.lower().encode(), b"content-length", b"transfer-encoding"))


class Reply:
    """What a model answered to one request. It is the request's and not the connection's, which may have the next one
    inside before this one's answer has gone to its client."""

    __slots__ = ("headers", "parts", "size", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.parts: list[bytes] = []
        self.size = 0

    @property
    def length(self) -> int | None:
        """Of the body, where it is told."""
        told = self.headers.get(b"content-length")
        return None if told is None else int(told)

    @property
    def is_framed(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def take_body(self) -> bytes:
        """What has come since it was last taken."""
        parts, self.parts = self.parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)


class ModelConnection(asyncio.Protocol):
    """``stage`` is the place of its container in the row."""

    def __init__(self, router: Router, running: Running, stage: int) -> None:
        self._router = router
        self._engine = router.engine
        self._parser = router.engine.reply_parser(self)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.running = running
        self.stage = stage
        self.exchange: Exchange | None = None
        self.reply = Reply()
        self.reusable = True
        self.since = 0.0  # when it was put aside
        self._head_read = False
        self._complete = False

    def send(self, exchange: Exchange, head: bytes, body: bytes) -> None:
        self.exchange = exchange
        self.reply = Reply()
        self._complete = False
        exchange.connection = self
        exchange.sent = time.perf_counter()
        self._transport.write(b"%b%b" % (head, body))

    def pause(self) -> None:
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    def close(self) -> None:
        self.reusable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None or self._complete:
            self.close()  # it speaks unasked
            return
        try:
            self._parser.feed_data(data)
        except (self._engine.malformed, *_tuple(self._engine.upgrade)) as fault:
            self.reusable = False
            self.exchange = None
            self._router.lost(self, exchange, f"the model server does not speak HTTP/1.1: {fault}")
            self._transport.abort()
            return
        if self._complete:
            self.exchange = None
            self._router.replied(self, exchange, self.reply)
        elif self._head_read and self.reply.status:
            self._router.more(self, exchange, self.reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            if self._head_read and self.reply.status >= 200 and not self.reply.is_framed:
                self._router.replied(self, exchange, self.reply)
            else:
                self._router.lost(self, exchange, "the model server ended the connection before it answered")
        self.running.forget(self)

    def on_message_begin(self) -> None:
        # A second reply to one request: nothing that comes here belongs to anybody.
        if self._complete:
            self.reusable = False
        self._head_read = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _KEPT and not self._head_read and not self._complete:
            self.reply.headers[name] = value

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        status = self._parser.get_status_code()
        if status >= 200:
            self.reply.status = status
            self._head_read = True

    def on_body(self, body: bytes) -> None:
        if not self._complete:
            self.reply.size += len(body)
            self.reply.parts.append(body)

    def on_message_complete(self) -> None:
        if self.reply.status >= 200:
            self._complete = True
            self.reusable = self.reusable and self._parser.should_keep_alive()
        else:
            self.reply.headers.clear()


def _tuple(kinds: type[Exception] | tuple[type[Exception], ...]) -> tuple[type[Exception], ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)
