"""The scripts in an archive that the SDK packed, so that they are judged like those that lie open."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from pathlib import Path

from mlops.compose.closed_process import kept
from mlops.project.files import write_bytes
from mlops.project.private import FILE

_PACKED = 64 * 1024 * 1024
_MOST = 256
_MEMBERS = 20_000
_LARGEST = 1024 * 1024
_READ = (".py", ".sh", ".r", ".R", "requirements.txt")


def packed_scripts(archive: Path, store: Path) -> tuple[tuple[str, Path], ...]:
    """Names in the archive with the files in ``store`` that have their contents. Nobody vouches for the archive: it is
    read up to a size, of its members regular files alone, and no name of theirs becomes a path."""
    found: dict[str, Path] = {}
    try:
        with gzip.open(archive) as packed:
            content = packed.read(_PACKED + 1)
        if len(content) > _PACKED:
            return ()
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as members:
            for number, member in enumerate(members):
                if number == _MEMBERS or member.size < 0:
                    return ()  # it may lead back to where it was, without end
                if not member.isreg() or member.size > _LARGEST or not member.name.endswith(_READ):
                    continue
                if len(found) == _MOST:
                    return ()
                opened = members.extractfile(member)
                if opened is not None:
                    found[member.name.removeprefix("./")] = _content(opened.read(), store)
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, OverflowError, RecursionError):
        return ()
    return tuple(sorted(found.items()))


def _content(content: bytes, store: Path) -> Path:
    file = store / hashlib.sha256(content).hexdigest()
    if not kept(file):
        write_bytes(file, content, mode=FILE)
    return file
