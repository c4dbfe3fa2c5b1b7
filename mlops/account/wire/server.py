"""Takes connections on 127.0.0.1, each to a thread of its own, until it is stopped."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from mlops.account.wire.connection import Connection, Limits
from mlops.account.wire.messages import Reply, Request
from mlops.account.wire.peers import is_ours
from mlops.ir import UsageError

HOST = "127.0.0.1"
MOST_CONNECTIONS = 256
_WAIT_SECONDS = 5.0


class Served(Protocol):
    """One client. ``idle_since`` tells since when nothing is asked; None while something is."""

    @property
    def idle_since(self) -> float | None: ...
    def serve(self, answer: Callable[[Request], Reply], stopping: Callable[[], bool]) -> None: ...
    def close(self) -> None: ...


class Server:
    """Listens as soon as it is made; :meth:`start` begins to answer. ``port`` 0 is any that is free. Raises UsageError
    for one that is taken. ``meet`` makes of a socket who is served."""

    def __init__(
        self,
        answer: Callable[[Request], Reply],
        port: int = 0,
        limits: Limits | None = None,
        most: int = MOST_CONNECTIONS,
        meet: Callable[[socket.socket, Limits], Served] = Connection,
    ) -> None:
        self._answer = answer
        self._limits = limits or Limits()
        self._most = most
        self._meet = meet
        self._stopping = threading.Event()
        self._connections: set[Served] = set()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="client")
        self._taker = threading.Thread(target=self._take, name="server", daemon=True)
        try:
            self._listening = socket.create_server((HOST, port), backlog=128)
        except OSError as error:
            raise UsageError(
                f"nothing can listen on port {port}: {error.strerror}", hint="give another --port, or none"
            ) from None
        self.port: int = self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self._taker.start()

    def stop(self, seconds: float = _WAIT_SECONDS) -> None:
        """Takes nobody any more; answers that are on their way have ``seconds`` to end."""
        self._stopping.set()
        # A listening socket that is closed wakes nobody who waits at it.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._taker.is_alive():
            self._taker.join(seconds)
        deadline = time.monotonic() + seconds
        while (left := self._open()) and time.monotonic() < deadline:
            for connection in left:
                if connection.idle_since is not None:
                    connection.close()
            time.sleep(0.01)
        for connection in self._open():
            connection.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _open(self) -> list[Served]:
        with self._lock:
            return [*self._connections]

    def _take(self) -> None:
        while not self._stopping.is_set():
            try:
                taken, _ = self._listening.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                time.sleep(0.05)  # no descriptor is free
                continue
            self._welcome(taken)

    def _welcome(self, taken: socket.socket) -> None:
        if not is_ours(taken):
            taken.close()
            return
        connection = self._meet(taken, self._limits)
        with self._lock:
            if len(self._connections) >= self._most:
                self._make_room()
            self._connections.add(connection)
        self._threads.submit(self._serve, connection)

    def _make_room(self) -> None:
        """Whoever has asked nothing for longest is sent away; he comes again when he wants something."""
        idle = [(item.idle_since, id(item), item) for item in self._connections if item.idle_since is not None]
        if idle:
            _, _, longest = min(idle)
            longest.close()

    def _serve(self, connection: Served) -> None:
        try:
            connection.serve(self._answer, self._stopping.is_set)
        finally:
            with self._lock:
                self._connections.discard(connection)
