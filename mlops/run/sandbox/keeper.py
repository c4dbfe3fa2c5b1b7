"""Stays beside one command from its order to its end.

The keeper takes an order from the launcher's socket, makes the sandbox, starts the command and answers on the control
socket: its own process number, and at the end the exit status, four bytes each. The other end of the control socket is
the runner's alone, and a lifeline: when it closes, because the runner closed it or died, the keeper kills everything
that it started. ``T`` on it is SIGTERM for the command. The exit status is the command's, 128 + n where signal n ended
it; as with Docker 125 says that the sandbox could not be made, 126 and 127 that the command could not be started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Sequence
from typing import NoReturn, Protocol

from mlops.run.sandbox.order import KILLED, NO_SANDBOX, WORD, Order, StaleLauncher
from mlops.run.sandbox.programs import NoStart, tell

_MOST_DESCRIPTORS = 64
_AGAIN_SECONDS = 0.01


class Mode(Protocol):
    """How commands are kept apart."""

    def prepare(self) -> None:
        """Once, in the launcher. Raises OSError, as the others do."""

    def nothing(self) -> int:
        """A descriptor that commands have as standard input; there is nothing to read."""

    def fork(self) -> int:
        """A new keeper; 0 in itself."""

    def begin(self) -> int:
        """In the keeper, before there is an order; answers its process number as the host knows it."""

    def start(self, order: Order, inherited: Sequence[int]) -> int:
        """In the keeper; answers the process of the command. Raises NoStart."""

    def terminate(self, child: int) -> bool:
        """SIGTERM to the command; False where it is not there yet. Raises ProcessLookupError."""

    def kill_leftovers(self, child: int) -> None:
        """All but the keeper, and the command itself too."""


def keep(mode: Mode, orders: socket.socket, take: int, refusal: str) -> NoReturn:
    """The keeper. It outlives the launcher; what ends it early is the control socket, or while it waits for an order
    that nobody can send one any more. ``refusal`` is why there can be no sandbox."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A signal that comes before the command exists waits here.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    process = os.getpid()
    if not refusal:
        try:
            process = mode.begin()
        except OSError as fault:
            refusal = reason(fault)
    text, descriptors = _receive(orders)
    if not text:
        os._exit(0)
    with contextlib.suppress(BrokenPipeError):  # somebody killed the launcher
        os.write(take, b"O")
    os.close(take)
    orders.close()
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    control, log, *inherited = descriptors
    try:
        os.write(control, process.to_bytes(WORD))
    except BrokenPipeError:  # nobody waits for it any more
        os._exit(0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    status = NO_SANDBOX
    if refusal:
        tell(refusal)
    else:
        try:
            child = mode.start(Order.decode(text), inherited)
        except NoStart as fault:
            tell(f"cannot start {fault.what!r}: {fault.reason}")
            status = fault.status
        except OSError as fault:
            tell(reason(fault))
        except StaleLauncher as fault:
            tell(f"the sandbox could not be made: {fault}")
        else:
            for descriptor in inherited:
                os.close(descriptor)
            status = _watch(mode, child, control, wake_read)
    with contextlib.suppress(BrokenPipeError):
        os.write(control, status.to_bytes(WORD))
    os._exit(0)


def reason(fault: OSError) -> str:
    at = f"{fault.filename}: " if fault.filename else ""
    return f"the sandbox could not be made: {at}{fault.strerror}"


def _receive(orders: socket.socket) -> tuple[bytes, list[int]]:
    """Nothing where the other end is gone."""
    size, descriptors, _, _ = socket.recv_fds(orders, WORD, _MOST_DESCRIPTORS)
    size += _exactly(orders, WORD - len(size))
    return _exactly(orders, int.from_bytes(size)), descriptors


def _exactly(orders: socket.socket, length: int) -> bytes:
    """Less only where the other end is gone."""
    text = b""
    while len(text) < length and (piece := orders.recv(length - len(text))):
        text += piece
    return text if len(text) == length else b""


def _watch(mode: Mode, child: int, control: int, wake_read: int) -> int:
    asked = False
    while True:
        # Orphans come to us too.
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == child:
                    mode.kill_leftovers(child)
                    return _exit_status(found[1])
        readable, _, _ = select.select([control, wake_read], [], [], _AGAIN_SECONDS if asked else None)
        if wake_read in readable:
            os.read(wake_read, 512)
        if control in readable:
            if not _read(control):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                mode.kill_leftovers(child)
                return KILLED
            asked = True
        if asked:
            with contextlib.suppress(ProcessLookupError):
                asked = not mode.terminate(child)


def _read(control: int) -> bytes:
    try:
        return os.read(control, 512)
    except ConnectionResetError:  # it died before it read what we wrote
        return b""


def _exit_status(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
