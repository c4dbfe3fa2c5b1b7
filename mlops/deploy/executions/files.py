"""Files that a step of an execution read or wrote: where they lie, what is there, and how one begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Literal, TypeAlias

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.executions.details import jobs_of
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.executions.inputs import inputs
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri

Direction: TypeAlias = Literal["input", "output"]
_MOST_FILES = 1000
"""One page of a listing."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an input or output of a step lies."""

    direction: Direction
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class File:
    """``path`` is what stands in its key behind the place's own, nothing where the place is a file."""

    path: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Begin:
    """The first bytes of a file that has ``size``."""

    content: bytes
    size: int


def places(account: Account, state: ExecutionState, step: StepState) -> Iterator[Placed]:
    """Of the job behind the step; none where there is none any more."""
    kind, job = step.job_kind, jobs_of(account, replace(state, steps=(step,))).get(step.name)
    if kind is None or job is None:
        return
    for name, read in inputs(step, job):
        yield Placed("input", name, read.uri)
    for _, name, uri in kind.uris(kind.outputs, job):
        yield Placed("output", name, uri)


def files(account: Account, place: Placed) -> tuple[tuple[File, ...], bool]:
    """What lies there, and whether that is all. Raises Refused where it may not be listed."""
    bucket, prefix = split_uri(place.uri)
    with answers():
        reply = account.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_MOST_FILES)
    found = []
    for item in reply.get("Contents", ()):
        behind = str(item["Key"])[len(prefix) :]
        # Not a neighbour whose name begins so; in a whole bucket there is none.
        if not behind or not prefix or behind.startswith("/") or prefix.endswith("/"):
            found.append(File(behind.removeprefix("/"), int(item["Size"]), item["LastModified"]))
    return tuple(found), not reply.get("IsTruncated")


def begin(account: Account, place: Placed, path: str, most: int) -> Begin:
    """Raises UsageError for a file that is not listed there: a key is never made of what somebody typed."""
    bucket, prefix = split_uri(place.uri)
    chosen = next((file for file in files(account, place)[0] if file.path == path), None)
    if chosen is None:
        raise UsageError(f"the {place.direction} {place.name} has no file {path!r}")
    keys = (prefix,) if not chosen.path else (f"{prefix}{chosen.path}", f"{prefix}/{chosen.path}")
    key = keys[0] if not chosen.path or prefix.endswith("/") or not prefix else keys[-1]
    if chosen.size == 0:
        return Begin(b"", 0)
    with answers():
        body = account.client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{most - 1}")["Body"]
        return Begin(body.read(most), chosen.size)


def readable(account: Account, place: Placed) -> tuple[tuple[File, ...], bool] | None:
    """:func:`files`, or None where they may not be listed."""
    try:
        return files(account, place)
    except Refused:
        return None
