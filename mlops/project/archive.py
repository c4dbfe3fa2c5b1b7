"""The archive of an asset: a gzipped tar with the same bytes for the same files on one Python.

No owner, no time, no file name in the gzip header; the executable bit is the only mode that is kept.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, BinaryIO

from mlops.project.content_address import Digest, address_of, is_executable


def pack(files: Iterable[tuple[str, Path]], target: BinaryIO) -> str:
    """``files`` pairs a path inside the archive with a local file. Gives the content address of what was packed: of the
    very bytes that were read. Raises OSError, also where a file became shorter meanwhile."""
    packed = []
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for relative, path in sorted(files):
            member = tarfile.TarInfo(relative)
            member.size = path.stat().st_size
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                hashing = Hashing(content)
                archive.addfile(member, hashing)
            packed.append(Digest(relative, is_executable(path), hashing.hexdigest()))
    return address_of(packed)


class Hashing(io.RawIOBase):
    """A file that knows the SHA-256 of what was read of it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._content.read(size)
        self._digest.update(block)
        return block

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
