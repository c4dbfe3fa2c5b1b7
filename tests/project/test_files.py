"""Files are written whole or not at all, and only plain files are replaced."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from mlops.ir import UsageError
from mlops.project.files import write_bytes, write_text


def test_a_plain_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_text(file, "one\n")
    other = tmp_path / "other"
    os.link(file, other)
    write_text(file, "two\n")
    assert (file.read_text(), other.read_text()) == ("two\n", "one\n")
    assert [entry.name for entry in file.parent.iterdir()] == ["file"]


def test_a_link_stays_one_and_a_mode_too(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch(0o700)
    link.symlink_to(file)
    write_bytes(link, b"x")
    assert link.is_symlink()
    assert file.read_bytes() == b"x"
    assert stat.S_IMODE(file.stat().st_mode) == 0o700


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_bytes(pipe, b"through")
    reader.join(120)
    assert read == [b"through"]
    assert pipe.is_fifo()


def test_a_device_is_written_into() -> None:
    write_text(Path(os.devnull), "x")
    assert Path(os.devnull).is_char_device()


def test_an_own_descriptor_is_written_into(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    write_text(Path(f"/dev/fd/{write_end}"), "x")
    os.close(write_end)
    assert os.read(read_end, 10) == b"x"
    os.close(read_end)


def test_a_folder_refuses(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_text(tmp_path, "x")
