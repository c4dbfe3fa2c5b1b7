"""Answers that go back to clients: a model's, whole or in parts, and errors. Each request ends here, once."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlops.account.local.process.router import event_stream
from mlops.account.local.process.router.door import Door
from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.model_connection import Reply
from mlops.account.local.process.router.queues import Running
from mlops.account.local.process.router.records import Record
from mlops.account.local.process.router.under_way import UnderWay
from mlops.account.local.process.router.wire import (
    CLIENT_GONE,
    CUSTOM_ATTRIBUTES,
    INFERENCE_ID,
    STREAMED_TYPE,
    error_body,
    error_headers,
)
from mlops.account.local.process.router.witness import Witness

LONGEST_ERROR = 64 * 1024
"""Bytes of what a model says that are read."""
_ANSWERED = ((b"content-type", b"Content-Type"), (CUSTOM_ATTRIBUTES.lower().encode(), CUSTOM_ATTRIBUTES.encode()))
_STREAM_ANSWERED = ((b"content-type", STREAMED_TYPE.encode()), _ANSWERED[1])
_FRAMED = f"Content-Type: {event_stream.CONTENT_TYPE}\r\n".encode()
_ID = INFERENCE_ID.lower().encode()


class Answers:
    """``record`` gets each request at its end, ``witness`` those whose payloads somebody wants."""

    def __init__(
        self, under_way: UnderWay, record: Callable[[Record], None], witness: Witness | None, log_stream: str
    ) -> None:
        self._under_way = under_way
        self._record = record
        self._witness = witness
        self._log_stream = log_stream

    def finish(self, exchange: Exchange, reply: Reply, running: Running) -> None:
        """``reply`` is whole."""
        status, line, door = reply.status, exchange.line, exchange.door
        if exchange.seen is not None and status < 400 and sum(map(len, reply.parts)) == reply.size:
            reply.parts = [reply.take_body()]
            exchange.answered = reply.headers, reply.parts[0]
        if status >= 400:
            text = reply.take_body()[:LONGEST_ERROR].decode(errors="replace")[:2048]
            self.model_error(exchange, status, text, running)
        elif exchange.started or (exchange.streaming and door is not None):
            self.pass_on(exchange, reply)
            if door is not None:
                if (exchange.streaming or reply.length is None) and not exchange.old_protocol:
                    door.write(b"0\r\n\r\n")
                self.end(exchange, 200)
                door.answered(exchange)
            else:
                self.end(exchange, CLIENT_GONE)
        elif door is None:
            exchange.written = reply.size
            self.end(exchange, 200 if line.shadow else CLIENT_GONE)
        else:
            body = reply.take_body()
            exchange.written = len(body)
            self.end(exchange, 200)
            door.answer(exchange, 200, _answer_lines(reply.headers) + line.told, body)

    def pass_on(self, exchange: Exchange, reply: Reply) -> None:
        """What has come of ``reply``."""
        door, line = exchange.door, exchange.line
        part = reply.take_body()
        if door is None:
            return
        length = None if exchange.streaming else reply.length
        if not exchange.started:
            exchange.started = True
            told = _stream_lines(reply.headers) if exchange.streaming else _answer_lines(reply.headers)
            door.begin(exchange, told + line.told, length)
        exchange.written += len(part)
        if part and exchange.streaming:
            part = event_stream.part(part)
        if part and length is None and not exchange.old_protocol:
            door.write(b"%x\r\n%b\r\n" % (len(part), part))
        elif part:
            door.write(part)
        self._under_way.went_on(exchange)

    def model_error(self, exchange: Exchange, status: int, text: str, running: Running | None = None) -> None:
        """``status`` is the model's; 0 where it gave none."""
        line = exchange.line
        log = running.server.log if running is not None else next((item.server.log for item in line.servers), "")
        said = (
            f"Received {'server' if status >= 500 or not status else 'client'} error ({status}) from {line.name} with "
            f'message "{text}".{f" See {log}." if log else ""}'
        )
        stream = self._log_stream
        self.refuse(
            exchange, 424, "ModelError", said, OriginalStatusCode=status, OriginalMessage=text, LogStreamArn=stream
        )

    def refuse(self, exchange: Exchange, status: int, code: str, message: str, **more: str | int) -> None:
        door = exchange.door
        if exchange.started and door is not None:
            self.end(exchange, status)
            self._break_off(exchange, door, message)
            return
        headers = error_headers(code) + (exchange.line.told if status == 424 else b"")
        body = error_body(code, message, **more)
        exchange.written = len(body)
        self.end(exchange, status)
        if door is not None:
            door.answer(exchange, status, headers, body)

    def _break_off(self, exchange: Exchange, door: Door, message: str) -> None:
        """In the middle of an answer: a stream can say so, the end of any other would be taken for its end."""
        if not exchange.streaming or exchange.old_protocol:
            door.cut()
            return
        is_late = time.perf_counter() >= exchange.deadline
        told = event_stream.fault(message, "ModelInvocationTimeExceeded" if is_late else "StreamBroken")
        door.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(told), told))
        door.answered(exchange)

    def end(self, exchange: Exchange, status: int) -> None:
        """It is told, once."""
        exchange.done = True
        self._under_way.end(exchange)
        line = exchange.line
        if exchange.seen is not None and self._witness is not None:
            self._witness.tell(exchange, exchange.seen, status)
        inference_id = exchange.headers.get(_ID)
        self._record(
            # By place: a name for each costs as much as the rest of it.
            Record(
                time.time(),
                exchange.config,
                line.variant.name,
                line.shadow,
                status,
                exchange.model_status,
                int(exchange.model_seconds * 1e6),
                int((time.perf_counter() - exchange.arrived - exchange.model_seconds) * 1e6),
                exchange.received,
                exchange.written,
                inference_id.decode("latin-1") if inference_id is not None else None,
            )
        )
        self._under_way.release(exchange)


def _stream_lines(headers: dict[bytes, bytes]) -> bytes:
    """The content type is the framing's; the model's own has another name."""
    return (
        b"".join([b"%b: %b\r\n" % (written, headers[name]) for name, written in _STREAM_ANSWERED if name in headers])
        + _FRAMED
    )


def _answer_lines(headers: dict[bytes, bytes]) -> bytes:
    return b"".join([b"%b: %b\r\n" % (written, headers[name]) for name, written in _ANSWERED if name in headers])
