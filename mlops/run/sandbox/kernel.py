"""The system calls that Python has no function for."""

# pathlib would cost every step start-up time.

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC = 0x20000000, 0x40000000, 0x08000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 0x1, 0x2, 0x4, 0x8, 0x1000, 0x4000
MS_UNBINDABLE, MS_PRIVATE = 1 << 17, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOUNT_ATTR_NODEV = 442, -100, 0x8000, 1, 4
# By number, for the C library's own function wants a stack. Arguments that are 0 have no order.
SYS_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}.get(os.uname().machine) if sys.maxsize > 2**32 else None
_CAPABILITIES = 64

libc = ctypes.PyDLL(None, use_errno=True)


def need_clone() -> None:
    if SYS_CLONE is None:
        raise OSError(errno.ENOSYS, f"clone has no known number on {os.uname().machine}")


def clone(namespaces: int) -> int:
    """A fork into new ``namespaces``."""
    child: int = libc.syscall(SYS_CLONE, ctypes.c_ulong(namespaces | signal.SIGCHLD), None, None, None, None)
    check(min(child, 0), "clone")
    return child


def unshare(namespaces: int) -> None:
    check(libc.unshare(namespaces), "unshare")


def set_host_name(name: str) -> None:
    check(libc.sethostname(name.encode(), len(name.encode())), "sethostname")


def keep_capabilities(kept: frozenset[int]) -> None:
    for capability in set(range(_CAPABILITIES)) - kept:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def set_capabilities(kept: frozenset[int]) -> None:
    """Of this process, at once; :func:`keep_capabilities` is for those that it will start."""
    mask = sum(1 << capability for capability in kept)
    version, low, high = 0x20080522, mask & 0xFFFFFFFF, mask >> 32
    header = (ctypes.c_uint32 * 2)(version, 0)
    # Effective, permitted, inheritable; the lower halves first.
    sets = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    check(libc.capset(ctypes.byref(header), ctypes.byref(sets)), "capset")


def no_new_rights() -> None:
    """A program that is started gets no more than this one has, whatever its file says."""
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    if sys.platform == "linux":
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def mount(source: str | None, target: str, kind: str | None, flags: int, options: bytes | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    check(libc.mount(*texts, ctypes.c_ulong(flags), options), target)


def restrict(path: str, attributes: int) -> bool:
    """With all that is mounted below it."""
    # Before Linux 5.12 there is no such call; the root then stays writable.
    wanted = (ctypes.c_uint64 * 4)(attributes)
    arguments = (os.fsencode(path), AT_RECURSIVE, ctypes.byref(wanted), ctypes.sizeof(wanted))
    done: int = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, *arguments)
    return done == 0


def check(result: int, at: str | None) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), at)
