"""Data of this machine in the local account: put at an S3 URI, or given for a parameter that names such a place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from mlops.account import Account, Here, answers
from mlops.ir import Definition, Listener, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.local_files import how_to_put, names_a_file, path_of
from mlops.ir.s3_uri import is_bucket_name, split_uri
from mlops.project.content_address import UnshippableFile, address, collect
from mlops.project.environments import LOCAL, Environment
from mlops.project.files import replacing
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Said

_FILE = "file://"
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Put:
    """``uris`` are where the objects lie now."""

    uris: tuple[str, ...]
    bytes: int


def put(source: Path, uri: str) -> Put:
    """A file, or what is in a folder, at ``uri`` of the local account, in place of what lay there under these names. A
    file keeps its name where ``uri`` ends with a slash."""
    bucket, key = split_uri(uri)
    if not uri.startswith("s3://") or not bucket or not (key or source.is_dir()):
        raise UsageError(f"{uri!r} is no place for data", hint="write it as s3://BUCKET/KEY")
    _need_bucket_name(bucket)
    return _put(connect_here(LOCAL).account, source, uri)


@dataclass(frozen=True, slots=True)
class Listed:
    uri: str
    bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Got:
    """``files`` are what was written; ``there`` are those that were the same already."""

    files: tuple[Path, ...]
    there: tuple[Path, ...]
    bytes: int


def listed(uri: str | None) -> tuple[Listed, ...]:
    """Objects of the local account whose URI begins with ``uri``, in their order; of all buckets without. Raises
    UsageError."""
    s3 = connect_here(LOCAL).account.client("s3")
    if uri is None:
        return tuple(found for bucket in _buckets(s3) for found in _objects(s3, bucket, ""))
    bucket, key = _place(uri)
    if bucket not in _buckets(s3):
        raise UsageError(f"there is no bucket {bucket} here{instead(bucket, _buckets(s3))}", hint=how_to_put(uri))
    return tuple(_objects(s3, bucket, key))


def get(uri: str, target: Path, *, force: bool = False) -> Got:
    """The object at ``uri`` as a file, or all below it as a folder. A file goes into a ``target`` that is a folder.
    Raises UsageError, also for a file that holds something else, unless ``force``; then nothing was written."""
    bucket, key = _place(uri)
    s3 = connect_here(LOCAL).account.client("s3")
    found = list(_objects(s3, bucket, key)) if bucket in _buckets(s3) else []
    # Consoles make a folder by an empty object of its name.
    exact = [item for item in found if item.uri == uri and not uri.endswith("/")]
    below = f"{uri.rstrip('/')}/"
    chosen = exact or [item for item in found if item.uri.startswith(below) and not item.uri.endswith("/")]
    if not chosen:
        raise UsageError(f"nothing is stored at {uri}", hint=how_to_put(uri))
    as_file = _inside(target, uri.rpartition("/")[2]) if exact and target.is_dir() else target
    places = {item.uri: as_file if exact else _inside(target, item.uri[len(below) :]) for item in chosen}
    _need_places_of_their_own(places)
    same = {item.uri for item in chosen if _is_same(s3, item, places[item.uri])}
    for item in chosen:
        place = places[item.uri]
        if place.exists() and item.uri not in same and not force:
            raise UsageError(f"{place} holds something else than {item.uri}", hint="--force writes over it")
    for item in chosen:
        if item.uri not in same:
            _fetch(s3, item.uri, places[item.uri])
    written = tuple(place for at, place in places.items() if at not in same)
    there = tuple(places[at] for at in places if at in same)
    return Got(written, there, sum(item.bytes for item in chosen if item.uri not in same))


def mount(folder: Path, uri: str) -> tuple[int, int]:
    """How many objects were stored, and taken away. Raises UsageError."""
    _need_bucket_name(_place(uri)[0])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    return _here().mount(uri, folder)


def unmount(uri: str) -> int:
    """How many objects went. Raises UsageError where nothing is mounted there."""
    _place(uri)
    here = _here()
    known = [*here.mounts()]
    found = here.unmount(uri)
    if found is None:
        raise UsageError(f"nothing is mounted at {uri}{instead(uri, known)}")
    return found


def mounts() -> Mapping[str, Path]:
    return _here().mounts()


def _here() -> Here:
    here = connect_here(LOCAL).account.here
    if here is None:
        raise UsageError("the environment local is no account of this machine")
    return here


def _place(uri: str) -> tuple[str, str]:
    bucket, key = split_uri(uri)
    if not uri.startswith("s3://") or not bucket:
        raise UsageError(f"{uri!r} is no place for data", hint="write it as s3://BUCKET/KEY")
    return bucket, key


def _need_bucket_name(bucket: str) -> None:
    if not is_bucket_name(bucket):
        hint = "3 to 63 small letters, digits, dots and dashes, with a letter or digit at both ends"
        raise UsageError(f"{bucket!r} cannot be the name of a bucket", hint=hint)


def _buckets(s3: Any) -> list[str]:
    return [str(item["Name"]) for item in s3.list_buckets()["Buckets"]]


def _objects(s3: Any, bucket: str, key: str) -> Iterator[Listed]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for item in page.get("Contents", ()):
            yield Listed(f"s3://{bucket}/{item['Key']}", int(item["Size"]), item["LastModified"])


def _inside(target: Path, relative: str) -> Path:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or "\0" in relative:
        raise UsageError(f"the object {relative!r} has a name that no file below {target} can have")
    return target / path


def _need_places_of_their_own(places: Mapping[str, Path]) -> None:
    """Keys are no paths: one may also be the folder of another one, and `a//b` is not `a/b`."""
    folders = {above for place in places.values() for above in place.parents}
    taken: dict[Path, str] = {}
    for uri, place in places.items():
        other = taken.setdefault(place, uri)
        if place in folders or other != uri:
            raise UsageError(
                f"{uri} cannot be {place}, which {'others lie in' if place in folders else f'{other} is'}",
                hint=f"get it alone, as a file: `mlops local get {uri} FILE`",
            )


def _is_same(s3: Any, item: Listed, place: Path) -> bool:
    """By their bytes: the ETag of what came in parts is no digest of them."""
    if not place.is_file() or place.stat().st_size != item.bytes:
        return False
    bucket, key = split_uri(item.uri)
    with place.open("rb") as file, closing(s3.get_object(Bucket=bucket, Key=key)["Body"]) as stored:
        return all(file.read(len(block)) == block for block in iter(lambda: stored.read(_BLOCK), b""))


def _fetch(s3: Any, uri: str, place: Path) -> None:
    bucket, key = split_uri(uri)
    try:
        with replacing(place) as file:
            shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=key)["Body"], file, _BLOCK)
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror or error}") from None


def with_files(
    environment: Environment, root: Path, definition: Definition, given: Mapping[str, str]
) -> dict[str, str]:
    """``given``, and the files of this machine that the local ``environment`` has for other parameters; their paths
    begin at ``root``."""
    found: dict[str, str] = {}
    for parameter in definition.parameters if environment.is_local else ():
        value = environment.parameters.get(parameter.name)
        if isinstance(value, str) and names_a_file(value, parameter.default):
            found[parameter.name] = value if value.startswith(_FILE) else str(root / path_of(value))
    return {**found, **given}


def placed(
    connected: Connected, definition: Definition, values: Mapping[str, str], listener: Listener
) -> dict[str, str]:
    """The values with an S3 URI for each file or folder of this machine that stands for one: ``-p Data=raw.csv`` where
    the default of ``Data`` is a place in S3, or ``file://`` anywhere. It is named by what is in it, so that what was
    made of it before serves again."""
    defaults = {parameter.name: parameter.default for parameter in definition.parameters}
    found = dict(values)
    for name, value in values.items():
        if not names_a_file(value, defaults.get(name)):
            continue
        source = _named(name, value) if value.startswith(_FILE) else path_of(value)
        folder = connected.environment.uri("data", address(_files(source, f"{name} is {value!r}: ")))
        uri = f"{folder}/{source.name}" if source.is_file() else f"{folder}/"
        found[name] = uri
        _put(connected.account, source, uri)
        listener(Said(text=f"{name}: {value} is {uri} of the local account"))
    return found


def _named(parameter: str, url: str) -> Path:
    """Of a ``file://`` URL. Raises UsageError for one that names another machine, or nothing: ``file://raw.csv`` has no
    path, and would be this folder."""
    found = urlsplit(url)
    if found.netloc not in ("", "localhost") or not found.path:
        hint = f"write the whole path behind three slashes: {_FILE}{Path(url.removeprefix(_FILE)).absolute()}"
        raise UsageError(f"{parameter} is {url!r}, which names no file of this machine", hint=hint)
    return Path(unquote(found.path))


def _files(source: Path, about: str = "") -> tuple[tuple[str, Path], ...]:
    hint = "give a file or a folder of this machine, or an S3 URI"
    if not source.exists():
        raise UsageError(f"{about}there is no {source}", hint=hint)
    if not source.is_file() and not source.is_dir():
        raise UsageError(f"{about}{source} is neither a file nor a folder", hint=hint)
    try:
        found = collect(source)
    except (UnshippableFile, OSError) as error:
        raise UsageError(f"{about}{error}", hint=hint) from None
    if not found:
        raise UsageError(f"{about}the folder {source} is empty", hint=hint)
    return found


def _put(account: Account, source: Path, uri: str) -> Put:
    bucket, key = split_uri(uri)
    files = _files(source)
    s3 = account.client("s3")
    if bucket not in _buckets(s3):
        s3.create_bucket(Bucket=bucket)
    uris, size = [], 0
    for relative, path in files:
        if source.is_dir():
            name = f"{key.rstrip('/')}/{relative}".lstrip("/")
        else:
            name = f"{key}{relative}" if key.endswith("/") else key
        with path.open("rb") as content, answers():
            s3.put_object(Bucket=bucket, Key=name, Body=content)
        uris.append(f"s3://{bucket}/{name}")
        size += path.stat().st_size
    return Put(tuple(uris), size)
