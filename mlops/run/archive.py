"""Gzipped tars: models, code and outputs on their way to and from S3."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from mlops.run.outcome import StepFailed


def merged(folders: Iterable[Path]) -> dict[str, Path]:
    """All files and folders below ``folders`` by relative path; where several have the same name the last one's. Raises
    :class:`StepFailed` where one's file is another one's folder."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            name = path.relative_to(folder).as_posix()
            if name in found and _is_folder(found[name]) != _is_folder(path):
                raise StepFailed(f"{name} is a file on one host and a folder on another")
            found[name] = path
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def pack(files: Mapping[str, Path], archive: Path) -> None:
    """``files`` by their names in the archive. The same files give the same bytes: sorted, without times and owners."""
    partial = archive.with_name(f"{archive.name}.part")
    with partial.open("wb") as raw:
        if files:
            _write(files, raw)
        else:
            raw.write(_empty())
    partial.replace(archive)


@cache
def _empty() -> bytes:
    """Most steps that write no model are many of a kind."""
    raw = io.BytesIO()
    _write({}, raw)
    return raw.getvalue()


def _write(files: Mapping[str, Path], raw: IO[bytes]) -> None:
    with (
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name in sorted(files):
            tar.add(files[name], name, recursive=False, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Python's own filter takes the slash off an absolute name; what has one was not made in good faith."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise tarfile.OutsideDestinationError(member, member.name)
    return tarfile.data_filter(member, folder)


def _mode(file: IO[bytes]) -> Literal["r:gz", "r:*"]:
    """What is nearly always right needs no trying."""
    zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return "r:gz" if zipped else "r:*"


def unpack(archive: Path, folder: Path, what: str) -> None:
    """Nothing is written outside ``folder``, whatever the archive says. ``what`` names it in a message.
    Raises :class:`StepFailed`."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with archive.open("rb") as file, tarfile.open(fileobj=file, mode=_mode(file)) as tar:
            tar.extractall(folder, filter=_inside)  # noqa: S202 - it is a filter
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise StepFailed(f"{what} cannot be unpacked as .tar.gz: {fault}") from fault
