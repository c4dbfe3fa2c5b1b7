"""Objects as plain files below ``objects/<bucket>/``, with their metadata in the store.

A file is written under a temporary name and renamed inside the write transaction that changes its row. A process
killed between the two leaves a file that does not fit its row: whoever reads it next sees that by the file's stamp
and reads the file anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import uuid
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from mlops.account.local.store import Store
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import is_bucket_name
from mlops.project.private import opener, private_folder

CHUNK = 1024 * 1024
LONGEST_SEGMENT = 200
LONGEST_PATH = 700
# Neither can be a bucket: bucket names begin with a letter or digit.
WRITING = ".writing"
HASHED = ".by-hash"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """``body`` holds what PutObject gave and HeadObject tells again: ContentType, Metadata, checksums…"""

    bucket: str
    key: str
    path: Path
    size: int
    etag: str
    modified: datetime
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """Content that lies under a temporary name."""

    path: Path
    size: int
    md5: str
    checksums: Mapping[str, str]


class BucketMissing(Exception):
    pass


class ObjectStore:
    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def ensure_bucket(self, name: str) -> bool:
        """Whether it was made now. Raises ValueError for what cannot be a bucket's name."""
        if not is_bucket_name(name):
            raise ValueError(f"{name!r} cannot be the name of a bucket")
        if self._store.one("SELECT 1 FROM bucket WHERE name = ?", name) is not None:
            return False
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        return self._store.write("INSERT OR IGNORE INTO bucket VALUES (?, ?)", name, created) > 0

    def write(self, chunks: Iterable[bytes], algorithms: Iterable[str] = ()) -> Written:
        """Keep content aside; :meth:`publish` makes it an object. ``algorithms`` as S3 names them, e.g. SHA256."""
        folder = private_folder(self._folder / WRITING)
        path = folder / uuid.uuid4().hex
        md5 = hashlib.md5(usedforsecurity=False)
        sums = {name: _ALGORITHMS[name]() for name in algorithms if name in _ALGORITHMS}
        size = 0
        try:
            with open(path, "xb", opener=opener) as file:
                for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
                    md5.update(chunk)
                    for checksum in sums.values():
                        checksum.update(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Written(
            path, size, md5.hexdigest(), {name: b64encode(item.digest()).decode() for name, item in sums.items()}
        )

    def publish(
        self,
        bucket: str,
        key: str,
        written: Written,
        body: Mapping[str, Any],
        *,
        etag: str | None = None,
        permit: Callable[[StoredObject | None], None] = lambda existing: None,
    ) -> StoredObject:
        """Replaces an object whole or not at all. ``permit`` sees what is there and may raise."""
        try:
            known = self._digest_of_changed(bucket, key)
            with self._store.transaction() as connection:
                if connection.execute("SELECT 1 FROM bucket WHERE name = ?", (bucket,)).fetchone() is None:
                    raise BucketMissing(bucket)
                permit(self._settled(bucket, key, known))
                path = self._place(bucket, key, written.path)
                modified = datetime.now(UTC)
                connection.execute(
                    "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        bucket,
                        key.encode(),
                        path,
                        written.size,
                        _stamp((self._folder / path).stat()),
                        etag or written.md5,
                        modified.isoformat(timespec="microseconds"),
                        json.dumps(dict(body)),
                    ),
                )
        finally:
            written.path.unlink(missing_ok=True)
        return StoredObject(bucket, key, self._folder / path, written.size, etag or written.md5, modified, dict(body))

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator[tuple[StoredObject, IO[bytes]]]:
        """The content stays what it was when opened, whatever is written meanwhile. Raises KeyError."""
        found, file = self.opened(bucket, key)
        with file:
            yield found, file

    def opened(self, bucket: str, key: str) -> tuple[StoredObject, IO[bytes]]:
        row = self._row(bucket, key)
        if row is None:
            raise KeyError(key)
        file = self._open_as_stored(row)
        if file is None:
            known = self._digest_of_changed(bucket, key)
            with self._store.transaction():
                found = self._settled(bucket, key, known)
                opened = None if found is None else (found, found.path.open("rb"))
            if opened is None:
                raise KeyError(key)
            return opened
        return self._object(row), file

    def find(self, bucket: str, key: str) -> StoredObject | None:
        try:
            with self.open(bucket, key) as (found, _):
                return found
        except KeyError:
            return None

    def delete(
        self, bucket: str, key: str, permit: Callable[[StoredObject | None], None] = lambda existing: None
    ) -> None:
        known = self._digest_of_changed(bucket, key)
        with self._store.transaction() as connection:
            found = self._settled(bucket, key, known)
            permit(found)
            if found is None:
                return
            found.path.unlink(missing_ok=True)
            self._remove_empty_folders(found.path.parent, bucket)
            connection.execute("DELETE FROM object WHERE bucket = ? AND key = ?", (bucket, key.encode()))

    def list(self, bucket: str, prefix: str = "", after: str = "", limit: int = -1) -> list[StoredObject]:
        """In the order of the keys' bytes, as S3 lists. ``after`` is exclusive."""
        start = prefix.encode()
        # UTF-8 never holds the byte 0xFF, so the last byte can always be counted up.
        end = start[:-1] + bytes([start[-1] + 1]) if start else b"\xff"
        rows = self._store.all(
            "SELECT * FROM object WHERE bucket = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
            bucket,
            start,
            end,
            after.encode(),
            limit,
        )
        return [self._object(row) for row in rows]

    def _row(self, bucket: str, key: str) -> sqlite3.Row | None:
        return self._store.one("SELECT * FROM object WHERE bucket = ? AND key = ?", bucket, key.encode())

    def _object(self, row: sqlite3.Row) -> StoredObject:
        return StoredObject(
            row["bucket"],
            bytes(row["key"]).decode(),
            self._folder / row["path"],
            row["size"],
            row["etag"],
            datetime.fromisoformat(row["modified"]),
            json.loads(row["body"]),
        )

    def _open_as_stored(self, row: sqlite3.Row) -> IO[bytes] | None:
        try:
            file: IO[bytes] = (self._folder / row["path"]).open("rb")
        except FileNotFoundError:
            return None
        if _stamp(os.fstat(file.fileno())) == row["stamp"]:
            return file
        file.close()
        return None

    def _digest_of_changed(self, bucket: str, key: str) -> tuple[str, str] | None:
        """Before a transaction, which nobody shall wait for while gigabytes are read: stamp and digest of a file that
        was changed since it was stored; None of any other."""
        row = self._row(bucket, key)
        if row is None:
            return None
        path = self._folder / row["path"]
        with suppress(FileNotFoundError):
            if _stamp(path.stat()) != row["stamp"]:
                return _digest(path)
        return None

    def _settled(self, bucket: str, key: str, known: tuple[str, str] | None) -> StoredObject | None:
        """Inside a transaction: the object as it is, its row brought in line with its file, whose stamp and digest may
        be ``known``."""
        row = self._row(bucket, key)
        if row is None:
            return None
        path = self._folder / row["path"]
        try:
            stamp = _stamp(path.stat())
        except FileNotFoundError:
            self._store.write("DELETE FROM object WHERE bucket = ? AND key = ?", bucket, key.encode())
            return None
        if stamp != row["stamp"]:
            if known is None or known[0] != stamp:  # it is being changed this very moment
                known = _digest(path)
            body = {name: value for name, value in json.loads(row["body"]).items() if name != "Checksums"}
            self._store.write(
                "UPDATE object SET size = ?, stamp = ?, etag = ?, modified = ?, body = ? WHERE bucket = ? AND key = ?",
                path.stat().st_size,
                stamp,
                known[1],
                datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="microseconds"),
                json.dumps(body),
                bucket,
                key.encode(),
            )
            row = self._row(bucket, key)
        return self._object(row) if row is not None else None

    def _place(self, bucket: str, key: str, source: Path) -> str:
        """Rename ``source`` to where the object lives, by its key where a file can have that name."""
        row = self._row(bucket, key)
        if row is not None:
            self._rename(source, row["path"])
            return str(row["path"])
        if readable(key):
            path = f"{bucket}/{key}"
            # A key may also be the folder of another key: only one of the two can have its plain name.
            with suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
                self._rename(source, path)
                return path
        path = f"{bucket}/{HASHED}/{hashlib.sha256(key.encode()).hexdigest()}"
        self._rename(source, path)
        return path

    def _rename(self, source: Path, path: str) -> None:
        target = self._folder / path
        private_folder(target.parent)
        source.replace(target)

    def _remove_empty_folders(self, folder: Path, bucket: str) -> None:
        while folder != self._folder / bucket and folder.is_relative_to(self._folder / bucket):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def readable(key: str) -> bool:
    """Whether a key can be a path as it stands.

    >>> [readable(key) for key in ("models/churn/1.tar.gz", "../x", "/x", "a//b", "folder/", ".by-hash/x")]
    [True, False, False, False, False, False]
    """
    segments = key.split("/")
    return (
        len(key.encode()) <= LONGEST_PATH
        and segments[0] != HASHED
        and all(
            segment not in ("", ".", "..")
            and len(segment.encode()) <= LONGEST_SEGMENT
            and segment.isprintable()
            and "\\" not in segment
            for segment in segments
        )
    )


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _digest(path: Path) -> tuple[str, str]:
    """Stamp and MD5."""
    with path.open("rb") as file:
        stamp = _stamp(os.fstat(file.fileno()))
        return stamp, hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, chunk: bytes) -> None:
        self._value = zlib.crc32(chunk, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def checksum(algorithm: str) -> Any:
    """As :mod:`hashlib` makes one, by S3's name of it; None where it is not computed here."""
    make = _ALGORITHMS.get(algorithm)
    return None if make is None else make()


_ALGORITHMS: Mapping[str, Callable[[], Any]] = {
    "CRC32": _Crc32,
    "SHA256": hashlib.sha256,
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
}
