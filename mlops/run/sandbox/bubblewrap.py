"""A command in namespaces that ``bwrap`` makes, where the kernel lets that program do what it refuses to us: Ubuntu
24.04 admits it by an AppArmor profile of its own.

It takes the place of the command, so a keeper stands beside it as in plain folders, and of the command's three
processes (bwrap, its process 1 of the namespace, the command) only the last is asked to end.
"""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH112, PTH114, PTH115

from __future__ import annotations

import errno
import fcntl
import os
import signal
from collections.abc import Iterator, Sequence

from mlops.run.sandbox import mounts, programs
from mlops.run.sandbox.folders import Folders, children_of
from mlops.run.sandbox.modes import BUBBLEWRAP, BUBBLEWRAP_PLACES
from mlops.run.sandbox.order import Order

_ABOVE_OTHERS = 200


class Bubblewrap(Folders):
    def __init__(self) -> None:
        self._hosts: str | None = None

    def prepare(self) -> None:
        """Not for root: it hands over the host's own device nodes, and whoever owns them changes them."""
        if os.geteuid() == 0:
            raise OSError(errno.EPERM, "bubblewrap keeps root from nothing in /dev")
        self._hosts = mounts.known_hosts()

    def start(self, order: Order, inherited: Sequence[int]) -> int:
        if order.join is not None:
            told = "hosts of one job share an isolated network only where namespaces can be had without bubblewrap"
            raise OSError(errno.ENOTSUP, told)
        _need_program(order)
        hosts = None if self._hosts is None else _in_memory(mounts.hosts_file(self._hosts, order.hosts))
        words = (programs.program_of(BUBBLEWRAP, BUBBLEWRAP_PLACES), *_arguments(order, hosts), "--", *order.command)
        return programs.fork(order._replace(command=words, cwd="/"), inherited)

    def terminate(self, child: int) -> bool:
        try:
            commands = [command for first in children_of(child) for command in children_of(first)]
        except FileNotFoundError:
            return False
        for command in commands:
            os.kill(command, signal.SIGTERM)
        return bool(commands)


def _arguments(order: Order, hosts: int | None) -> Iterator[str]:
    yield from ("--die-with-parent", "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--hostname", order.hostname)
    if not order.network:
        yield "--unshare-net"
    for path in mounts.shared():
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        else:
            yield from ("--ro-bind", path, path)
    yield from ("--dev", "/dev", "--proc", "/proc", "--dir", "/run")
    for device in mounts.accelerators():
        yield from ("--dev-bind", device, device)
    yield from ("--perms", "1777", "--tmpfs", "/dev/shm")  # noqa: S108
    yield from ("--remount-ro", "/dev")
    for folder in mounts.of_run():
        yield from ("--ro-bind", folder, folder)
    for hidden in order.hide:
        yield from ("--tmpfs", hidden)
    yield from ("--bind", order.ml, "/opt/ml", "--bind", order.tmp, "/tmp")  # noqa: S108
    for kept in order.keep:
        yield from ("--ro-bind", kept, kept)
    for hidden in order.hide:
        yield from ("--remount-ro", hidden)
    if hosts is not None:
        yield from ("--ro-bind-data", str(hosts), "/etc/hosts")
    yield from ("--remount-ro", "/", "--chdir", order.cwd)


def _in_memory(text: str) -> int:
    """A descriptor that bwrap inherits, above those that the command has."""
    made = os.memfd_create("hosts")
    os.write(made, text.encode())
    os.lseek(made, 0, os.SEEK_SET)
    kept = fcntl.fcntl(made, fcntl.F_DUPFD, _ABOVE_OTHERS)
    os.close(made)
    return kept


def _need_program(order: Order) -> None:
    """bwrap would say it in words of its own. Raises NoStart."""
    name = order.command[0]
    for inside, outside in (("/opt/ml/", order.ml), ("/tmp/", order.tmp)):  # noqa: S108
        if name.startswith(inside):
            name = f"{outside}/{name.removeprefix(inside)}"
    found = programs.program_of(name, order.environment.get("PATH", os.defpath))
    if not os.access(found, os.X_OK) or os.path.isdir(found):
        code = errno.EACCES if os.access(found, os.F_OK) else errno.ENOENT
        raise programs.NoStart(order.command[0], OSError(code, os.strerror(code)))
