"""Folders of this machine that are seen below a prefix of S3: brought up to date before an execution starts.

What lies in the folder is copied, so that an execution reads what it began with; what a step writes below the prefix is
an object beside, and never gets into the folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.account.local.objects import chunks
from mlops.account.local.refusal import invalid
from mlops.account.local.state import State, dump, now
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
    """In place of what was mounted there. Raises Refusal for a folder that cannot be read, and then nothing is
    mounted."""
    made = Mount(f"{uri.rstrip('/')}/", folder.resolve())
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
    stored = [key for key, _ in _mounted(state, uri)]
    for key in stored:
        state.objects.delete(bucket, key)
    state.store.write("DELETE FROM resource WHERE kind = ? AND name = ?", KIND, uri)
    return len(stored)


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
        raise invalid(
            f"{mounted.folder}, mounted at {mounted.uri}, cannot be read: {error}. "
            f"`mlops local mount --remove {mounted.uri}` takes the mount away."
        ) from None
    before = dict(_mounted(state, mounted.uri))
    stored = 0
    for key, path in files.items():
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            stamp = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
            if before.get(key) == stamp:
                continue
            written = state.objects.write(chunks(file), ("CRC32",))
        body = {"Checksums": dict(written.checksums), _STAMP: stamp}
        state.objects.publish(bucket, key, written, body)
        stored += 1
    gone = before.keys() - files.keys()
    for key in gone:
        state.objects.delete(bucket, key)
    return Refreshed(stored, len(gone))


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
