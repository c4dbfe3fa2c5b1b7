"""Pieces of the disk that are kept for the moment when it is full: an execution has one while it runs, so that it can
say why it failed, and the account another, so that pruning can forget what it is about to remove. Who needs one gives
it back to the disk; the next run or pruning keeps another."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from mlops.project.private import FILE

SIZE, LAST_WORD_SIZE = 256 * 1024, 64 * 1024
_NAME = "reserve"


def keep(folder: Path, size: int = SIZE) -> None:
    """Where there is none, and where there is place."""
    path = folder / _NAME
    if path.exists():
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE)
    except OSError:  # somebody else was first, or nothing at all has place
        return
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.write(descriptor, bytes(size))
    except OSError:
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def give_back(folder: Path) -> None:
    with suppress(OSError):
        (folder / _NAME).unlink(missing_ok=True)


def give_back_if_full(folder: Path) -> None:
    with suppress(OSError):
        if shutil.disk_usage(folder).free < SIZE:
            give_back(folder)
