"""What waits for a variant, and the servers that take from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops.account.local.process.router.routing import Server, Variant
from mlops.account.local.process.router.wire import INVOKED_VARIANT

if TYPE_CHECKING:
    from mlops.account.local.process.router.exchange import Exchange
    from mlops.account.local.process.router.model_connection import ModelConnection


_QUICK_SECONDS = 0.05


class Running:
    """A server with its requests and its connections. ``drained`` is called when a server that gets no more requests
    has answered its last."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.busy = 0
        self.line: Line | None = None
        self.drained: Callable[[], None] | None = None
        self._idle: list[list[ModelConnection]] = [[] for _ in server.ports]
        self._all: set[ModelConnection] = set()

    @property
    def free(self) -> bool:
        """A model that answers in no time has its next request before it has answered: else it waits for the router.
        One is enough to keep it busy, and more of them make it slower: each is a thread that wants its interpreter.
        Behind a slow one a request would wait while another server may become free."""
        return self.busy < self.server.slots + (self.line.ahead if self.line is not None else 0)

    def connection(self, stage: int) -> ModelConnection | None:
        idle = self._idle[stage]
        while idle:
            found = idle.pop()
            if found.reusable:
                return found
        return None

    def opened(self, connection: ModelConnection) -> None:
        self._all.add(connection)

    def put_back(self, connection: ModelConnection, now: float) -> None:
        connection.since = now
        self._idle[connection.stage].append(connection)

    def forget(self, connection: ModelConnection) -> None:
        self._all.discard(connection)
        idle = self._idle[connection.stage]
        if connection in idle:
            idle.remove(connection)

    def close_idle(self, before: float) -> None:
        """Before the server does: then no request meets a connection that is just being closed."""
        for idle in self._idle:
            for connection in [item for item in idle if item.since < before]:
                idle.remove(connection)
                connection.close()

    def close(self) -> None:
        for connection in list(self._all):
            connection.close()

    def released(self) -> None:
        self.busy -= 1
        if self.busy == 0 and self.drained is not None:
            drained, self.drained = self.drained, None
            drained()


class Line:
    """One variant: what waits, in the order in which it came, and what is inside its servers."""

    def __init__(self, variant: Variant, *, shadow: bool) -> None:
        self.variant = variant
        self.shadow = shadow
        self.servers: list[Running] = []
        self.waiting: OrderedDict[Exchange, None] = OrderedDict()
        self.waiting_bytes = 0
        self.inside = 0
        self.dropped = 0
        self.models: dict[str, Line] = {}  # of a variant that hosts many
        self.target = ""  # the model whose line this is
        self.used = 0.0  # when it was asked for last
        self.typical = 1.0  # seconds inside the model, of late
        self.ahead = 0
        self.told = f"{INVOKED_VARIANT}: {variant.told or variant.name}\r\n".encode()

    @property
    def name(self) -> str:
        return self.variant.name.removeprefix("component/")

    def took(self, seconds: float) -> None:
        """So long was a request inside the model."""
        self.typical += (seconds - self.typical) / 8
        self.ahead = 1 if self.typical < _QUICK_SECONDS else 0

    def free_server(self, tried: set[str] | None) -> Running | None:
        """The one with the fewest requests."""
        best: Running | None = None
        for server in self.servers:
            if server.free and (best is None or server.busy < best.busy) and not (tried and server.server.key in tried):
                best = server
        return best

    def wait(self, exchange: Exchange) -> None:
        self.waiting[exchange] = None
        self.waiting_bytes += exchange.size

    def leave(self, exchange: Exchange) -> bool:
        """Whether it was waiting."""
        if exchange not in self.waiting:
            return False
        del self.waiting[exchange]
        self.waiting_bytes -= exchange.size
        return True

    def next(self) -> Exchange | None:
        if not self.waiting:
            return None
        exchange, _ = self.waiting.popitem(last=False)
        self.waiting_bytes -= exchange.size
        return exchange


NOWHERE = Line(Variant("", ()), shadow=False)
"""Of a request for which no variant was chosen yet."""
