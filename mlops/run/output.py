"""What a command prints, on its way into its log: drained while it runs, and never more than the log may hold.

Of a log that grows beyond :data:`HEAD_BYTES` and twice :data:`END_BYTES` the middle is taken out at once, in place, so
that whoever has it open goes on; when the command has ended the head and one END_BYTES are left. A line of ours says
how much is gone. Nothing is held in memory but the piece that was just read, however long a line is.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEAD_BYTES, END_BYTES = 4 * 1024 * 1024, 28 * 1024 * 1024

_PIECE = 256 * 1024
_MOST_IN_A_PIPE = 1024 * 1024  # /proc/sys/fs/pipe-max-size
_LEFT_OUT = re.compile(rb"\n\[mlops\] (\d+) bytes of output are left out here\n")
_LONGEST_LINE_OF_OURS = 80
_LOOK_SECONDS = 1.0
_MODE = 0o600


class Output:
    """The pipe of one command and the thread that empties it into ``log``. ``descriptor`` is the command's end; it is
    to be closed here once the command has it."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        self._source, self.descriptor = os.pipe()
        os.set_blocking(self._source, False)
        # Whoever reads holds it: the thread, and at the end the one who wants to see all that was printed.
        self._reading = threading.Lock()
        self._over = False
        self._lost, self._lost_for = 0, ""
        threading.Thread(target=self._drain, name=f"output to {log.name}", daemon=True).start()

    def close_descriptor(self) -> None:
        os.close(self.descriptor)

    def finish(self) -> None:
        """To be called when the command has ended: all that it printed is in the log then. Who outlived it is not
        listened to."""
        with self._reading:
            left = 0 if self._over else _MOST_IN_A_PIPE
            while left > 0 and (count := self._take()):
                left -= count
            self._over = True

    def _drain(self) -> None:
        waiting = select.poll()
        waiting.register(self._source, select.POLLIN)
        try:
            while not self._over:
                if not waiting.poll(_LOOK_SECONDS * 1000):
                    continue
                with self._reading:
                    # Nothing, although there is something to see: nobody can write any more.
                    if not self._over and not self._take():
                        self._over = True
        finally:
            with self._reading:
                self._over = True
                os.close(self._source)
                os.close(self._log)

    def _take(self) -> int:
        try:
            piece = os.read(self._source, _PIECE)
        except BlockingIOError:
            return 0
        if piece:
            self._keep(piece)
        return len(piece)

    def _keep(self, piece: bytes) -> None:
        """A full disk does not stop the command: what has no place is counted, and told when there is place again."""
        try:
            if self._lost:
                append(self._log, f"\n[mlops] {self._lost} bytes of output are lost: {self._lost_for}\n".encode())
                self._lost = 0
            append(self._log, piece)
        except OSError as fault:
            self._lost += len(piece)
            self._lost_for = fault.strerror or repr(fault)


def append(log: int, piece: bytes) -> None:
    """To the end of an open log, whoever else writes there."""
    with _alone(log):
        os.lseek(log, 0, os.SEEK_END)
        left = memoryview(piece)
        while left:
            left = left[os.write(log, left) :]
        if os.fstat(log).st_size > HEAD_BYTES + 2 * END_BYTES:
            _cut(log)


def note(log: Path, text: str) -> None:
    """A line of ours at the end of ``log``."""
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        append(descriptor, f"[mlops] {text}\n".encode(errors="replace"))
    finally:
        os.close(descriptor)


def bound(log: Path) -> None:
    """Leave what is kept of a log whose command has ended."""
    try:
        descriptor = os.open(log, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        with _alone(descriptor):
            _cut(descriptor)
    finally:
        os.close(descriptor)


def gap(log: int, size: int) -> tuple[int, int, int]:
    """Of an open log: where its middle was taken out, how long the line that tells of it is, and how many bytes are
    gone; of one that is whole, its end and twice nothing."""
    told = _LEFT_OUT.match(os.pread(log, _LONGEST_LINE_OF_OURS, HEAD_BYTES)) if size > HEAD_BYTES else None
    return (HEAD_BYTES, len(told[0]), int(told[1])) if told else (size, 0, 0)


def _cut(log: int) -> None:
    """Take out what lies between the head and the end."""
    size = os.fstat(log).st_size
    earlier = _LEFT_OUT.match(os.pread(log, _LONGEST_LINE_OF_OURS, HEAD_BYTES))
    kept_from = size - END_BYTES
    gone = kept_from - HEAD_BYTES - (earlier.end() if earlier else 0)
    if gone <= _LONGEST_LINE_OF_OURS:
        return
    told = f"\n[mlops] {gone + (int(earlier[1]) if earlier else 0)} bytes of output are left out here\n".encode()
    to = HEAD_BYTES + os.pwrite(log, told, HEAD_BYTES)
    while piece := os.pread(log, _PIECE, kept_from):
        to += os.pwrite(log, piece, to)
        kept_from += len(piece)
    os.ftruncate(log, to)


@contextmanager
def _alone(log: int) -> Iterator[None]:
    fcntl.flock(log, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(log, fcntl.LOCK_UN)
