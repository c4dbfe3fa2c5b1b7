"""Data of this machine in the local account: put at an S3 URI, or given for a parameter that names such a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlops.account import Account
from mlops.ir import Definition, Listener, UsageError
from mlops.ir.s3_uri import split_uri
from mlops.project.content_address import UnshippableFile, address, collect
from mlops.project.environments import LOCAL
from mlops.use_cases.connecting import Connected, connect_here
from mlops.use_cases.news import Said


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
    return _put(connect_here(LOCAL).account, source, uri)


def placed(
    connected: Connected, definition: Definition, values: Mapping[str, str], listener: Listener
) -> dict[str, str]:
    """The values with an S3 URI for each file or folder of this machine that stands for one: ``-p Data=raw.csv`` where
    the default of ``Data`` is a place in S3, or ``file://`` anywhere. It is named by what is in it, so that what was
    made of it before serves again."""
    defaults = {parameter.name: parameter.default for parameter in definition.parameters}
    found = dict(values)
    for name, value in values.items():
        default = defaults.get(name)
        is_place = isinstance(default, str) and default.startswith("s3://")
        if value.startswith("s3://") or not (is_place or value.startswith("file://")):
            continue
        source = Path(unquote(urlsplit(value).path)) if value.startswith("file://") else Path(value).expanduser()
        folder = connected.environment.uri("data", address(_files(source, f"{name} is {value!r}: ")))
        uri = f"{folder}/{source.name}" if source.is_file() else f"{folder}/"
        found[name] = uri
        _put(connected.account, source, uri)
        listener(Said(text=f"{name}: {value} is {uri} of the local account"))
    return found


def _files(source: Path, about: str = "") -> tuple[tuple[str, Path], ...]:
    hint = "give a file or a folder of this machine, or an S3 URI"
    if not source.exists():
        raise UsageError(f"{about}there is no {source}", hint=hint)
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
    if bucket not in [item["Name"] for item in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)
    uris, size = [], 0
    for relative, path in files:
        if source.is_dir():
            name = f"{key.rstrip('/')}/{relative}".lstrip("/")
        else:
            name = f"{key}{relative}" if key.endswith("/") else key
        with path.open("rb") as content:
            s3.put_object(Bucket=bucket, Key=name, Body=content)
        uris.append(f"s3://{bucket}/{name}")
        size += path.stat().st_size
    return Put(tuple(uris), size)
