"""What a sound pattern waits for in vain: a kind of event that its source has not, a member or a status that is never
told. A sentence each, and how to go on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlops.ir.choices import near
from mlops.knowledge.eventbridge.event_patterns import DETAIL_TYPES
from mlops.knowledge.eventbridge.known_events import COMPLETE, DETAILS, VALUES

_ALIKE = 0.83
"""Kinds of event that are others share their first and last words."""
_A_SLIP = 0.92
"""TuningJobArn is another member than TrainingJobArn."""


def never_told(pattern: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """
    >>> [(fault, mend)] = never_told({"source": ["sagemaker"]})
    >>> fault, mend
    ("there is no source 'sagemaker'", 'write aws.sagemaker')
    """
    sources, kinds = texts(pattern.get("source")), texts(pattern.get("detail-type"))
    for source in sources:
        if f"aws.{source}" in DETAIL_TYPES:
            yield f"there is no source {source!r}", f"write aws.{source}"
    known = [kind for source in sources for kind in DETAIL_TYPES.get(source, ())]
    if sources and all(source in DETAIL_TYPES for source in sources):
        for kind in kinds:
            elsewhere = next((source for source, names in DETAIL_TYPES.items() if kind in names), None)
            guess = _alike(kind, known, _ALIKE) if kind not in known else None
            if kind not in known and elsewhere is not None:
                yield f"{kind!r} is of {elsewhere}, not of {', '.join(sources)}", f'write source = ["{elsewhere}"]'
            elif guess is not None:
                yield f"{', '.join(sources)} has no detail-type {kind!r}", f"did you mean {guess!r}?"
    detail = pattern.get("detail")
    if len(kinds) == 1 and isinstance(detail, Mapping):
        yield from _members(kinds[0], detail)


def texts(value: Any) -> list[str]:
    """Those of a field's matches that are no comparisons."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _alike(name: str, known: Iterable[str], cutoff: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=cutoff)), None)


def _members(kind: str, detail: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    known = DETAILS.get(kind, frozenset())
    for name, wanted in detail.items():
        guess = None
        if name not in known and name != "$or":
            guess = near(name, known) if kind in COMPLETE else _alike(name, known, _A_SLIP)
        if guess is not None:
            yield f"{kind} has no {name!r} in its detail", f"did you mean {guess!r}?"
        values = VALUES.get((kind, name))
        for value in texts(wanted) if values is not None else ():
            if value not in (values or ()):
                yield f"{name} is never {value!r}", f"it is one of {', '.join(sorted(values or ()))}"
