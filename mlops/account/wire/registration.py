"""Which servers of an account there are, for whoever looks for one: a file each below ``servers``, which is locked as
long as the server lives, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from mlops.ir.dataclass import dataclass
from mlops.project.private import FILE, private_folder

_FOLDER = "servers"


@dataclass(frozen=True, slots=True)
class Registered:
    url: str
    region: str
    process: int


@contextmanager
def registered(folder: Path, found: Registered) -> Iterator[None]:
    """``folder`` is that of the account's state."""
    place = private_folder(private_folder(folder) / _FOLDER) / str(found.process)
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(asdict(found)).encode())
        yield
    finally:
        place.unlink(missing_ok=True)
        os.close(descriptor)


def living(folder: Path) -> list[Registered]:
    """Those that answer, the newest first; what others have left is removed."""
    found: list[tuple[float, Registered]] = []
    for place in (folder / _FOLDER).glob("[0-9]*"):
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = _read(descriptor)
            if written is not None:
                found.append((os.fstat(descriptor).st_mtime, written))
        else:
            place.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return [item for _, item in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _read(descriptor: int) -> Registered | None:
    try:
        return Registered(**json.loads(os.read(descriptor, 4096)))
    except (ValueError, TypeError):  # it is being written
        return None
