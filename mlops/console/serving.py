"""The server: on a socket that is bound before anything is said, with patience for nobody."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable
from urllib.parse import quote

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mlops.console.application import Answers, Settings
from mlops.console.gate import ENTER, LEAVE, MOST_HEAD, Gate, Keys
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.use_cases.connecting import Connected

PORT = 4600
"""Where the console is if nothing else is asked and nobody else is there."""
LOOPBACK = "127.0.0.1"
_MOST_CONNECTIONS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """``names`` are those by which a proxy asks, beside the address itself; ``user_header`` is where it says for
    whom. ``program`` is how the command line is started."""

    host: str = LOOPBACK
    port: int | None = None
    may_change: bool = False
    names: tuple[str, ...] = ()
    user_header: str | None = None
    program: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """Bound, and not yet answering. ``address`` lets a browser in."""

    server: uvicorn.Server
    bound: socket.socket
    address: str

    def run(self) -> None:
        """Until Ctrl-C, or until the server is told to exit."""
        self.server.run(sockets=[self.bound])


def ready(connected: Connected, wanted: Wanted, record: Callable[[str], None]) -> Ready:
    """``record`` is given each change, in a sentence. Raises UsageError where nothing can listen there."""
    bound = _bound(wanted.host, wanted.port)
    port = int(bound.getsockname()[1])
    keys = Keys.fresh()
    application = Answers(Settings(connected, keys.mark, wanted.may_change, record, wanted.program)).application()
    gate = Gate(application, keys, hosts(wanted.host, port, wanted.names), port, wanted.user_header)
    config = uvicorn.Config(
        gate,
        http=Patient,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=MOST_HEAD,
    )
    address = f"http://{_shown(wanted.host)}:{port}{ENTER}?token={quote(keys.token)}"
    return Ready(uvicorn.Server(config), bound, address)


def hosts(host: str, port: int, names: Iterable[str] = ()) -> frozenset[str]:
    """What may stand in Host.

    >>> sorted(hosts("127.0.0.1", 4600, ["console.acme.com"]))
    ['127.0.0.1:4600', '[::1]:4600', 'console.acme.com', 'localhost:4600']
    """
    local = {"localhost", LOOPBACK, "[::1]"} if _is_loopback(host) else {_shown(host)}
    return frozenset({f"{name}:{port}" for name in local} | {name.lower() for name in names})


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _bound(host: str, port: int | None) -> socket.socket:
    """The port that was asked for, or ours, or where nobody else is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tries = (port,) if port is not None else (PORT, 0)
    for one in tries:
        try:
            return socket.create_server((host, one), family=family, backlog=128)
        except OSError as error:
            refused = error
    raise UsageError(f"nothing can listen on {host}:{tries[0]}: {refused.strerror}", hint="choose another --port")


class Patient(H11Protocol):
    """Leaves a client that does not say within a time what it wants, and gives what answers a way to leave it."""

    seconds = 10.0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, LEAVE: transport.abort}
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
