"""An archive without the time and the owner of its files: the same files make the same bytes, whoever packs them."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

_MAGIC = b"\x1f\x8b"


def timeless(content: bytes) -> bytes:
    """``content`` itself where it is no gzipped tar. Members keep their kind, their mode and what is in them."""
    if not content.startswith(_MAGIC):
        return content
    packed = io.BytesIO()
    try:
        with (
            tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as old,
            gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as compressed,
            tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            # A hard link has to stand behind what it links to.
            for member in sorted(old.getmembers(), key=lambda member: (member.islnk(), member.name)):
                member.mtime = member.uid = member.gid = 0
                member.uname = member.gname = ""
                member.pax_headers = {}
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        return content
    return packed.getvalue()
