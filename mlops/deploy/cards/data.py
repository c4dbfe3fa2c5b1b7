"""The data that a version was trained on, as its lineage names them: what lies there, and what may be said of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

from mlops.account import Account, answers
from mlops.deploy.cards import parquet
from mlops.deploy.cards.columns import Reading, TableStatistics, reader
from mlops.deploy.executions.inputs import listing
from mlops.deploy.models.lineage import Content, digest
from mlops.deploy.pages import items
from mlops.ir import AccountError
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.ir.s3_uri import split_uri

MOST_BYTES = 64 * 1024 * 1024
"""Of one input. More takes longer than somebody who asks for a card waits."""
_PACKED = ".gz"
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class DataSet:
    """``name`` is that of the step and its input. ``size`` in bytes and ``statistics`` are None where ``unknown`` says
    why. ``whole``: all of it was read."""

    name: str
    uri: str
    files: int
    size: int | None = None
    statistics: TableStatistics | None = None
    whole: bool = True
    unknown: str | None = None


def see(
    account: Account, data: Mapping[str, Content], private: Sequence[str], most: int = MOST_BYTES
) -> tuple[DataSet, ...]:
    """What lies there is described only where it is still what was read."""
    return tuple(_one(account, name, content, private, most) for name, content in data.items())


def _one(account: Account, name: str, content: Content, private: Sequence[str], most: int) -> DataSet:
    bare = DataSet(name, content.uri, content.files)
    if content.etag is None:
        return _without(bare, "what lay there could not be asked")
    if content.changed:
        return _without(bare, "it was written while or after the step read it, so what was read is not known")
    try:
        there = listing(account, content.uri)
        if not there:
            return _without(bare, "nothing lies there any more" if there is not None else "it cannot be listed")
        if digest(there) != content.etag:
            return _without(bare, "what lies there now is not what was read")
        return _described(account, bare, private, most)
    except AccountError as error:
        return _without(bare, f"it cannot be read: {error.message}")


def _without(data: DataSet, why: str) -> DataSet:
    return replace(data, unknown=why)


def _described(account: Account, data: DataSet, private: Sequence[str], most: int) -> DataSet:
    s3 = account.client("s3")
    bucket, prefix = split_uri(data.uri)
    reading, left, size, tables, others, whole = Reading(private), most, 0, 0, 0, True
    with answers():
        objects = sorted(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix), key=_key)
    for key, length in ((_key(item), int(item["Size"])) for item in objects):
        size += length
        name = key.rpartition("/")[2]
        if length and parquet.is_parquet(name):
            if not parquet.can_read():
                return replace(_without(data, f"{name} {parquet.WITHOUT}"), size=size)
            tables += 1
            if length > left:
                # It begins at its end, so a part of it is nothing.
                whole = False
                continue
            with answers():
                content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            try:
                whole = parquet.read(reading, content, left) and whole
            except (ValueError, OSError, NotImplementedError) as error:
                return replace(_without(data, hide_text(f"{name} cannot be read: {_said(error)}")), size=size)
            left -= length
            continue
        read = reader(name.removesuffix(_PACKED)) or (length and reader(name, _content_type(s3, bucket, key)))
        if not read:
            others += length > 0
            continue
        tables += 1
        if left <= 0:
            whole = whole and length == 0
            continue
        with answers():
            body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        lines = _Lines(body, left, packed=name.endswith(_PACKED))
        try:
            read(reading, lines)
        except (ValueError, RecursionError, OSError, EOFError, zlib.error) as error:
            return replace(_without(data, hide_text(f"{name} cannot be read: {_said(error)}")), size=size)
        left -= lines.taken
        whole = whole and not lines.cut
    if not tables:
        what = "none of its files is CSV, TSV, JSON or Parquet by its name" if others else "it is empty"
        return replace(_without(data, what), size=size)
    found = reading.ended()
    named = tuple(replace(column, name=str(hide(column.name))) for column in found.columns)
    told = f"{counted(others, 'further file')} of another form" if others else None
    return DataSet(data.name, data.uri, data.files, size, replace(found, columns=named), whole, told)


def _key(item: Mapping[str, Any]) -> str:
    return str(item["Key"])


def _content_type(s3: Any, bucket: str, key: str) -> str:
    with answers():
        return str(s3.head_object(Bucket=bucket, Key=key).get("ContentType") or "")


def _said(error: BaseException) -> str:
    """The place or the kind, not the text: that would be a row."""
    line = getattr(error, "lineno", None)
    return f"line {line} is no JSON" if line is not None else type(error).__name__


class _Lines:
    """Whole lines of a body, at most so many bytes of them, unpacked."""

    def __init__(self, body: IO[bytes], most: int, *, packed: bool) -> None:
        self._read = gzip.GzipFile(fileobj=body).read if packed else body.read
        self._most = most
        self.taken = 0
        self.cut = False

    def __iter__(self) -> Iterator[str]:
        rest = b""
        first = True
        while not self.cut:
            block = self._read(min(_BLOCK, self._most - self.taken + 1))
            if not block:
                break
            self.taken += len(block)
            self.cut = self.taken > self._most
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                text = line.decode("utf-8-sig" if first else "utf-8") + "\n"
                first = False
                yield text
        if rest and not self.cut:
            yield rest.decode("utf-8-sig" if first else "utf-8")
