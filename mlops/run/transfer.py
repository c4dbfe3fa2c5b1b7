"""Objects to files before a step starts, and files to objects when it has ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from mlops.ir.local_files import how_it_comes
from mlops.run.beneath import Barred, Folder, InItsPlace, content
from mlops.run.cluster import share
from mlops.run.outcome import StepFailed
from mlops.run.ports import ObjectMissing, Objects

OPT_ML = PurePosixPath("/opt/ml")


def below_opt_ml(path: Any, ml: Path, what: str) -> Path:
    """The local folder behind a path of a request. Raises :class:`StepFailed` for a path elsewhere."""
    wanted = PurePosixPath(str(path))
    if not wanted.is_relative_to(OPT_ML) or ".." in wanted.parts:
        raise StepFailed(f"{what} is {path!r}; a local path is to be under /opt/ml/")
    return ml / wanted.relative_to(OPT_ML)


def left_in(folder: Path, ml: Path) -> Folder:
    """``folder`` below ``ml`` as a step left it, to be closed; an empty one where it was removed. Raises
    :class:`StepFailed` where the step put something else in its place: a link would lead anywhere, for we are outside
    the sandbox."""
    try:
        return Folder.at(ml, _inside(folder, ml))
    except InItsPlace as other:
        told = (OPT_ML / other.path).as_posix()
        raise StepFailed(f"the step put {other.found} in place of {told}; nothing is read through it") from None
    except Barred as barred:
        raise StepFailed(f"{(OPT_ML / barred.path).as_posix()} cannot be read: {barred.reason}") from None


def _inside(folder: Path, ml: Path) -> str:
    inside = folder.relative_to(ml).as_posix()
    return "" if inside == "." else inside


def fetch_source(
    source: Mapping[str, Any], folder: Path, objects: Objects, what: str, *, position: int = 0, hosts: int = 1
) -> int:
    """``source`` as :func:`source_places` takes it. Of several ``hosts`` the one at ``position`` gets its share, which
    may be nothing. Answers how many files came. Raises :class:`StepFailed`."""
    folder.mkdir(parents=True, exist_ok=True)
    places = share(source_places(source, objects, what), position, hosts)
    for key, relative in places:
        fetch(key, folder / safe(relative, what), objects, what)
    return len(places)


def source_places(source: Mapping[str, Any], objects: Objects, what: str) -> list[tuple[str, str]]:
    """(URI, relative path) of all objects of ``source``, which has S3Uri and maybe S3DataType (S3Prefix or
    ManifestFile), as in S3DataSource and ProcessingS3Input. Raises :class:`StepFailed`, also where there are none."""
    uri = source.get("S3Uri")
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        raise StepFailed(f"{what}: S3Uri is {uri!r}, not an s3:// URI; -p gives a parameter a file of yours")
    try:
        match source.get("S3DataType") or "S3Prefix":
            case "S3Prefix":
                places = prefix_places(uri, objects)
            case "ManifestFile":
                places = manifest_places(uri, objects.read(uri), what)
            case other:
                raise StepFailed(f"{what}: S3DataType {other} cannot be read on this machine yet")
    except ObjectMissing as missing:
        raise StepFailed(f"{what}: {missing}; {how_it_comes(uri)}") from missing
    if not places:
        raise StepFailed(f"{what}: no object is stored under {uri}; {how_it_comes(uri)}")
    return places


def fetch(uri: str, target: Path, objects: Objects, what: str) -> None:
    """Raises :class:`StepFailed`."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        objects.fetch(uri, target)
    except ObjectMissing as missing:
        raise StepFailed(f"{what}: nothing is stored at {uri}; {how_it_comes(uri)}") from missing
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as clash:
        raise StepFailed(f"{what}: {uri} would be a file and a folder of the same name") from clash


def prefix_places(uri: str, objects: Objects) -> list[tuple[str, str]]:
    """(URI, relative path) of every object whose key starts with that of ``uri``.

    A prefix that is one object's whole key gives that file; one that ends inside a name keeps the whole name, so
    ``s3://b/train`` gives ``x.csv`` for ``train/x.csv`` and ``train-2/x.csv`` for ``train-2/x.csv``.
    """
    keys = [key for key in objects.keys(uri) if not key.endswith("/")]
    last_name = uri.rpartition("/")[2] if uri.count("/") > 2 else ""
    places = []
    for key in keys:
        rest = key[len(uri) :]
        inside = not last_name or rest.startswith("/")
        places.append((key, rest.lstrip("/") if inside else last_name + rest))
    return places


def manifest_places(uri: str, content: bytes, what: str) -> list[tuple[str, str]]:
    """What the manifest lists, as :func:`source_places` gives it. Raises :class:`StepFailed`."""
    try:
        manifest = json.loads(content)
    except ValueError as fault:
        raise StepFailed(f"{what}: the manifest {uri} is not JSON: {fault}") from fault
    match manifest:
        case [{"prefix": str(prefix)}, *names] if all(isinstance(name, str) for name in names):
            return [(prefix + name, name.lstrip("/")) for name in names]
    raise StepFailed(f'{what}: the manifest {uri} is to be a list of {{"prefix": "s3://…"}} and names')


def safe(relative: str, what: str) -> Path:
    """Raises :class:`StepFailed` for a key that would leave its folder."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in relative:
        raise StepFailed(f"{what}: {relative!r} is no path inside a folder")
    return Path(*path.parts)


def upload(folder: Path, ml: Path, uri: str, objects: Objects) -> int:
    """Every file below ``folder``, its relative path added to ``uri``; links and what else is no file are left out, as
    the service does. Raises :class:`StepFailed`, also where something else is in the folder's place."""
    left_in(folder, ml).close()
    return Upload(folder, ml, uri, objects).changed()


class Upload:
    """A folder below ``ml`` whose files are stored again whenever they changed. What is deleted stays where it was
    stored; with ``mirror`` it is deleted there too, where this upload stored it or knew of it."""

    def __init__(self, folder: Path, ml: Path, uri: str, objects: Objects, *, mirror: bool = False) -> None:
        self._ml = ml
        self._inside = _inside(folder, ml)
        self._uri = uri.rstrip("/")
        self._objects = objects
        self._mirror = mirror
        self._stored: dict[str, _Stamp] = {}

    def changed(self) -> int:
        """Answers how many were stored. What goes or is swapped meanwhile is passed over, and so is all where a link
        took the folder's place. Raises :class:`StepFailed`."""
        try:
            with Folder.at(self._ml, self._inside) as folder:
                return self._store(folder)
        except InItsPlace:
            return 0
        except Barred as barred:
            raise StepFailed(f"{self._told(barred.path)} cannot be stored: {barred.reason}") from None

    def _store(self, folder: Folder) -> int:
        count = 0
        present = set[str]()
        for entry in folder.walk():
            if not entry.is_file:
                continue
            present.add(entry.path)
            if self._stored.get(entry.path) == _stamp(entry.state):
                continue
            file = _opened(folder, entry.path)
            if file is None:
                continue
            with file:
                stamp = _stamp(os.fstat(file.fileno()))
                self._objects.put(content(file), f"{self._uri}/{self._key(entry.path)}")
            self._stored[entry.path] = stamp
            count += 1
        if self._mirror:
            for name in sorted(self._stored.keys() - present):
                self._objects.delete(f"{self._uri}/{name}")
                del self._stored[name]
        return count

    def known(self) -> None:
        """What is there now is stored already."""
        with Folder.at(self._ml, self._inside) as folder:
            self._stored.update((entry.path, _stamp(entry.state)) for entry in folder.walk() if entry.is_file)

    def _key(self, path: str) -> str:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise StepFailed(f"{self._told(path)!r} is no name for an object: it is not UTF-8") from None
        return path

    def _told(self, path: str) -> str:
        return (OPT_ML / self._inside / path).as_posix()


_Stamp: TypeAlias = tuple[int, int, int]


def _stamp(state: os.stat_result) -> _Stamp:
    return state.st_ino, state.st_mtime_ns, state.st_size


def _opened(folder: Folder, path: str) -> IO[bytes] | None:
    """None for what the step took away or changed for something else since it was looked at, or holds a lease on."""
    try:
        return folder.open(path)
    except (InItsPlace, FileNotFoundError, BlockingIOError):
        return None
