"""A command in mount, process, host-name and, where it is isolated, network namespaces of its own."""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH115

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import struct
import time
from collections.abc import Sequence

from mlops.run.sandbox import kernel, mounts, programs
from mlops.run.sandbox.order import FIRST_NAME, Order

# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot,
# audit_write, setfcap: what a container of Docker's has, without mknod. With others a step that root started could undo
# its sandbox, or set the machine's clock.
KEPT_CAPABILITIES = frozenset((0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31))
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
JOIN_SECONDS = 10.0


class Namespaces:
    """What a sandbox costs is paid while nobody waits: the launcher makes once what all have in common, and each keeper
    its own part before it has an order."""

    def __init__(self) -> None:
        self._hosts: str | None = None

    def prepare(self) -> None:
        enter_namespaces()
        mounts.make_root()
        self._hosts = mounts.known_hosts()

    def nothing(self) -> int:
        """The node of the sandbox: that of the host's own folder root could change through the descriptor."""
        return os.open(f"{mounts.ROOT}/dev/null", os.O_RDONLY)

    def fork(self) -> int:
        return kernel.clone(kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWUTS)

    def begin(self) -> int:
        # The host's processes are still in sight, and it is told by their numbers.
        process = int(os.readlink("/proc/self"))
        mounts.make_own_places(self._hosts)
        kernel.set_host_name(FIRST_NAME)
        kernel.keep_capabilities(KEPT_CAPABILITIES)
        return process

    def start(self, order: Order, inherited: Sequence[int]) -> int:
        mounts.bring_ordered(order)
        if not order.network:
            _enter_network(order.join)
        mounts.enter_root()
        if order.hostname != FIRST_NAME:
            kernel.set_host_name(order.hostname)
        if self._hosts is not None and order.hosts != mounts.ALONE:
            mounts.write_hosts("/etc/hosts", self._hosts, order.hosts)
        return programs.spawn(order, inherited)

    def terminate(self, child: int) -> bool:
        os.kill(child, signal.SIGTERM)
        return True

    def kill_leftovers(self, child: int) -> None:
        """Of the namespace all but us, who are its process 1."""
        with contextlib.suppress(ChildProcessError):
            while True:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
                os.wait()


def enter_namespaces() -> None:
    """Where the user has not got the right to mount, in a namespace of users in which this process has it."""
    kernel.need_clone()
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            kernel.unshare(kernel.CLONE_NEWNS)
        except PermissionError:
            pass  # root without CAP_SYS_ADMIN, as in a container
        else:
            return
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)


def _enter_network(join: int | None) -> None:
    """One with nothing but its own loopback, or the one of another keeper, as soon as that has got it."""
    if join is None:
        kernel.unshare(kernel.CLONE_NEWNET)
        raise_loopback()
        return
    theirs, own, deadline = f"/proc/{join}/ns/net", os.readlink("/proc/self/ns/net"), time.monotonic() + JOIN_SECONDS
    while os.readlink(theirs) == own:
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), theirs)
        time.sleep(0.002)
    descriptor = os.open(theirs, os.O_RDONLY)
    kernel.check(kernel.libc.setns(descriptor, kernel.CLONE_NEWNET), theirs)
    os.close(descriptor)


def raise_loopback() -> None:
    """A new network namespace has nothing but ``lo``, and that is down. Sockets made before stay where they were."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
