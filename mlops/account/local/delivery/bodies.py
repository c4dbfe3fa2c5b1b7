"""The content of objects while it is gathered: small ones in memory, others in a file without a name."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

from mlops.account.local.objects import chunks

_IN_MEMORY = 256 * 1024
EXTENSIONS: Mapping[str, str] = {"UNCOMPRESSED": "", "GZIP": ".gz", "ZIP": ".zip"}
"""What objects are called behind their names, by CompressionFormat. What is not here is not compressed here."""


class Body(Protocol):
    """One object's content. ``size`` is what was added, before it is compressed."""

    size: int

    def add(self, data: bytes) -> None: ...

    def content(self) -> Iterator[bytes]:
        """Of all that was added; nothing may be added then."""


class Plain:
    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115 - closed by content
        self._waiting: list[bytes] = []
        self._waits = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._waits += len(data)
        self._waiting.append(data)
        if self._waits >= _IN_MEMORY // 4:
            self._flush()

    def content(self) -> Iterator[bytes]:
        self._flush()
        self._end()
        with self._file as file:
            file.seek(0)
            yield from chunks(file)

    def _flush(self) -> None:
        self._write(b"".join(self._waiting))
        self._waiting.clear()
        self._waits = 0

    def _write(self, data: bytes) -> None:
        self._file.write(data)

    def _end(self) -> None:
        pass


class Gzip(Plain):
    """Without a time in its head: the same records are the same bytes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, 31)

    def _write(self, data: bytes) -> None:
        self._file.write(self._deflate.compress(data))

    def _end(self) -> None:
        self._file.write(self._deflate.flush())


class Zip(Plain):
    """An archive of one file."""

    def content(self) -> Iterator[bytes]:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open(zipfile.ZipInfo("data"), "w", force_zip64=True) as inside:
                for chunk in super().content():
                    inside.write(chunk)
        yield held.getvalue()


def body(compression: str, folder: Path) -> Body:
    match compression:
        case "GZIP":
            return Gzip(folder)
        case "ZIP":
            return Zip(folder)
    return Plain(folder)
