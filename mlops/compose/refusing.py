"""Where the system has no namespaces: what would leave the process is refused, by Python's own audit events and, on
Linux, by the kernel.

That is weaker than a closed process and stricter with the file: nothing can be started, nothing written but below the
private folder, and what Python does not see, C code, may not be loaded from the project. What is refused says so, in
the exception that the file gets and so in the finding on it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from mlops.compose import system_calls
from mlops.compose.order import Order

_NEVER = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "os.kill", "pty.",
    "socket.connect", "socket.bind", "socket.send", "socket.getaddrinfo", "socket.gethostby", "socket.getnameinfo",
    "os.setxattr", "os.removexattr", "os.putenv_", "gc.get_objects", "gc.get_referrers", "signal.pthread_kill",
)  # fmt: skip
_CHANGING = {
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rmdir": 1,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.utime": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
}
"""How many of the event's arguments are paths."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LIBRARIES = (".so", ".dylib", ".pyd", ".dll")
_CALLS = frozenset(
    [
        "socket",
        "connect",
        "send",
        "sendto",
        "sendmsg",
        "system",
        "popen",
        "fork",
        "vfork",
        "clone",
        "syscall",
        "execv",
        "execve",
        "execvp",
        "posix_spawn",
        "open",
        "openat",
        "fopen",
        "dlopen",
        "ptrace",
        "kill",
        "unlink",
        "rename",
        "mkdir",
        "write",
    ]
)
_GET_PATH = 50
"""macOS's F_GETPATH."""
_OF_OTHERS = ("/environ", "/mem", "/maps", "/cwd", "/root", "/fd", "/task")


class RefusedWhileComposing(PermissionError):
    """What the file wanted to do would leave the process."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is refused: a file is composed here, and this system has no namespaces to close it in"
        )


def refuse_what_leaves(order: Order) -> None:
    """For good: an audit hook cannot be taken away."""
    home = order.private / "home"
    temporary = order.private / "tmp"
    for folder in (home, temporary):
        folder.mkdir()
    homes = {Path(os.environ.get("HOME", "/nonexistent")), Path("~").expanduser(), *_of_the_system()}
    os.environ |= {"HOME": str(home), "TMPDIR": str(temporary), "MPLCONFIGDIR": str(home)}
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    tempfile.tempdir = str(temporary)
    _no_fork()
    system_calls.refuse(system_calls.OUTWARDS)
    sys.addaudithook(_hook(order, {str(place) for place in homes if place != Path("/")}))


def installed_folders() -> tuple[str, ...]:
    """Where Python and what is installed for it lie, before the file's own folders are among them."""
    places = [sys.prefix, sys.base_prefix, *(entry for entry in sys.path if os.path.isdir(entry))]  # noqa: PTH112
    return tuple({f"{each}/" for place in places for each in (place, os.path.realpath(place))})


def _of_the_system() -> list[Path]:
    try:
        import pwd

        return [Path(pwd.getpwuid(os.getuid()).pw_dir)]
    except (ImportError, KeyError):
        return []


def _no_fork() -> None:
    """Which has no event of its own."""

    def refuse(*arguments: object, **more: object) -> NoReturn:
        raise RefusedWhileComposing("to start a program")

    import _posixsubprocess
    import subprocess

    _posixsubprocess.fork_exec = refuse
    for name in ("_fork_exec", "_posixsubprocess"):
        if hasattr(subprocess, name) and name == "_fork_exec":
            setattr(subprocess, name, refuse)


def _folder_of(descriptor: int) -> str:
    """The path of an open folder; of one that is not known, what nobody may write to."""
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        pass
    try:
        import fcntl

        return os.fsdecode(fcntl.fcntl(descriptor, _GET_PATH, bytes(1024)).rstrip(b"\0"))
    except (ImportError, OSError):
        return "/"


def _hook(order: Order, homes: set[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """Its helpers are its own: what a module holds the file could replace."""
    private = str(order.private)
    secret = {str(path) for path in order.secret}
    python = installed_folders()
    me = str(os.getpid())
    realpath, fspath, join, refused = os.path.realpath, os.fspath, os.path.join, RefusedWhileComposing
    never, changing, writing, libraries, calls, of_others = _NEVER, _CHANGING, _WRITING, _LIBRARIES, _CALLS, _OF_OTHERS
    folder_of, fsdecode, devnull = _folder_of, os.fsdecode, os.devnull

    def place(path: Any, folder: Any = -1) -> str | None:
        if isinstance(path, int) or path is None:
            return None
        text = fsdecode(fspath(path))
        if isinstance(folder, int) and folder >= 0 and not text.startswith("/"):
            text = join(folder_of(folder), text)
        return realpath(text)

    def writable(text: str) -> bool:
        return text in (devnull, private) or text.startswith(f"{private}/")

    def hidden(text: str) -> bool:
        if text in secret:
            return True
        if text.startswith("/proc/"):
            process, _, rest = text.removeprefix("/proc/").partition("/")
            return process != me and process.isdecimal() and f"/{rest}".startswith(of_others)
        for home in homes:
            if text.startswith(f"{home}/.") and not text.startswith((*python, f"{private}/")):
                return not any(
                    entry.startswith(f"{home}/.") and (entry == text or text.startswith(f"{entry}/")) for entry in shown
                )
        return False

    shown = (*(entry for entry in sys.path if entry), str(order.root))

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            text = place(path)
            if text is None:
                return
            if isinstance(flags, int) and flags & writing and not writable(text):
                raise refused(f"to write {text}")
            if hidden(text):
                raise refused(f"to read {text}")
        elif event in changing:
            count = changing[event]
            for index in range(count):
                text = place(arguments[index], arguments[-1] if count == 1 else arguments[count + index])
                if text is not None and not writable(text) and not (event in ("os.symlink", "os.link") and index == 0):
                    raise refused(f"{event} of {text}")
        elif event.startswith(never):
            raise refused(event)
        elif event in ("os.listdir", "os.scandir"):
            text = place(arguments[0] or ".")
            if text is not None and hidden(text):
                raise refused(f"to list {text}")
        elif event == "import":
            file = arguments[1]
            if isinstance(file, str) and file.endswith(libraries) and not realpath(file).startswith(python):
                raise refused(f"to load {file}")
        elif event == "ctypes.dlsym" and str(arguments[1]) in calls:
            raise refused(f"to call {arguments[1]}")

    return hear
