"""What the kernel refuses to this process and to what it starts, from now on: a filter of system calls (seccomp).

It holds against C code too, and a file has no way to take it away. Needs Linux and one of the machines below; elsewhere
nothing is refused, and that is answered.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from mlops.run.sandbox import kernel

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_NUMBERS = {
    "x86_64": {
        "connect": 42, "socket": 41, "sendto": 44, "bind": 49, "fork": 57, "vfork": 58, "clone": 56, "clone3": 435,
        "execve": 59, "execveat": 322, "kill": 62, "ptrace": 101, "process_vm_readv": 310, "io_uring_setup": 425,
        "pidfd_open": 434, "keyctl": 250, "request_key": 249, "add_key": 248,
    },
    "aarch64": {
        "connect": 203, "socket": 198, "sendto": 206, "bind": 200, "clone": 220, "clone3": 435, "execve": 221,
        "execveat": 281, "kill": 129, "ptrace": 117, "process_vm_readv": 270, "io_uring_setup": 425, "pidfd_open": 434,
        "keyctl": 219, "request_key": 218, "add_key": 217,
    },
}  # fmt: skip

TO_LISTENERS = ("connect", "io_uring_setup", "keyctl", "request_key", "add_key")
"""Sockets that lie in the file system have no network namespace, and a keyring goes to all who come after."""
OUTWARDS = (
    *TO_LISTENERS, "socket", "sendto", "bind", "fork", "vfork", "clone", "clone3", "execve", "execveat", "kill",
    "ptrace", "process_vm_readv", "pidfd_open",
)  # fmt: skip
"""All by which a process reaches another, or makes one. Threads may be made."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_CLONE_THREAD = 0x00010000
_OTHER_NUMBERS = 0x40000000
"""Of x86_64's second set of calls."""
_PR_SET_SECCOMP, _FILTER = 22, 2


def refuse(calls: tuple[str, ...]) -> bool:
    """Whether they are refused now."""
    machine = os.uname().machine if sys.platform == "linux" and sys.maxsize > 2**32 else ""
    if machine not in _ARCHITECTURES:
        return False
    numbers = _NUMBERS[machine]
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _OTHER_NUMBERS),
        (_RETURN, 0, 0, _REFUSE | errno.ENOSYS),
    ]
    for name in calls:
        if name in numbers:
            steps += _of_one(name, numbers[name])
    steps.append((_RETURN, 0, 0, _ALLOW))
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program, len(program))
    # A count and a pointer, as the kernel's own structure has them.
    filter_ = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(held))
    try:
        kernel.no_new_rights()
        kernel.check(kernel.libc.prctl(_PR_SET_SECCOMP, _FILTER, filter_, 0, 0), "seccomp")
    except OSError:
        return False
    return True


def _of_one(name: str, number: int) -> list[tuple[int, int, int, int]]:
    match name:
        case "clone":  # a thread is one too
            return [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _FIRST_ARGUMENT),
                (_ANY_OF, 0, 1, _CLONE_THREAD),
                (_RETURN, 0, 0, _ALLOW),
                (_RETURN, 0, 0, _REFUSE | errno.EPERM),
            ]
        case "clone3" | "io_uring_setup":  # who asks for them has another way
            refusal = errno.ENOSYS
        case "connect":
            refusal = errno.ECONNREFUSED
        case _:
            refusal = errno.EPERM
    return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | refusal)]
