"""A plan in a file, to be applied later: what was looked at and what it came to, no content.

A definition may hold what nobody should carry around, so the file has fingerprints. Applying it plans again from the
source, and refuses unless account and source are what they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Protocol

from mlops.ir import Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.files import write_text

VERSION = 1


class Planned(Protocol):
    """A plan of a pipeline, or of what a file declares beside pipelines."""

    @property
    def name(self) -> str: ...
    @property
    def basis(self) -> str: ...
    @property
    def goal(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def drift(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Promise:
    """One pipeline, or one file's resources by its path: fingerprints of what the account had and of what is to be."""

    pipeline: str
    basis: str
    goal: str
    action: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What the command was given, and what it came to."""

    targets: tuple[str, ...]
    environment: str
    suffix: str | None
    aliases: tuple[str, ...]
    promises: tuple[Promise, ...]


def save(
    file: Path,
    targets: Sequence[str],
    environment: str,
    suffix: str | None,
    aliases: Sequence[str],
    plans: Sequence[Planned],
) -> None:
    """Also a plan of nothing, where no pipeline was touched: applying it does that."""
    promises = tuple(Promise(plan.name, plan.basis, plan.goal, plan.verb) for plan in plans)
    saved = SavedPlan(tuple(targets), environment, suffix, tuple(aliases), promises)
    write_text(file, json.dumps({"version": VERSION, **asdict(saved)}, indent=2) + "\n")


def read(file: Path) -> SavedPlan:
    """Raises UsageError for what is no saved plan."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told.pop("version") != VERSION:
            raise ValueError("it was written by another version of mlops")
        promises = tuple(Promise(*_texts(item[name] for name in _PROMISE)) for item in told["promises"])
        suffix = told["suffix"]
        if suffix is not None:
            (suffix,) = _texts([suffix])
        (environment,) = _texts([told["environment"]])
        return SavedPlan(_texts(told["targets"]), environment, suffix, _texts(told["aliases"]), promises)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} is no saved plan: {error}", hint="`mlops plan -o FILE` writes one") from None


_PROMISE = tuple(field.name for field in fields(Promise))


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    found = () if isinstance(values, str) else tuple(values)
    if isinstance(values, str) or not all(isinstance(value, str) for value in found):
        raise ValueError("a list of texts is expected")
    return tuple(map(str, found))


def hold(saved: SavedPlan, plans: Sequence[Planned]) -> None:
    """Raises Refusal where the account or the source has moved since the plan was saved."""
    promised = {promise.pipeline: promise for promise in saved.promises}
    found = {plan.name for plan in plans}
    moved = [f"{name}: the source has it no more" for name in promised if name not in found]
    for plan in plans:
        promise = promised.get(plan.name)
        if promise is None:
            moved.append(f"{plan.name}: it is not part of the saved plan")
        elif promise.basis != plan.basis:
            same = " and is what the source says: there is nothing to do" if plan.verb == "nothing" else ""
            moved.append(f"{plan.name}: the account has moved since the plan was saved{same if not plan.drift else ''}")
        elif promise.goal != plan.goal:
            moved.append(f"{plan.name}: the source has changed since the plan was saved")
    if moved:
        raise Refusal("\n".join([*moved, "nothing was written"]), hint="plan again with `mlops plan -o FILE`")
