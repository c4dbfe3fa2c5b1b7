"""The archive of an asset: a gzipped tar with the same bytes for the same files on one Python.

No owner, no time, no file name in the gzip header; the executable bit is the only mode that is kept.
"""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO


def pack(files: Iterable[tuple[str, Path]], target: BinaryIO) -> None:
    """``files`` pairs a path inside the archive with a local file."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for relative, path in sorted(files):
            member = tarfile.TarInfo(relative)
            member.size = path.stat().st_size
            member.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                archive.addfile(member, content)
