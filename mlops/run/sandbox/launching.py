"""The launcher's process, from the runner's side: started when it is first needed, again where somebody killed it."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from mlops.run.output import Output
from mlops.run.sandbox.boxed import Boxed
from mlops.run.sandbox.modes import ModeName
from mlops.run.sandbox.order import WORD, Order

# A step's files have the modes that they would have there, whatever those of our own.
_CONTAINERS_UMASK = 0o022
_LAUNCHER = Path(__file__).with_name("launcher.py")


@cache
def launcher(mode: ModeName) -> Launcher:
    """That of this process."""
    return Launcher(mode)


class Launcher:
    def __init__(self, mode: ModeName) -> None:
        self._mode = mode
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        atexit.register(self._close)
        os.register_at_fork(after_in_child=self._forget)

    def launch(
        self,
        order: Order,
        output: Output,
        descriptors: tuple[int, ...],
        killed: Callable[[], None] | None = None,
    ) -> Boxed:
        text = order.encode()
        control, theirs = socket.socketpair()
        control.setblocking(False)
        with theirs, self._lock:
            # The order goes through a socket, not through a file or arguments: it may hold secrets.
            message, passed = len(text).to_bytes(WORD) + text, [theirs.fileno(), output.descriptor, *descriptors]
            orders = self._orders or self._start()
            try:
                _send(orders, message, passed)
            except (BrokenPipeError, ConnectionResetError):
                self._close()
                _send(self._start(), message, passed)
        return Boxed(control, output, killed)

    def _start(self) -> socket.socket:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(_LAUNCHER), self._mode],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=inherited(),
                cwd="/",
                start_new_session=True,
                umask=_CONTAINERS_UMASK,
            )
        return self._orders

    def _close(self) -> None:
        if self._orders is not None and self._process is not None:
            self._orders.close()
            self._process.wait()
            self._orders = self._process = None

    def _forget(self) -> None:
        """In the child of a fork: the launcher is the parent's."""
        self._lock = threading.Lock()
        if self._orders is not None:
            self._orders.close()
        self._orders = self._process = None


def _send(orders: socket.socket, message: bytes, descriptors: Sequence[int]) -> None:
    """Raises where the order was not taken whole, and only there: who is refused sends it again to another launcher."""
    if rest := message[socket.send_fds(orders, [message], descriptors) :]:
        # Even nothing cannot be sent to a keeper that took all, and is the last to hold the socket.
        orders.sendall(rest)


def inherited() -> dict[str, str]:
    # A shared-library build of Python, such as that of hosted CI, does not start without it.
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
