"""Whether an upsert or a promotion of this machine still lives. Each has a random token, which its record names, and
holds the lock on a file of that name until it ends: the kernel lets go of it, however that is.

Neither a process number nor a host's name says as much: two containers may have both in common. A token without a file
here is somebody else's, of whom nothing is known; such a one may be under way until its lease is over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LEASE_SECONDS = 600.0
"""How long one that has not reached what it recorded may still be under way. Five attempts of one call, with
their time-outs, end before that; one that takes longer renews its record first."""
_TOKEN = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    """32 characters."""
    return uuid.uuid4().hex


def folder() -> Path:
    """Of this user, on this machine: two checkouts of a project see each other's."""
    return Path(tempfile.gettempdir()) / f"mlops-upserts-{os.getuid()}"


@contextmanager
def alive(token: str) -> Iterator[None]:
    """While it runs, :func:`is_over` says no. What does not end well leaves its file, so that who comes next sees that
    it is over."""
    descriptor = _held(token)
    if descriptor is None:
        yield
        return
    try:
        yield
        with contextlib.suppress(OSError):
            (folder() / token).unlink()
    finally:
        os.close(descriptor)


def _held(token: str) -> int | None:
    """None where nothing can be written: then it is as if it ran on another machine."""
    try:
        folder().mkdir(mode=0o700, exist_ok=True)
        if not _is_ours():
            return None
        _sweep()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(folder() / token, flags, 0o600)
    except OSError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def is_over(token: str) -> bool:
    """False also where nothing is known of it, and for what is no token: a record may hold anything."""
    return _TOKEN.fullmatch(token) is not None and _is_ours() and _is_free(folder() / token)


def _is_ours() -> bool:
    """The name is known to everybody, and the folder above is everybody's."""
    try:
        found = folder().lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _is_free(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _sweep() -> None:
    """Those whose lease is long over say nothing any more."""
    limit = time.time() - 2 * LEASE_SECONDS
    for file in folder().iterdir():
        with contextlib.suppress(OSError):
            if _TOKEN.fullmatch(file.name) and file.stat().st_mtime < limit and _is_free(file):
                file.unlink()
