"""Folders of this machine that are seen below a prefix of S3: brought up to date before an execution starts.

What lies in the folder is copied, so that an execution reads what it began with; what a step writes below the prefix is
an object beside, and never gets into the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mlops.account.local.objects import StoredObject, chunks
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.state import State, dump, now
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.content_address import UnshippableFile, collect

KIND = "Mount"
_STAMP = "Mounted"


@dataclass(frozen=True, slots=True)
class Mount:
    """``uri`` ends with a slash."""

    uri: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many objects were stored, and how many taken away since their files are gone."""

    stored: int
    removed: int


def mounts(state: State) -> tuple[Mount, ...]:
    rows = state.store.all("SELECT name, body FROM resource WHERE kind = ? ORDER BY name", KIND)
    return tuple(Mount(row["name"], Path(json.loads(row["body"])["Folder"])) for row in rows)


def mount(state: State, uri: str, folder: Path) -> Refreshed:
    """In place of what was mounted there. Raises Refusal, and then nothing is mounted, for a folder that cannot be read
    and for a place that has keys of another mount."""
    made = Mount(f"{uri.rstrip('/')}/", folder.resolve())
    _need_apart(state, made)
    refreshed = _refresh(state, made)
    time = now()
    state.store.write(
        "INSERT INTO resource VALUES (?, ?, ?, ?, '', ?) ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body",
        KIND,
        made.uri,
        time,
        time,
        dump({"Folder": str(made.folder)}),
    )
    return refreshed


def unmount(state: State, uri: str) -> int | None:
    """How many objects went with it; None where nothing is mounted there."""
    uri = f"{uri.rstrip('/')}/"
    if all(found.uri != uri for found in mounts(state)):
        return None
    bucket, _ = split_uri(uri)
    gone = sum(_take_away(state, bucket, key, stamp) for key, stamp in _mounted(state, uri))
    state.store.write("DELETE FROM resource WHERE kind = ? AND name = ?", KIND, uri)
    return gone


def refresh(state: State) -> None:
    """All of them. Raises Refusal for one whose folder cannot be read."""
    for found in mounts(state):
        _refresh(state, found)


def _refresh(state: State, mounted: Mount) -> Refreshed:
    bucket, prefix = split_uri(mounted.uri)
    try:
        if not mounted.folder.is_dir():
            raise NotADirectoryError(f"there is no folder {mounted.folder}")
        files = {f"{prefix}{relative}": path for relative, path in collect(mounted.folder)}
        state.objects.ensure_bucket(bucket)
    except (UnshippableFile, OSError, ValueError) as error:
        raise _unreadable(mounted, error) from None
    before = dict(_mounted(state, mounted.uri))
    there: set[str] = set()
    stored = 0
    for key, path in files.items():
        try:
            file = path.open("rb")
        except FileNotFoundError:  # since it was listed
            continue
        except OSError as error:
            raise _unreadable(mounted, error) from None
        there.add(key)
        with file:
            stored += _brought(state, bucket, key, file, before.get(key))
    removed = sum(_take_away(state, bucket, key, before[key]) for key in before.keys() - there)
    return Refreshed(stored, removed)


def _need_apart(state: State, made: Mount) -> None:
    """Each of two mounts would take away what the other brought."""
    for found in mounts(state):
        if found.uri != made.uri and (found.uri.startswith(made.uri) or made.uri.startswith(found.uri)):
            raise invalid(
                f"{made.uri} shares keys with {found.uri}, where {found.folder} is mounted. "
                f"`mlops local mount --remove {found.uri}` takes that mount away."
            )


def _unreadable(mounted: Mount, error: Exception) -> Refusal:
    return invalid(
        f"{mounted.folder}, mounted at {mounted.uri}, cannot be read: {error}. "
        f"`mlops local mount --remove {mounted.uri}` takes the mount away."
    )


def _brought(state: State, bucket: str, key: str, file: IO[bytes], before: str | None) -> bool:
    """Whether it had to be: it is not as it was ``before``."""
    status = os.fstat(file.fileno())
    stamp = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
    if before == stamp:
        return False
    written = state.objects.write(chunks(file), ("CRC32",))
    state.objects.publish(bucket, key, written, {"Checksums": dict(written.checksums), _STAMP: stamp})
    return True


class _Rewritten(Exception):
    pass


def _take_away(state: State, bucket: str, key: str, stamp: str) -> bool:
    """Unless a step has written over it since it was looked at: then it is that step's."""

    def permit(found: StoredObject | None) -> None:
        if found is None or found.body.get(_STAMP) != stamp:
            raise _Rewritten

    try:
        state.objects.delete(bucket, key, permit)
    except _Rewritten:
        return False
    return True


def _mounted(state: State, uri: str) -> Iterator[tuple[str, str]]:
    """Key and stamp of what was brought there from a folder and not written over since."""
    bucket, prefix = split_uri(uri)
    start = prefix.encode()
    end = start[:-1] + bytes([start[-1] + 1]) if start else b"\xff"
    rows = state.store.all(
        f"SELECT key, json_extract(body, '$.{_STAMP}') AS stamp FROM object "  # noqa: S608
        "WHERE bucket = ? AND key >= ? AND key < ? AND stamp IS NOT NULL",
        bucket,
        start,
        end,
    )
    return ((bytes(row["key"]).decode(), row["stamp"]) for row in rows)
