"""What a shadow's answers say beside those of production: pure functions of the pairs that were seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from mlops.account import ShadowPair
from mlops.deploy.outcomes.files import rows
from mlops.deploy.outcomes.right import is_wrong
from mlops.deploy.shifting.mirroring import OK, agrees
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.statistics import pairs as evidence
from mlops.statistics.betting import goal

ALPHA = 0.05
"""Of shadows that are no worse, and of those that are no better, at most so many are called so, however often it is
looked at."""
_LOOK = 100

Verdict = Literal["worse", "better", "undecided"]


@dataclass(frozen=True, slots=True)
class Held:
    """On how many of ``pairs`` only the one was wrong."""

    pairs: int
    only_shadow: int
    only_production: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Spread:
    """Of what is there; None where nothing is."""

    median: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class Shadowed:
    """``unknown``: requests that the shadow was too slow for or that found no room. ``failed`` holds the two by errors,
    ``labels`` by what was right, as far as that is known; ``unreadable`` answers have no single value to hold against a
    label. ``distances`` are in the numbers of the answers, times in milliseconds."""

    config: str
    variant: str
    shadow: str
    pairs: int
    unknown: int
    disagreeing: tuple[ShadowPair, ...]
    failed: Held
    distances: Spread | None
    milliseconds: Spread | None
    shadow_milliseconds: Spread | None
    labels: Held | None = None
    unreadable: int = 0


def judge(
    pairs: Iterable[ShadowPair],
    unknown: int,
    labels: Mapping[str, str] | None = None,
    *,
    within: float = 0.0,
    threshold: float = 0.5,
) -> Shadowed | None:
    """Of the shadow that answered last; None where none has. Answers whose numbers differ by at most ``within`` are the
    same. ``labels`` are by inference id; a score from ``threshold`` on is the label 1."""
    found: list[ShadowPair] = []
    for pair in pairs:
        if found and (pair.config, pair.variant, pair.shadow) != (found[0].config, found[0].variant, found[0].shadow):
            found = []
        found.append(pair)
    if not found:
        return None
    labelled = [
        (label, pair)
        for pair in found
        if labels is not None and pair.inference_id and (label := labels.get(pair.inference_id)) is not None
    ]
    wrong = [
        (
            _is_wrong(pair.shadow_status, pair.shadow_answer, label, threshold),
            _is_wrong(pair.status, pair.answer, label, threshold),
        )
        for label, pair in labelled
    ]
    known = [(new, old) for new, old in wrong if new is not None and old is not None]
    answered = [pair for pair in found if pair.status == pair.shadow_status == OK]
    return Shadowed(
        found[0].config,
        found[0].variant,
        found[0].shadow,
        len(found),
        unknown,
        tuple(pair for pair in found if not agrees(pair, within)),
        _held([(pair.shadow_status != OK, pair.status != OK) for pair in found]),
        _spread([pair.distance for pair in answered if pair.distance is not None]),
        _spread([pair.microseconds / 1000 for pair in answered]),
        _spread([pair.shadow_microseconds / 1000 for pair in answered]),
        None if labels is None else _held(known),
        len(wrong) - len(known),
    )


def labels_of(text: str, place: str) -> dict[str, str]:
    """Of a CSV with the columns inference_id and label, or of JSON Lines with these members; the last of an id counts.
    Raises UsageError with the line."""
    found: dict[str, str] = {}
    for number, row in rows(text, place):
        name, label = row.get("inference_id"), row.get("label")
        if (
            not isinstance(name, str | int)
            or isinstance(name, bool)
            or name == ""
            or isinstance(label, dict | list)
            or label in (None, "")
        ):
            raise UsageError(
                f"{place}:{number} has no inference_id and label",
                hint='give a CSV with these two columns, or lines as {"inference_id": "order-1", "label": 1}',
            )
        found[str(name)] = str(int(label) if isinstance(label, bool) else label)
    return found


def _is_wrong(status: int, answer: str | None, label: str, threshold: float) -> bool | None:
    """None where that cannot be said. What failed is wrong."""
    return True if status != OK else is_wrong(answer, label, threshold)


def _held(wrong: Sequence[tuple[bool, bool]]) -> Held:
    """``wrong``: whether the shadow was, and whether production was."""
    looks = []
    for start in range(0, len(wrong), _LOOK):
        part = wrong[start : start + _LOOK]
        only_new = sum(new and not old for new, old in part)
        only_old = sum(old and not new for new, old in part)
        looks.append(evidence.Look(len(part), only_new, only_old))
    turned = [evidence.Look(look.pairs, look.only_old_wrong, look.only_new_wrong) for look in looks]
    verdict: Verdict = "undecided"
    if max(evidence.worse(looks, alpha=ALPHA), default=0.0) >= goal(ALPHA):
        verdict = "worse"
    elif max(evidence.worse(turned, alpha=ALPHA), default=0.0) >= goal(ALPHA):
        verdict = "better"
    only_new, only_old = sum(look.only_new_wrong for look in looks), sum(look.only_old_wrong for look in looks)
    return Held(len(wrong), only_new, only_old, verdict)


def _spread(values: list[float]) -> Spread | None:
    if not values:
        return None
    values = sorted(values)
    return Spread(values[(len(values) - 1) // 2], values[math.ceil(0.99 * len(values)) - 1], values[-1])
