"""Archives that nobody vouches for are read up to a size, or not at all."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from mlops.compose.packed_scripts import packed_scripts


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def member(name: str, content: bytes, **headers: str) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.size, found.pax_headers = len(content), headers
    return found, content


def deep() -> bytes:
    """Long names of long names."""
    link = tarfile.TarInfo("x")
    link.type = tarfile.GNUTYPE_LONGNAME
    return b"".join(link.tobuf(tarfile.GNU_FORMAT) for _ in range(3000))


ONE = member("./train.py", b"import os")
ROWS = {
    "a script": (packed(ONE, member("model.bin", b"\0")), ["train.py"]),
    "no archive": (b"none", []),
    "cut off": (packed(ONE)[:600], []),
    "a sparse file without sizes": (packed(member("a.py", b"x" * 600, **{"GNU.sparse.map": "a,b"})), []),
    "names without end": (deep(), []),
    "a size that leads back": (packed(ONE, member("b.py", b"y" * 2048, size="-1536")), []),
}


@pytest.mark.parametrize(("content", "names"), ROWS.values(), ids=ROWS)
def test_what_is_read_of_an_archive(tmp_path: Path, content: bytes, names: list[str]) -> None:
    archive = tmp_path / "sourcedir.tar.gz"
    archive.write_bytes(gzip.compress(content))
    assert [name for name, _ in packed_scripts(archive, tmp_path / "store")] == names
