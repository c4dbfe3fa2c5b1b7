"""What we last wrote, kept beside the assets in the account's bucket: one small object for each pipeline.

It tells a change by somebody else from our own, it lists what a pipeline brought with it, and replacing it under the
condition that nobody else did (If-Match, If-None-Match) decides which of two upserts at once may write. It is written
before the pipeline is, and says from what to what: so after a kill the next one sees whether that was reached.

It says where code lies and not what is in it: an upsert that brings new code alone leaves the record as it is, and is
one upload and one update. There :mod:`mlops.deploy.pipelines.contention` decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from mlops.account import Account
from mlops.deploy import conditional_object
from mlops.deploy.fencing import is_over
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

VERSION = 2


class Beaten(Refusal):
    """Another upsert of the same pipeline was faster; this one wrote nothing to it."""


@dataclass(frozen=True, slots=True)
class Record:
    """``wrote`` and ``over`` are fingerprints of the pipeline
    (:meth:`~mlops.deploy.pipelines.state.PipelineState.fingerprint`, whatever its code) after and before; ``over`` is
    None where there was none. ``over_modified`` is its LastModifiedTime before. ``writer`` is the token of the upsert
    (:mod:`~mlops.deploy.fencing`). ``pipeline`` is what was written, without secrets; ``companions``
    fingerprints of the resources that belong to it, by type and name; ``tags`` the tags that we set, with fingerprints
    of their values; ``origin`` says which source it is of, in words."""

    wrote: str
    over: str | None
    over_modified: str | None
    at: str
    by: str
    writer: str
    pipeline: Mapping[str, Any]
    companions: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None

    def says_as(self, other: Record) -> bool:
        """Whether both are of one change, whoever makes it, and when."""
        return replace(self, at=other.at, by=other.by, writer=other.writer) == other


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies there; ``age`` in seconds, by the account's clock where it tells one. ``record`` is None
    where it cannot be read, and ``fault`` says why: then nothing is known of what we last wrote. ``dead``: the upsert
    that wrote it was one of this machine's, and is over."""

    record: Record | None
    etag: str
    age: float
    fault: str | None = None
    dead: bool = False


def key(environment: Environment, name: str) -> str:
    return conditional_object.key(environment, "pipelines", f"{name}.json")


def read(account: Account, environment: Environment, name: str) -> Stored | None:
    """None where we never wrote this pipeline. Raises BucketMissing."""
    found = conditional_object.get(account, environment, key(environment, name))
    if found is None:
        return None
    try:
        record = _parse(found.content)
        return Stored(record, found.etag, found.age, dead=is_over(record.writer))
    except (ValueError, RecursionError) as error:
        fault = str(error) if type(error) is ValueError else "its content is none that mlops wrote"
        told = f"s3://{environment.bucket}/{key(environment, name)} cannot be read: {fault}"
        return Stored(None, found.etag, found.age, told)


def write(account: Account, environment: Environment, name: str, record: Record, replaces: str | None) -> str:
    """Replace the record of ETag ``replaces``, or make the first one; the new ETag. Raises Beaten where somebody was
    faster."""
    body = json.dumps(_as_json(record), indent=1, ensure_ascii=False).encode()
    try:
        return conditional_object.put(account, environment, key(environment, name), body, replaces)
    except conditional_object.Conflict:
        # A write that succeeded and whose answer was lost is repeated by botocore, and then refused.
        stored = read(account, environment, name)
        last = stored.record if stored is not None else None
        if stored is not None and last is not None and last.writer == record.writer:
            return stored.etag
        who = f" by {last.by} at {last.at}" if last is not None else ""
        raise Beaten(
            f"{name}: another upsert began{who} since this one looked; this one wrote nothing to the pipeline",
            hint="run `mlops plan` to see what it left, then upsert again",
        ) from None


def remove(account: Account, environment: Environment, name: str) -> None:
    account.client("s3").delete_object(Bucket=environment.bucket, Key=key(environment, name))


def _parse(content: bytes) -> Record:
    """Raises ValueError."""
    told = json.loads(content)
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise ValueError("it is of another version of mlops")
    return _schema().validate_python({key: told[key] for key in told if key not in ("version", "name")})


@cache
def _schema() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "version": VERSION,
        "name": record.pipeline.get("PipelineName"),
        "wrote": record.wrote,
        "over": record.over,
        "over_modified": record.over_modified,
        "at": record.at,
        "by": record.by,
        "writer": record.writer,
        "pipeline": dict(record.pipeline),
        "companions": dict(record.companions),
        "tags": dict(record.tags),
        "origin": record.origin,
    }
