"""Append-only records in the environment's bucket: numbered objects below a folder, each written under the condition
that there is none of its number. Nothing is changed or removed; of two writers at once both are kept, one behind the
other."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy import conditional_object
from mlops.deploy.conditional_object import Conflict
from mlops.deploy.pages import items
from mlops.ir import Refusal
from mlops.project.environments import Environment

_DIGITS = 8
_ATTEMPTS = 100
_NEAR = 20
"""Entries among which one that is written once is looked for: what was cut off is finished before others come."""


def append(
    account: Account, environment: Environment, folder: str, entry: Mapping[str, Any], *, once: Sequence[str] = ()
) -> int:
    """The entry's number, from 1. ``once`` are members that only one entry has as this one: where it is there, written
    by whoever was cut off behind it, that one's number."""
    content = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()
    number = (_numbers(account, environment, folder) or [0])[-1] + 1
    if once:
        for there in reversed(read(account, environment, folder, _NEAR)):
            if all(there.get(member) == entry[member] for member in once):
                return int(there["number"])
    for ours in range(number, number + _ATTEMPTS):
        name = _name(environment, folder, ours)
        try:
            conditional_object.put(account, environment, name, content, None)
        except Conflict:
            # Also where our write succeeded and its answer was lost.
            there = conditional_object.get(account, environment, name)
            if there is None or (there.content != content and not _is_that(there.content, entry, once)):
                continue
        return ours
    raise Refusal(f"{folder} in s3://{environment.bucket} is written by too many at once", hint="try again")


def _is_that(content: bytes, entry: Mapping[str, Any], once: Sequence[str]) -> bool:
    told = _record(content)
    return bool(once) and told is not None and all(told.get(member) == entry[member] for member in once)


def _record(content: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def read(
    account: Account, environment: Environment, folder: str, last: int | None = None, *, members: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Oldest first, each with its ``number``; only the ``last`` ones where that is given. Raises Refusal for one that
    is no record, or lacks one of the ``members``."""
    numbers = _numbers(account, environment, folder)
    found = []
    for number in numbers if last is None else numbers[-last:]:
        name = _name(environment, folder, number)
        with answers():
            there = conditional_object.get(account, environment, name)
        if there is None:
            continue
        told = _record(there.content)
        if told is None or any(member not in told for member in members):
            hint = "what it says is not known; where it is nothing of yours, delete that object"
            raise conditional_object.unreadable(environment, name, hint=hint)
        found.append({**told, "number": number})
    return found


def folders(account: Account, environment: Environment, above: str, below: str) -> tuple[str, ...]:
    """Names between two parts of a folder that have a record, sorted."""
    prefix = f"{conditional_object.key(environment, above)}/"
    s3 = account.client("s3")
    with answers():
        listed = unless_missing(
            lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix))
        )
    parts = (str(item["Key"]).removeprefix(prefix).split("/") for item in listed or ())
    return tuple(sorted({found[0] for found in parts if len(found) == 3 and found[1] == below}))


def _numbers(account: Account, environment: Environment, folder: str) -> list[int]:
    prefix = f"{conditional_object.key(environment, folder)}/"
    s3 = account.client("s3")
    # Where there is no bucket, nothing was ever written.
    with answers():
        listed = unless_missing(
            lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=environment.bucket, Prefix=prefix))
        )
    names = (str(item["Key"]).removeprefix(prefix).removesuffix(".json") for item in listed or ())
    return sorted(int(name) for name in names if name.isdigit())


def _name(environment: Environment, folder: str, number: int) -> str:
    return conditional_object.key(environment, folder, f"{number:0{_DIGITS}}.json")
