"""Gzipped tars: models, code and outputs on their way to and from S3."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from mlops.ir.dataclass import dataclass
from mlops.run.beneath import Barred, Entry, Folder, NewFolder
from mlops.run.outcome import StepFailed

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Member:
    """One file, folder or link below a folder that a step left."""

    folder: Folder
    entry: Entry


def merged(folders: Iterable[Folder]) -> dict[str, Member]:
    """All files, folders and links below ``folders`` by relative path; where several have the same name the last one's.
    Raises :class:`StepFailed` where one's file is another one's folder."""
    found: dict[str, Member] = {}
    try:
        for folder in folders:
            for entry in folder.walk():
                name = entry.path
                if name in found and found[name].entry.is_folder != entry.is_folder:
                    raise StepFailed(f"{name} is a file on one host and a folder on another")
                found[name] = Member(folder, entry)
    except Barred as barred:
        raise StepFailed(f"{barred.path} cannot be packed: {barred.reason}") from None
    return found


def pack(files: Mapping[str, Member], archive: Path) -> None:
    """``files`` by their names in the archive. The same files give the same bytes: sorted, without times and owners.
    Raises :class:`StepFailed`."""
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


def _write(files: Mapping[str, Member], raw: IO[bytes]) -> None:
    with (
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for name in sorted(files):
            try:
                _add(tar, name, files[name])
            except Barred as barred:
                raise StepFailed(f"{name} cannot be packed: {barred.reason}") from None
            except FileNotFoundError:
                raise StepFailed(f"{name} cannot be packed: it was taken away meanwhile") from None


def _add(tar: tarfile.TarFile, name: str, member: Member) -> None:
    """Sockets, FIFOs and devices are left out."""
    if member.entry.is_file:
        with member.folder.open(member.entry.path) as file:
            # Of the file that is open; another name of one that is in the archive already becomes a link to that.
            described = _plain(tar.gettarinfo(arcname=name, fileobj=file))
            if described.islnk():
                tar.addfile(described)
                return
            try:
                tar.addfile(described, file)
            except OSError as fault:
                if str(fault) != "unexpected end of data":
                    raise
                raise StepFailed(f"{name} cannot be packed: it shrank meanwhile") from None
        return
    described = tarfile.TarInfo(name)
    described.mode = member.entry.state.st_mode & 0o7777
    if member.entry.is_folder:
        described.type = tarfile.DIRTYPE
    elif member.entry.is_link:
        described.type = tarfile.SYMTYPE
        try:
            described.linkname = member.folder.link(member.entry.path)
        except OSError:
            raise StepFailed(f"{name} cannot be packed: it is a link no more") from None
    else:
        return
    tar.addfile(_plain(described))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def unpack(archive: Path, folder: Path, what: str) -> None:
    """Nothing is written or read outside ``folder``, whatever the archive says. ``what`` names it in a message.
    Raises :class:`StepFailed`."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            archive.open("rb") as file,
            tarfile.open(fileobj=file, mode=_mode(file)) as tar,
            NewFolder(folder) as target,
        ):
            for member in tar:
                _extract(tar, member, target)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as fault:
        raise StepFailed(f"{what} cannot be unpacked as .tar.gz: {fault}") from fault


def _mode(file: IO[bytes]) -> Literal["r:gz", "r:*"]:
    """What is nearly always right needs no trying."""
    zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return "r:gz" if zipped else "r:*"


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: NewFolder) -> None:
    """Python's own filters resolve links by name, and were led out of their folder that way more than once
    (CVE-2025-4138, CVE-2025-4330, CVE-2025-4517). Raises TarError."""
    name = _inside(member, member.name)
    try:
        if member.isdir():
            target.make(name)
        elif member.issym():
            _need_link_inside(member, name)
            target.symlink(member.linkname, name)
        elif member.islnk():
            target.link(_inside(member, member.linkname), name)
        elif member.isreg():
            source = tar.extractfile(member)
            if source is None:
                raise tarfile.ReadError(f"{member.name!r} has no content")
            target.write(source, name, 0o755 if member.mode & 0o100 else 0o644, member.mtime)
        else:
            raise tarfile.ExtractError(f"{member.name!r} is a special file")
    except Barred as barred:
        raise tarfile.ExtractError(f"{member.name!r} cannot be written: at {barred.path!r} {barred.reason}") from None
    except FileNotFoundError:
        told = f"{member.name!r} is to be another name of {member.linkname!r}, which is not there"
        raise tarfile.ExtractError(told) from None


def _inside(member: tarfile.TarInfo, path: str) -> str:
    """``path`` without dots. Raises TarError where it leads out or cannot be a path."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise _leads_out(member, path)
    if any(len(part.encode(errors="surrogateescape")) > _LONGEST_NAME for part in parts):
        raise tarfile.ExtractError(f"{path[:80]!r}… is too long for a name")
    return "/".join(parts)


def _need_link_inside(member: tarfile.TarInfo, name: str) -> None:
    """Only at its begin may a link go up: behind the name of another link that would lead from elsewhere."""
    parts = PurePosixPath(member.linkname).parts
    ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    if not parts or member.linkname.startswith("/") or ".." in parts[ups:] or ups > name.count("/"):
        raise _leads_out(member, member.linkname)


def _leads_out(member: tarfile.TarInfo, path: str) -> tarfile.TarError:
    """Python's own errors for this came with 3.11.4 (PEP 706); Debian's 3.11.2 has none of them."""
    link = "is a link that " if member.issym() or member.islnk() else ""
    return tarfile.ExtractError(f"{member.name!r} {link}leads out of its folder: {path!r}")
