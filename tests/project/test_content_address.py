"""Content addresses depend on names, the executable bit and contents, and on nothing else."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from mlops.project.archive import pack
from mlops.project.content_address import UnshippableFile, address, collect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "train.py").write_text("print(1)\n")
    (source / "inner" / "model.py").write_text("print(2)\n")
    return source


def test_a_known_address(folder: Path) -> None:
    """Pinned: a change of it would upload everybody's code again and lose their caches."""
    assert address(collect(folder)) == "1409ba938c3d77ced4acb5f6cf66d6b2999bf44a50546a8191e5e05f9864cf19"


def test_times_and_caches_do_not_count(folder: Path) -> None:
    before = address(collect(folder))
    os.utime(folder / "train.py", (0, 0))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "train.pyc").write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")
    assert address(collect(folder)) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "train.py").write_text("print(3)\n"),
        lambda folder: (folder / "train.py").rename(folder / "fit.py"),
        lambda folder: (folder / "train.py").chmod(0o755),
        lambda folder: (folder / "new.py").touch(),
    ],
    ids=["content", "name", "executable", "new file"],
)
def test_these_do_count(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    before = address(collect(folder))
    change(folder)
    assert address(collect(folder)) != before


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(UnshippableFile, match="link"):
        collect(folder)


def test_an_archive_has_the_same_bytes_each_time(folder: Path) -> None:
    def packed() -> bytes:
        target = io.BytesIO()
        pack(collect(folder), target)
        return target.getvalue()

    first = packed()
    os.utime(folder / "train.py", (0, 0))
    assert packed() == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        assert archive.getnames() == ["inner/model.py", "train.py"]
        assert {(member.uid, member.mtime) for member in archive} == {(0, 0)}
