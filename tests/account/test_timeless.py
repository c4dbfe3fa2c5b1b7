"""The same files make the same archive, whenever and by whom they were packed."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from mlops.compose.timeless import timeless


def packed(folder: Path, *, time: int, owner: int, reverse: bool) -> bytes:
    content = io.BytesIO()

    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uid, member.gid, member.uname = time, owner, owner, f"user{owner}"
        return member

    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*"), reverse=reverse):
            archive.add(path, path.relative_to(folder), recursive=False, filter=owned)
    return content.getvalue()


def test_time_owner_and_order_do_not_count_and_the_rest_stays(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "run.sh").write_text("echo\n")
    (folder / "inner" / "run.sh").chmod(0o755)
    (folder / ("long" * 40)).write_text("é")
    os.symlink("inner/run.sh", folder / "link")
    one = timeless(packed(folder, time=1_700_000_000, owner=1000, reverse=False))
    assert one == timeless(packed(folder, time=1, owner=0, reverse=True)) == timeless(one)
    with tarfile.open(fileobj=io.BytesIO(one)) as archive:
        members = {member.name: member for member in archive.getmembers()}
        assert set(members) == {"inner", "inner/run.sh", "long" * 40, "link"}
        assert members["inner/run.sh"].mode & 0o777 == 0o755 and members["link"].linkname == "inner/run.sh"
        script = archive.extractfile("inner/run.sh")
        assert script is not None and script.read() == b"echo\n"
    (folder / "inner" / "run.sh").write_text("false\n")
    assert timeless(packed(folder, time=1, owner=0, reverse=True)) != one


@pytest.mark.parametrize(
    "content",
    [b"", b"print()", gzip.compress(b"a,b\n1,2\n", mtime=7), gzip.compress(b"x" * 2000)[:40], b"\x1f\x8b"],
    ids=["empty", "a script", "a gzipped file", "cut off", "the first bytes alone"],
)
def test_what_is_no_archive_stays(content: bytes) -> None:
    assert timeless(content) == content
