"""Stops a pipeline file before it does what declaring needs not: connect, start something, write, or load an SDK.

Such a file is no mistake. Whoever runs it gets :class:`ReachesOut` and runs it again where it is closed in.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_SDKS = ("sagemaker", "boto3", "botocore", "aiobotocore", "s3fs", "awswrangler")
_BEGINNINGS = ("socket.", "subprocess.", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "pty.", "ctypes.dl")
_EVENTS = frozenset(
    [
        "os.system",
        "os.startfile",
        "os.kill",
        "os.killpg",
        "os.mkdir",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "os.chown",
        "os.setxattr",
        "os.removexattr",
        "os.utime",
        "shutil.rmtree",
        "shutil.move",
        "shutil.copyfile",
        "tempfile.mkstemp",
        "tempfile.mkdtemp",
        "urllib.Request",
        "ftplib.connect",
        "http.client.connect",
        "smtplib.connect",
        "sqlite3.connect",
        "fcntl.ioctl",
        "signal.pthread_kill",
        "webbrowser.open",
        "gc.get_objects",
    ]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PRIVATE = ("/.aws/", "/.ssh/", "/.netrc", "/.boto", "/.docker/", "/.kube/", "/.config/")
_SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class ReachesOut(BaseException):
    """``what`` the file was about to do; it was not done."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class _Watch:
    """The one hook of this process: none can be taken away, so it sleeps where nobody is watched."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.seen: str | None = None
        self.installed = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.thread is None or threading.get_ident() != self.thread:
            return
        what = _reaching(event, arguments)
        if what is not None:
            self.seen = self.seen or what
            raise ReachesOut(what)


_watch = _Watch()


def _reaching(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event == "import":
        name = str(arguments[0])
        return f"import {name}" if name.partition(".")[0] in _SDKS else None
    if event == "open":
        path, _, flags = arguments
        if not isinstance(path, str | bytes | os.PathLike):
            return None
        text = os.fsdecode(path)
        if isinstance(flags, int) and flags & _WRITING and text != os.devnull:
            return f"write {text}"
        if text.startswith("/proc/") or any(part in text for part in _PRIVATE):
            return f"read {text}"
        return None
    if event in _EVENTS or event.startswith(_BEGINNINGS):
        return event if event not in ("socket.gethostname",) else None
    return None


@contextlib.contextmanager
def watched() -> Iterator[Callable[[], str | None]]:
    """What runs inside is stopped where it reaches out, by :class:`ReachesOut`; and gives what that was, also where the
    file caught it. AWS's keys are not among its variables. Inside of another the outer one counts."""
    if _watch.thread is not None:
        yield lambda: None
        return
    if not _watch.installed:
        sys.addaudithook(_watch.hear)
        _watch.installed = True
    keys = {name: os.environ.pop(name) for name in _SECRET if name in os.environ}
    _watch.seen = None
    _watch.thread = threading.get_ident()
    try:
        yield lambda: _watch.seen
    finally:
        _watch.thread = None
        os.environ.update(keys)
