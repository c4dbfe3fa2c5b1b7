"""Input mode Pipe: a channel as FIFOs, ``<channel>_0``, ``<channel>_1``…, one for each epoch.

A thread for each FIFO writes copies of the objects, one behind the other. A script may close early and may read as
many epochs as it likes. The script owns the folder that the FIFOs lie in and may put anything in their place; what is
no FIFO of ours is not written to.
"""

from __future__ import annotations

import errno
import gzip
import os
import random
import select
import stat
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mlops.ir.dataclass import dataclass

_LOOK_SECONDS = 0.02
_CHUNK = 256 * 1024
_RECORD_MAGIC = 0xCED7230A


@dataclass(frozen=True, slots=True)
class PipedChannel:
    """``files`` are the copies, in the order of their keys. ``seed`` shuffles them, anew for each epoch; ``zipped``
    files are written as what is packed in them; ``records`` makes one RecordIO record of each."""

    name: str
    files: Sequence[Path]
    zipped: bool = False
    records: bool = False
    seed: int | None = None

    def order(self, epoch: int) -> list[Path]:
        files = [*self.files]
        if self.seed is not None:
            random.Random(self.seed + epoch).shuffle(files)  # noqa: S311 - an order, not a secret
        return files

    def content(self, epoch: int) -> Iterator[bytes]:
        for file in self.order(epoch):
            with gzip.open(file, "rb") if self.zipped else file.open("rb") as opened:
                if self.records:
                    yield _record(opened.read())
                    continue
                while chunk := opened.read(_CHUNK):
                    yield chunk


class Pipes:
    """The channels of one host, fed until :meth:`close`. The first FIFOs are there when this is made. ``fault`` says
    why a channel could not be fed."""

    def __init__(self, folder: Path, channels: Sequence[PipedChannel]) -> None:
        # The folder itself, whatever will have its name later.
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._closed = threading.Event()
        self.fault: str | None = None
        for channel in channels:
            os.mkfifo(f"{channel.name}_0", 0o666, dir_fd=self._folder)
        self._threads = [
            threading.Thread(target=self._feed, args=(channel,), name=f"pipe {channel.name}", daemon=True)
            for channel in channels
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Waits until nothing is written any more."""
        if self._closed.is_set():
            return
        self._closed.set()
        for thread in self._threads:
            thread.join()
        os.close(self._folder)

    def _feed(self, channel: PipedChannel) -> None:
        """What cannot be fed ends at once, in this epoch and in each that comes: no script waits for it for ever."""
        epoch = 0
        while (writing := self._opened(f"{channel.name}_{epoch}")) is not None:
            try:
                # Whoever finds the end of this epoch may look for the next one at once.
                with suppress(FileExistsError):
                    os.mkfifo(f"{channel.name}_{epoch + 1}", 0o666, dir_fd=self._folder)
                if self.fault is None:
                    self._write(writing, channel.content(epoch))
            except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
                self.fault = f"channel {channel.name}: CompressionType is Gzip, but an object is not: {fault}"
            except Exception as fault:
                self.fault = f"channel {channel.name}: {fault}"
            finally:
                os.close(writing)
            epoch += 1

    def _opened(self, name: str) -> int | None:
        """The FIFO, once somebody reads from it; None where it is ours no more, or the end has come."""
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                found = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=self._folder)
            except OSError as fault:
                if fault.errno == errno.ENXIO:
                    continue
                return None
            if stat.S_ISFIFO(os.fstat(found).st_mode):
                return found
            os.close(found)
            return None
        return None

    def _write(self, descriptor: int, chunks: Iterator[bytes]) -> None:
        """Until the reader has closed, or the end has come."""
        # Not select(), which refuses the descriptors of a process that has more than a thousand.
        writable = select.poll()
        writable.register(descriptor, select.POLLOUT)
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                if self._closed.is_set():
                    return
                if not writable.poll(_LOOK_SECONDS * 1000):
                    continue
                try:
                    left = left[os.write(descriptor, left) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    return


def _record(content: bytes) -> bytes:
    """RecordIO: a magic number, the length, the content, padding to four bytes (the toolkit's recordio.py)."""
    return struct.pack("<II", _RECORD_MAGIC, len(content)) + content + b"\0" * (-len(content) % 4)
