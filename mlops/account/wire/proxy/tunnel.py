"""One client of the proxy: what it wants to be led to, and the same answers there as anywhere else."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from mlops.account.local.process.router.http1 import HttpRequestParser, ParserError
from mlops.account.wire.aws_names import below_aws
from mlops.account.wire.connection import Connection, Limits
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.proxy.gate import Gate
from mlops.ir import MlopsError

_LONGEST_HEAD = 16 * 1024
_RECEIVED = 16 * 1024
_END = b"\r\n\r\n"
_PORTS = {"CONNECT": 443, "http": 80}
_OF_THIS_STAGE = ("connection", "host", "keep-alive", "proxy-authorization", "proxy-connection")
_DISTRUSTED = (
    "it does not trust the certificate of this command; it may want it by another way than AWS_CA_BUNDLE, "
    "REQUESTS_CA_BUNDLE, SSL_CERT_FILE, CURL_CA_BUNDLE or NODE_EXTRA_CA_CERTS"
)


class _Turned(Exception):
    def __init__(self, status: str, said: str, *headers: str) -> None:
        super().__init__(said)
        self.status = status
        self.headers = headers


class Tunnel:
    """Has the face of a :class:`~mlops.account.wire.connection.Connection`, which it becomes as soon as it knows where
    its client wants to go."""

    def __init__(self, taken: socket.socket, limits: Limits, gate: Gate) -> None:
        self._socket = taken
        self._limits = limits
        self._gate = gate
        self._inner: Connection | None = None
        self._since: float | None = time.monotonic()

    @property
    def idle_since(self) -> float | None:
        return self._since if self._inner is None else self._inner.idle_since

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def serve(self, answer: Callable[[Request], Reply], stopping: Callable[[], bool]) -> None:
        try:
            self._inner = self._led()
            self._inner.serve(answer, stopping)
        except _Turned as turned:
            self._refuse(turned)
        except OSError:
            pass  # whoever asked has gone
        finally:
            self.close()

    def _led(self) -> Connection:
        """Raises _Turned and OSError."""
        head, rest = self._head()
        asked = _asked(head)
        if not self._gate.admits(asked.headers):
            raise _Turned(
                "407 Proxy Authentication Required",
                "This proxy is for the command that `mlops local exec --proxy` has started.",
                'Proxy-Authenticate: Basic realm="mlops local"',
            )
        name, port, path = _place(asked)
        if below_aws(name) is None or port not in _PORTS.values():
            self._gate.turn(f"{name}:{port}", "AWS is not there, and the proxy leads to the local account alone")
            raise _Turned("403 Forbidden", f"AWS is not at {name}:{port}; this proxy leads to the local account alone.")
        if path is not None:
            return Connection(self._socket, self._limits, _forwarded(asked, name, path) + rest, _named(name))
        if rest:
            raise _Turned("400 Bad Request", "Nothing may be sent before the proxy has answered.")
        context = self._context(name)
        self._socket.settimeout(self._limits.head)
        self._socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            # Ours before hands are shaken, so that closing ends that too.
            met = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
            self._socket = met
            met.do_handshake()
        except ssl.SSLError as error:
            if "ALERT" in (error.reason or ""):
                self._gate.turn(name, _DISTRUSTED)
            raise
        return Connection(self._socket, self._limits, accepts=_named(name))

    def _context(self, name: str) -> ssl.SSLContext:
        try:
            return self._gate.context(name)
        except (MlopsError, OSError) as error:
            self._gate.turn(name, f"no certificate could be made for it: {error}")
            raise _Turned("502 Bad Gateway", f"No certificate could be made for {name}.") from None

    def _head(self) -> tuple[bytes, bytes]:
        deadline = time.monotonic() + self._limits.head
        held = b""
        while _END not in held:
            if len(held) > _LONGEST_HEAD:
                raise _Turned("431 Request Header Fields Too Large", "The head of the request is too long.")
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            data = self._socket.recv(_RECEIVED)
            if not data:
                raise ConnectionResetError
            held += data
        head, _, rest = held.partition(_END)
        return head + _END, rest

    def _refuse(self, turned: _Turned) -> None:
        body = f"{turned}\n".encode()
        head = [
            f"HTTP/1.1 {turned.status}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *turned.headers,
        ]
        with suppress(OSError):
            self._socket.sendall("\r\n".join([*head, "", ""]).encode() + body)


class _Asked:
    """The head of a request, as the parser tells it."""

    def __init__(self) -> None:
        self.method = ""
        self.target = ""
        self.lines: list[tuple[str, str]] = []

    @property
    def headers(self) -> Mapping[str, str]:
        return {name.lower(): value for name, value in self.lines}

    def on_message_begin(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_url(self, url: bytes) -> None:
        self.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name.decode("latin-1"), value.decode("latin-1")))


def _asked(head: bytes) -> _Asked:
    asked = _Asked()
    parser = HttpRequestParser(asked)
    try:
        parser.feed_data(head)
    except ParserError as error:
        raise _Turned("400 Bad Request", f"This is not HTTP/1.1: {error}.") from None
    asked.method = parser.get_method().decode()
    return asked


def _place(asked: _Asked) -> tuple[str, int, str | None]:
    """The name of the host, its port, and the path there for what is asked in clear."""
    connect = asked.method == "CONNECT"
    try:
        found = urlsplit(f"//{asked.target}" if connect else asked.target)
        name, port = (found.hostname or "").removesuffix("."), found.port
    except ValueError:
        name, port = "", None
    kind = asked.method if connect else found.scheme if name else ""
    if not name or kind not in _PORTS or found.username is not None:
        raise _Turned("400 Bad Request", "A proxy is asked to CONNECT to HOST:443, or for http://HOST/.")
    path = None if connect else f"{found.path or '/'}{f'?{found.query}' if found.query else ''}"
    return name, port if port is not None else _PORTS[kind], path


def _forwarded(asked: _Asked, name: str, path: str) -> bytes:
    """The request as the host itself would be asked: one, for who asks a proxy in clear may want another host next."""
    kept = [f"{key}: {value}" for key, value in asked.lines if key.lower() not in _OF_THIS_STAGE]
    lines = [f"{asked.method} {path} HTTP/1.1", f"Host: {name}", "Connection: close", *kept]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _named(name: str) -> Callable[[Mapping[str, str]], bool]:
    """Whoever was led to one name asks for nothing of another."""
    return lambda headers: headers.get("host", "").lower().removesuffix(":443").removesuffix(".") == name
