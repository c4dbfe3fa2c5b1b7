"""One client's connection. Its requests are answered one after the other, in their order."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.http1 import LONGEST_HEAD
from mlops.account.local.process.router.wire import (
    CONTINUE,
    FORWARDED,
    INFERENCE_COMPONENT,
    TARGET_CONTAINER,
    error_body,
    error_headers,
    status_line,
)

if TYPE_CHECKING:
    from mlops.account.local.process.router.router import Router

_OK = status_line(200)
_KNOWN = frozenset(
    name.lower().encode()
    for name in (
        *FORWARDED,
        TARGET_CONTAINER,
        INFERENCE_COMPONENT,
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Upgrade",
        "Host",
        "Origin",
    )
)
_HERE = frozenset((b"127.0.0.1", b"localhost", b"[::1]"))
_SAID = {
    400: ("ValidationError", "the request is not HTTP/1.1"),
    403: (
        "AccessDeniedException",
        "Host, and Origin where there is one, have to name 127.0.0.1 or localhost: a page of another origin that a "
        "browser shows is not answered",
    ),
    408: ("ValidationError", "the request was not sent in time"),
    413: ("ValidationError", "Request body exceeds {limit} bytes"),
    503: ("ServiceUnavailable", "too much is under way"),
}


class Door(asyncio.Protocol):
    def __init__(self, router: Router) -> None:
        self._router = router
        self._engine = router.engine
        self._parser = router.engine.request_parser(self)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._coming = Exchange(self)
        self._begun = False  # a request is being read
        self._head_read = False
        self._head_size = 0
        self._waiting: deque[Exchange] = deque()
        self._now: Exchange | None = None
        self._turning = False
        self._continue_owed = False
        self._last = False  # nothing is read any more
        self._paused = False
        self.moved = time.perf_counter()  # when something was read or written last, or a request begun
        self.lingering = False

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._router.welcome(self):
            self._last = True
            self.write(self._refusal(503))
            self._linger()

    def data_received(self, data: bytes) -> None:
        if self._last:
            return
        try:
            self._feed(data)
        except self._engine.malformed:
            self._break_off(400)
        if self._begun and not self._head_read and not self._last:
            self._head_size += len(data)
            if self._head_size > LONGEST_HEAD:
                self._break_off(400)
        if self._now is None:
            self._turn()
        elif len(self._waiting) > self._router.limits.pipelined:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that only has nothing more to say still gets its answers."""
        if self._now is None and not self._waiting:
            return False
        self._last = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._last = True
        self._forget_waiting()
        now, self._now = self._now, None
        if self._begun:
            self._begun = False
            self._router.under_way.release(self._coming)
        if now is not None:
            self._router.abandoned(now)
        self._router.farewell(self)

    def pause_writing(self) -> None:
        if self._now is not None and self._now.connection is not None:
            self._now.connection.pause()

    def resume_writing(self) -> None:
        self.moved = time.perf_counter()
        if self._now is not None and self._now.connection is not None:
            self._now.connection.resume()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._coming = Exchange(self)
        self._begun, self._head_read, self._head_size = True, False, 0
        self.moved = time.perf_counter()

    def on_url(self, url: bytes) -> None:
        self._coming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > LONGEST_HEAD:
            self._coming.refused = 400
        name = name.lower()
        # What stands behind the body in trailers is no header.
        if name in _KNOWN and not self._head_read:
            self._coming.headers.setdefault(name, value)

    def on_headers_complete(self) -> None:
        coming = self._coming
        self._head_read = True
        coming.head = self._head_size
        coming.method = self._parser.get_method()
        version = self._parser.get_http_version()
        coming.old_protocol = version == "1.0"
        if version not in ("1.1", "1.0") or coming.method == b"CONNECT":
            coming.refused = 400
        elif not _is_for_us(coming.headers):
            coming.refused = 403
        elif int(coming.headers.get(b"content-length", b"0")) > self._router.limits.body:
            coming.refused = 413
        elif coming.headers.get(b"expect", b"").lower() == b"100-continue":
            self._continue_owed = True

    def on_body(self, body: bytes) -> None:
        coming = self._coming
        self._continue_owed = False
        if coming.refused:
            return
        if coming.size + len(body) > self._router.limits.body:
            coming.refused = 413
        elif not self._router.under_way.hold(len(body)):
            coming.refused = 503
        else:
            coming.size += len(body)
            coming.parts.append(body)

    def on_message_complete(self) -> None:
        coming, self._begun = self._coming, False
        self._continue_owed = False
        coming.keep_alive = self._parser.should_keep_alive()
        coming.whole()
        self._waiting.append(coming)

    # What the router calls.

    def answer(self, exchange: Exchange, status: int, headers: bytes, body: bytes) -> None:
        """The whole answer, in one write."""
        line = _OK if status == 200 else status_line(status)
        head = b"%b%bContent-Length: %d\r\n%b\r\n" % (line, headers, len(body), self._manner(exchange))
        self.write(head, body)
        self.answered(exchange)

    def begin(self, exchange: Exchange, headers: bytes, length: int | None) -> None:
        """The head of an answer whose length may not be known yet."""
        if length is not None:
            framing = b"Content-Length: %d\r\n" % length
        elif exchange.old_protocol:
            exchange.keep_alive, framing = False, b""
        else:
            framing = b"Transfer-Encoding: chunked\r\n"
        self.write(b"%b%b%b%b\r\n" % (_OK, headers, framing, self._manner(exchange)))

    def write(self, *parts: bytes) -> None:
        self.moved = time.perf_counter()
        if not self._transport.is_closing():
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def answered(self, exchange: Exchange) -> None:
        """The next request has its turn."""
        if self._now is not exchange:
            return
        self._now = None
        if not exchange.keep_alive or self._router.stopping:
            self._last = True
            self._forget_waiting()
            self._linger()
        elif not self._turning:
            self._turn()

    def slow(self) -> None:
        """The client has sent, or taken, nothing for too long."""
        if self._now is not None or self._transport.get_write_buffer_size() or self._last:
            self._transport.abort()
        elif self._begun:
            self._break_off(408)
            self._turn()
        else:
            self._transport.close()

    @property
    def waits_for_client(self) -> bool:
        """Whether the client, and not a model, is whom this connection waits for."""
        return self._now is None or self._transport.get_write_buffer_size() > 0

    @property
    def idle(self) -> bool:
        return self._now is None and not self._begun and not self._transport.get_write_buffer_size()

    def cut(self) -> None:
        """An answer that was begun cannot be ended."""
        self._transport.abort()

    def close(self) -> None:
        self._last = True
        if self._now is None:
            self._transport.close()

    # Ours.

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except self._engine.upgrade as wish:
                if self._waiting[-1].refused:
                    self._last = True
                    break
                data = self._without_upgrade(data[int(wish.args[0]) :])
                continue
            break
        if self._begun and self._coming.refused:
            self._break_off(self._coming.refused)
        elif self._continue_owed and self._now is None and not self._waiting:
            self._continue_owed = False
            self.write(CONTINUE)

    def _without_upgrade(self, rest: bytes) -> bytes:
        """What the client would like to speak instead is passed over, as HTTP allows. The parser has ended the request
        before its body, so it is read once more, without the wish."""
        asked = self._waiting.pop()
        self._parser = self._engine.request_parser(self)
        headers = {**asked.headers, b"connection": b"keep-alive" if asked.keep_alive else b"close"}
        lines = [b"%b: %b\r\n" % pair for pair in headers.items() if pair[0] != b"upgrade"]
        version = b"1.0" if asked.old_protocol else b"1.1"
        return b"%b %b HTTP/%b\r\n%b\r\n%b" % (asked.method, asked.target, version, b"".join(lines), rest)

    def _break_off(self, status: int) -> None:
        """Nothing that the client still sends can be understood, or is wanted; what was whole before is answered."""
        coming, self._begun = self._coming if self._begun else Exchange(self), False
        coming.refused, coming.keep_alive = status, False
        self._last = True
        self._router.under_way.release(coming)
        coming.arrived = time.perf_counter()
        self._waiting.append(coming)

    def _turn(self) -> None:
        self._turning = True
        try:
            while self._waiting and self._now is None:
                exchange = self._now = self._waiting.popleft()
                if exchange.refused:
                    exchange.keep_alive = False
                    self._router.under_way.release(exchange)
                    self.write(self._refusal(exchange.refused))
                    self.answered(exchange)
                else:
                    self._router.handle(exchange)
        finally:
            self._turning = False
        if self._paused and len(self._waiting) <= self._router.limits.pipelined // 2 and not self._last:
            self._paused = False
            self._transport.resume_reading()
        if self._continue_owed and self._now is None:
            self._continue_owed = False
            self.write(CONTINUE)
        if self._last and self._now is None and not self._waiting and not self.lingering:
            self._linger()

    def _forget_waiting(self) -> None:
        while self._waiting:
            self._router.under_way.release(self._waiting.popleft())

    def _manner(self, exchange: Exchange) -> bytes:
        if not exchange.keep_alive or self._router.stopping:
            return b"Connection: close\r\n"
        return b"Connection: keep-alive\r\n" if exchange.old_protocol else b""

    def _refusal(self, status: int) -> bytes:
        code, said = _SAID[status]
        body = error_body(code, said.format(limit=self._router.limits.body))
        return b"%b%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
            status_line(status),
            error_headers(code),
            len(body),
            body,
        )

    def _linger(self) -> None:
        """Close so that the client reads its answer: a connection that is closed while the client still sends is
        reset, and takes along what was not read yet."""
        if self._transport.is_closing():
            return
        self.lingering, self.moved = True, time.perf_counter()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        try:
            self._transport.write_eof()
        except OSError:  # it is gone already
            self._transport.abort()


def _is_for_us(headers: Mapping[bytes, bytes]) -> bool:
    """By any name that leads here, with any port, for one may be forwarded. A page that a browser shows cannot say so
    of itself, also where its name was made to lead here.

    >>> _is_for_us({b"host": b"localhost:8080"}), _is_for_us({b"host": b"churn.example:8080"})
    (True, False)
    >>> _is_for_us({b"host": b"127.0.0.1", b"origin": b"https://churn.example"})
    False
    """
    host, origin = headers.get(b"host"), headers.get(b"origin")
    if host is not None and _name_of(host) not in _HERE:
        return False
    return origin is None or _name_of(origin.partition(b"://")[2]) in _HERE


def _name_of(host: bytes) -> bytes:
    name, _, port = host.rpartition(b":")
    return (name if name and port.isdigit() else host).lower()


def lines(exchange: Exchange, names: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Header lines of those of ``names`` (in lower case, and as written) that the request has."""
    headers = exchange.headers
    return b"".join([b"%b: %b\r\n" % (written, headers[name]) for name, written in names if name in headers])
