"""Code that lies in the account already, read for what it asks to be installed."""

from __future__ import annotations

import tarfile
import zlib
from typing import IO

from mlops.account.local.state import State
from mlops.ir.s3_uri import split_uri

_LONGEST = 1024 * 1024


def read_code(state: State, uri: str, name: str) -> bytes | None:
    """The file ``name`` of the archive at ``uri``, of what lies below that, or that object itself where it is called
    so; None where there is none."""
    bucket, key = split_uri(uri)
    places = [key] if key.endswith((".tar.gz", f"/{name}")) else [f"{key.rstrip('/')}/{name}"]
    for place in places:
        try:
            with state.objects.open(bucket, place) as (_, file):
                return _inside(file, name) if place.endswith(".tar.gz") else file.read(_LONGEST)
        except (KeyError, OSError, EOFError, tarfile.TarError, zlib.error):
            return None
    return None


def _inside(file: IO[bytes], name: str) -> bytes | None:
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        for member in archive:
            if member.isreg() and member.name.removeprefix("./") == name:
                opened = archive.extractfile(member)
                return opened.read(_LONGEST) if opened is not None else None
    return None
