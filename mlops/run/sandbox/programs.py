"""Starts an order's command from its keeper."""

# pathlib would cost every step start-up time.

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
from collections.abc import Sequence
from typing import NoReturn

from mlops.run.sandbox.kernel import die_with_parent
from mlops.run.sandbox.order import KILLED, Order

# An ignored signal stays ignored behind exec.
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class NoStart(Exception):
    def __init__(self, what: str, fault: OSError) -> None:
        super().__init__(what)
        self.what = what
        self.reason = fault.strerror
        self.status = 127 if fault.errno == errno.ENOENT else 126


def tell(text: str) -> None:
    os.write(2, f"[mlops] {text}\n".encode())


def spawn(order: Order, inherited: Sequence[int]) -> int:
    """Without a copy of this process. Raises NoStart."""
    command, environment = order.command, order.environment
    try:
        os.chdir(order.cwd)
    except OSError as fault:
        raise NoStart(order.cwd, fault) from fault
    copies = _out_of_the_way(order, inherited)
    try:
        return os.posix_spawn(
            program_of(command[0], environment.get("PATH", os.defpath)),
            command,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, copy, place) for copy, place in copies],
            setsid=True,
            setsigdef=IGNORED_BY_PYTHON,
            setsigmask=(),
        )
    except OSError as fault:
        raise NoStart(command[0], fault) from fault
    finally:
        for copy, _ in copies:
            os.close(copy)


def program_of(name: str, path: str) -> str:
    """Where it is looked for first when it is nowhere."""
    places = [name] if "/" in name else [f"{folder}/{name}" for folder in path.split(":")]
    return next((place for place in places if os.access(place, os.X_OK)), places[0])


def fork(order: Order, inherited: Sequence[int]) -> int:
    """Of this process the command hears when it ends."""
    alive_read, alive_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive_write)
        die_with_parent()
        # At its end where the keeper died before the kernel knew of our wish.
        if select.select([alive_read], [], [], 0)[0]:
            os._exit(KILLED)
        _execute(order, inherited)
    os.close(alive_read)
    return child


def _execute(order: Order, inherited: Sequence[int]) -> NoReturn:
    command, environment = order.command, order.environment
    try:
        os.setsid()
        os.chdir(order.cwd)
        for copy, place in _out_of_the_way(order, inherited):
            os.dup2(copy, place)
        for number in IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command[0], command, environment)  # noqa: S606 - the command is the author's own
    except OSError as fault:
        told = NoStart(order.cwd if fault.filename == order.cwd else command[0], fault)
        tell(f"cannot start {told.what!r}: {told.reason}")
        os._exit(told.status)


def _out_of_the_way(order: Order, inherited: Sequence[int]) -> list[tuple[int, int]]:
    """Copies of what is inherited, and the numbers that they are to have: one may have come under the number that
    another one is to have."""
    above = max(order.inherit, default=2) + 1
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, above) for descriptor in inherited]
    return list(zip(copies, order.inherit, strict=True))
