"""Writing files whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from mlops.ir import UsageError


def write_text(file: Path, text: str) -> None:
    """UTF-8 with ``\\n``; the folder is made where it is missing. Raises UsageError where that cannot be."""
    write_bytes(file, text.encode(), mode=0o644)


def write_bytes(file: Path, content: bytes, *, mode: int | None = None) -> None:
    """``mode`` is that of the file before, where there is one, unless given; a link stays one, and a device or a pipe
    is written into. Raises UsageError where that cannot be."""
    try:
        # Before links are resolved: where /dev/stdout leads to a pipe, that has no path.
        found = file.stat() if file.exists() else None
        if found is not None and not stat.S_ISREG(found.st_mode):
            with file.open("wb") as target:  # a folder refuses that
                target.write(content)
            return
        before = 0o644 if found is None else found.st_mode & 0o777
        with replacing(file.resolve(), mode=before if mode is None else mode) as target:
            target.write(content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error


@contextmanager
def replacing(file: Path, *, mode: int = 0o644) -> Iterator[BufferedRandom]:
    """To be written, and read again; at the end it takes the place of ``file``, unless something was raised. The folder
    is made where it is missing. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: with something before it that of the file may be too long.
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".mlops-")
    try:
        with os.fdopen(handle, "w+b") as target:
            yield target
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
