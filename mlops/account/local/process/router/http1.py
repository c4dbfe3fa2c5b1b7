"""HTTP/1.1 messages out of bytes, with the interface of ``httptools``, for where that is not installed.

Like it, strict: lines end in CR LF, no folded headers, either a Content-Length or chunks. A parser takes one
connection's messages one after the other and calls its protocol for each part as soon as it is there.
"""

from __future__ import annotations

import re
from typing import Protocol

LONGEST_HEAD = 64 * 1024
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"([A-Z]{3,16}) +([!-~\x80-\xff]+) HTTP/(1\.[01])")
_STATUS_LINE = re.compile(rb"HTTP/(1\.[01]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)[\x00-\xff]")
_HEAD, _BODY, _CHUNK, _CHUNK_BODY, _CHUNK_END, _TRAILERS, _UNTIL_CLOSED = range(7)


class ParserError(Exception):
    """What came is not HTTP/1.1. The parser takes nothing more."""


class Protocol_(Protocol):
    """Whom a parser calls."""

    def on_message_begin(self) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class RequestProtocol(Protocol_, Protocol):
    def on_url(self, url: bytes) -> None: ...


class _Parser:
    def __init__(self, protocol: Protocol_) -> None:
        self._protocol = protocol
        self._held = b""
        self._state = _HEAD
        self._begun = False
        self._left = 0
        self._trailing = 0
        self._version = b"1.1"
        self._keep_alive = True

    def should_keep_alive(self) -> bool:
        return self._keep_alive

    def get_http_version(self) -> str:
        return self._version.decode()

    def feed_data(self, data: bytes) -> None:
        """Raises :class:`ParserError`, after the messages that were whole before."""
        self._held = self._held + data if self._held else bytes(data)
        while self._held and self._step():
            pass

    def _step(self) -> bool:
        """Whether more could be done with what is held."""
        match self._state:
            case 0:
                return self._head()
            case 1 | 3:
                return self._piece()
            case 2:
                return self._chunk()
            case 4:
                if len(self._held) < 2:
                    _need(self._held == b"\r", "a chunk is longer than its size")
                    return False
                _need(self._take(2) == b"\r\n", "a chunk is longer than its size")
                self._state = _CHUNK
            case 5:
                return self._trailer()
            case _:
                self._protocol.on_body(self._take(len(self._held)))
        return True

    def _take(self, count: int) -> bytes:
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _line(self, longest: int) -> bytes | None:
        end = self._held.find(b"\r\n")
        if end < 0:
            _need(len(self._held) <= longest and not _BARE_LINE_END.search(self._held), "a line has no end")
            return None
        line = self._take(end + 2)[:-2]
        _need(len(line) <= longest and b"\n" not in line and b"\r" not in line, "a line is too long or broken")
        return line

    def _head(self) -> bool:
        # Empty lines before a message are passed over, as RFC 9112 asks.
        while self._held.startswith(b"\r\n"):
            self._held = self._held[2:]
        if self._held in (b"", b"\r"):
            return False
        _need(self._keep_alive, "the message before was the last")
        _need(self._held[0] in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a message begins with a method or HTTP/")
        if not self._begun:
            self._begun = True
            self._protocol.on_message_begin()
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            _need(len(self._held) <= LONGEST_HEAD, "the head is too long")
            _need(not _BARE_LINE_END.search(self._held), "a line does not end in CR LF")
            return False
        _need(end <= LONGEST_HEAD, "the head is too long")
        self._begun = False
        first, *lines = self._take(end + 4)[:-4].split(b"\r\n")
        fields = [_field(line) for line in lines]
        lengths, codings, connection = [], [], b""
        for name, value in fields:
            match name.lower():
                case b"content-length":
                    _need(value.isdigit() and len(value) < 16, "Content-Length is no number")
                    lengths.append(int(value))
                case b"transfer-encoding":
                    codings += [coding.strip().lower() for coding in value.split(b",")]
                case b"connection":
                    connection += b"," + value.lower()
        _need(len(lengths) <= 1 and not (lengths and codings), "the length is told twice")
        self._start(first)
        words = {word.strip() for word in connection.split(b",")}
        self._keep_alive = b"close" not in words and (self._version == b"1.1" or b"keep-alive" in words)
        self._frame(lengths, codings)
        self._announce()
        for name, value in fields:
            self._protocol.on_header(name, value)
        self._protocol.on_headers_complete()
        if self._state == _HEAD:
            self._protocol.on_message_complete()
        return True

    def _start(self, line: bytes) -> None:
        raise NotImplementedError

    def _announce(self) -> None:
        """What stands in the first line."""

    def _frame(self, lengths: list[int], codings: list[bytes]) -> None:
        raise NotImplementedError

    def _framed(self, lengths: list[int], codings: list[bytes]) -> bool:
        if codings and codings[-1] == b"chunked":
            self._state = _CHUNK
        elif lengths:
            self._left = lengths[0]
            self._state = _BODY if self._left else _HEAD
        else:
            return False
        return True

    def _piece(self) -> bool:
        piece = self._take(self._left)
        self._left -= len(piece)
        self._protocol.on_body(piece)
        if self._left == 0:
            if self._state == _BODY:
                self._complete()
            else:
                self._state = _CHUNK_END
        return True

    def _chunk(self) -> bool:
        line = self._line(1024)
        if line is None:
            return False
        found = _matched(_CHUNK_LINE, line, "a chunk has no size")
        self._left, self._trailing = int(found[1], 16), 0
        self._state = _CHUNK_BODY if self._left else _TRAILERS
        return True

    def _trailer(self) -> bool:
        line = self._line(LONGEST_HEAD)
        if line is None:
            return False
        self._trailing += len(line)
        _need(self._trailing <= LONGEST_HEAD, "the trailers are too long")
        if line:
            self._protocol.on_header(*_field(line))
        else:
            self._complete()
        return True

    def _complete(self) -> None:
        self._state = _HEAD
        self._protocol.on_message_complete()


class HttpRequestParser(_Parser):
    def __init__(self, protocol: RequestProtocol) -> None:
        super().__init__(protocol)
        self._asker = protocol
        self._method = b""
        self._target = b""

    def get_method(self) -> bytes:
        return self._method

    def _start(self, line: bytes) -> None:
        self._method, self._target, self._version = _matched(_REQUEST_LINE, line, "no request line").groups()

    def _announce(self) -> None:
        self._asker.on_url(self._target)

    def _frame(self, lengths: list[int], codings: list[bytes]) -> None:
        if not self._framed(lengths, codings):
            _need(not codings, "chunked is not the last transfer coding")
            self._state = _HEAD


class HttpResponseParser(_Parser):
    def __init__(self, protocol: Protocol_) -> None:
        super().__init__(protocol)
        self._status = 0

    def get_status_code(self) -> int:
        return self._status

    def _start(self, line: bytes) -> None:
        found = _matched(_STATUS_LINE, line, "no status line")
        self._version, self._status = found[1], int(found[2])

    def _frame(self, lengths: list[int], codings: list[bytes]) -> None:
        if self._status < 200 or self._status in (204, 304):
            self._state = _HEAD
        elif not self._framed(lengths, codings):
            self._state = _UNTIL_CLOSED
            self._keep_alive = False


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _matched(_FIELD, line, "a header line is broken")
    return found[1], found[2].rstrip(b" \t")


def _matched(shape: re.Pattern[bytes], line: bytes, reason: str) -> re.Match[bytes]:
    found = shape.fullmatch(line)
    if found is None:
        raise ParserError(reason)
    return found


def _need(holds: bool, reason: str) -> None:
    if not holds:
        raise ParserError(reason)
