"""One client's connection: HTTP/1.1 read off a socket, one request after the other, each with a body that is read when
it is asked for."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus

from mlops.account.local.process.router.http1 import HttpRequestParser, ParserError
from mlops.account.wire.hosts import is_for_us
from mlops.account.wire.messages import Reply, Request, Unread, pairs
from mlops.ir.dataclass import dataclass

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_RECEIVED = 256 * 1024
_MOST_LEFT_UNREAD = 1024 * 1024
_SERVER = "mlops-local"
_LATE = "The request was not sent in time."


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a client may take: until its next request begins, until the head of one is whole, and for each
    ``least`` bytes of a body, or of an answer that it takes."""

    idle: float = 60.0
    head: float = 20.0
    body: float = 20.0
    least: int = 16 * 1024
    biggest_body: int = 5 * 1024**3


class Gone(Unread):
    """The client has gone, or is sent away: nothing more is read."""


class _TooSlow(Unread):
    pass


class _Broken(Unread):
    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class _Message:
    """A request that is being read, or was."""

    def __init__(self) -> None:
        self.method = ""
        self.target = b""
        self.headers: dict[str, str] = {}
        self.pieces: deque[bytes] = deque()
        self.held = 0  # bytes of the pieces
        self.size = 0
        self.head_read = False
        self.whole = False
        self.keep_alive = True
        self.continue_owed = False


class Connection:
    """Not to be used by two threads, but for :meth:`close`. ``early`` was read off the socket before; ``accepts`` tells
    by its headers whether a request is meant for us."""

    def __init__(
        self,
        taken: socket.socket,
        limits: Limits,
        early: bytes = b"",
        accepts: Callable[[Mapping[str, str]], bool] = is_for_us,
    ) -> None:
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = taken
        self._limits = limits
        self._early = early
        self._accepts = accepts
        self._parser = HttpRequestParser(self)
        self._coming = _Message()
        self._messages: deque[_Message] = deque()  # whose heads are whole, the one that is answered not among them
        self.idle_since: float | None = time.monotonic()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._coming = _Message()

    def on_url(self, url: bytes) -> None:
        self._coming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        coming = self._coming
        if coming.head_read:  # a trailer
            return
        key, text = name.decode("latin-1").lower(), _text(value)
        coming.headers[key] = f"{coming.headers[key]},{text}" if key in coming.headers else text

    def on_headers_complete(self) -> None:
        coming = self._coming
        coming.method, coming.head_read = self._parser.get_method().decode(), True
        self._messages.append(coming)

    def on_body(self, body: bytes) -> None:
        coming = self._coming
        coming.size += len(body)
        coming.held += len(body)
        coming.pieces.append(body)

    def on_message_complete(self) -> None:
        self._coming.whole = True
        self._coming.keep_alive = self._parser.should_keep_alive()

    # What the server calls.

    def serve(self, answer: Callable[[Request], Reply], stopping: Callable[[], bool]) -> None:
        """Answers until either side has enough."""
        try:
            while self._one(answer, stopping):
                pass
        except (Gone, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    # Ours.

    def _one(self, answer: Callable[[Request], Reply], stopping: Callable[[], bool]) -> bool:
        """Whether another request may follow."""
        try:
            message = self._next()
            request = self._request(message)
        except _Broken as error:
            self._refuse(error.status, str(error))
            return False
        self.idle_since = None
        try:
            reply = answer(request)
        except (_TooSlow, _Broken) as error:
            self._refuse(error.status if isinstance(error, _Broken) else 408, str(error) or _LATE)
            return False
        keep = self._finish(message) and not stopping()
        self._send(message.method, reply, keep)
        self.idle_since = time.monotonic()
        return keep

    def _next(self) -> _Message:
        """The next request, as soon as its head is whole. Raises Gone where there is none in time."""
        begun, deadline = False, time.monotonic() + self._limits.idle
        while not self._messages:
            data = self._receive(deadline - time.monotonic())
            if not data:
                if begun:
                    raise _Broken(408, _LATE)
                raise Gone
            if not begun:
                begun, deadline = True, time.monotonic() + self._limits.head
            self._feed(data)
        return self._messages.popleft()

    def _request(self, message: _Message) -> Request:
        headers, target = message.headers, _text(message.target)
        if not self._accepts(headers):
            raise _Broken(
                403,
                "Host, and Origin where there is one, have to name this machine (127.0.0.1 or localhost): a page of "
                "another origin that a browser shows is not answered.",
            )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limits.biggest_body:
            raise _Broken(413, f"The body exceeds {self._limits.biggest_body} bytes.")
        path, _, query = target.partition("?")
        if not path.startswith("/"):
            raise _Broken(400, "The request's target is no path.")
        try:
            asked = pairs(query)
        except ValueError:
            raise _Broken(400, "The query cannot be read.") from None
        message.continue_owed = headers.get("expect", "").lower() == "100-continue"
        return Request(message.method, path, asked, headers, _Body(self, message))

    def read(self, message: _Message, count: int | None) -> bytes:
        """Of the body: up to ``count`` bytes, fewer only at its end."""
        wanted = -1 if count is None else count
        parts: list[bytes] = []
        while wanted and (message.pieces or self._fill(message)):
            piece = message.pieces.popleft()
            if 0 <= wanted < len(piece):
                message.pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            message.held -= len(piece)
            wanted -= len(piece) if wanted > 0 else 0
            parts.append(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _fill(self, message: _Message) -> bool:
        """Whether there is more of the body. A client that sends drop by drop is not waited for: each look is to take
        it at least so many bytes further."""
        if message.continue_owed:
            message.continue_owed = False
            if not message.whole:
                self._socket.sendall(_CONTINUE)
        deadline = time.monotonic() + self._limits.body
        while not message.whole and message.held < self._limits.least:
            data = self._receive(deadline - time.monotonic())
            if not data:
                raise _TooSlow
            self._feed(data)
            if message.size > self._limits.biggest_body:
                raise _Broken(413, f"The body exceeds {self._limits.biggest_body} bytes.")
        return bool(message.pieces)

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except ParserError as error:
            raise _Broken(400, f"This is not HTTP/1.1: {error}.") from None

    def _receive(self, seconds: float) -> bytes:
        """Nothing where nothing came in time. Raises Gone at the end."""
        if self._early:
            data, self._early = self._early, b""
            return data
        if seconds <= 0:
            return b""
        self._socket.settimeout(seconds)
        try:
            data = self._socket.recv(_RECEIVED)
        except TimeoutError:
            return b""
        if not data:
            raise Gone
        return data

    def _finish(self, message: _Message) -> bool:
        """Whether the request was read to its end, or could be, so that the next can follow."""
        if not message.whole and message.continue_owed:
            return False  # the client has not begun to send, and may never
        left = _MOST_LEFT_UNREAD
        try:
            while not message.whole and left > 0:
                message.pieces.clear()
                data = self._receive(self._limits.body)
                if not data:
                    return False
                self._feed(data)
                left -= len(data)
        except (_Broken, Gone):
            return False
        return message.whole and message.keep_alive

    def _send(self, method: str, reply: Reply, keep: bool) -> None:
        body = reply.body
        headers = {"Server": _SERVER, "Date": formatdate(usegmt=True), **reply.headers}
        told = {name.lower() for name in headers}
        bodiless = method == "HEAD" or reply.status in (204, 304)
        chunked = False
        if isinstance(body, bytes):
            if "content-length" not in told and reply.status not in (204, 304):
                headers["Content-Length"] = str(len(body))
        elif "content-length" not in told:
            headers["Transfer-Encoding"] = "chunked"
            chunked = True
        if not keep:
            headers["Connection"] = "close"
        head = _head_of(reply.status, headers)
        self._socket.settimeout(self._limits.body)
        if bodiless:
            if not isinstance(body, bytes):
                _close(body)
            self._socket.sendall(head)
        elif isinstance(body, bytes):
            self._socket.sendall(head + body)
        else:
            self._stream(head, body, chunked=chunked)
        if not keep:
            self._linger()

    def _stream(self, head: bytes, body: Iterable[bytes], *, chunked: bool) -> None:
        try:
            self._socket.sendall(head)
            for piece in body:
                self._socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                self._socket.sendall(b"0\r\n\r\n")
        finally:
            _close(body)

    def _refuse(self, status: int, said: str) -> None:
        """What is no request of AWS's is told as plain as it is."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "x-amzn-ErrorType": "BadRequest"}
        self._send("GET", Reply(status, headers, f"{said}\n".encode()), keep=False)

    def _linger(self) -> None:
        """A connection that is closed while the client still sends is reset, and takes along what was not read yet."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(1.0)
            deadline = time.monotonic() + 2.0
            while time.monotonic() < deadline and self._socket.recv(_RECEIVED):
                pass
        except OSError:
            pass


class _Body:
    def __init__(self, connection: Connection, message: _Message) -> None:
        self._connection = connection
        self._message = message

    def read(self, amt: int | None = None, /) -> bytes:
        return self._connection.read(self._message, None if amt is None or amt < 0 else amt)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _head_of(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}"]
    lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _one_line(text: str) -> str:
    """What would begin another header line begins none."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
