"""An endpoint at one moment, as somebody who watches it wants to see it: shares, requests, errors and latency of each
variant, and how far a shift has come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mlops.account import Account, answers
from mlops.deploy.endpoints.telling import told_move
from mlops.deploy.measures import measures
from mlops.deploy.shifting import cloudwatch, seeing
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.deciding import period_of
from mlops.deploy.shifting.journal import Journal
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide
from mlops.ir.measure import Answers, Judged, Query
from mlops.ir.shift import Bake, Mirror, Weigh
from mlops.project.environments import Environment

_SHOWN = ("requests", "errors", "latency")
"""Measures, with their usual settings."""


@dataclass(frozen=True, slots=True)
class VariantLook:
    """``share`` of the traffic in percent. ``requests`` in the period; ``errors`` is a share of them, ``latency`` its
    99th percentile in seconds; None where the period says nothing."""

    variant: str
    share: float
    instances: int | None
    requests: float | None
    errors: float | None
    latency: float | None


@dataclass(frozen=True, slots=True)
class ShiftLook:
    """``id`` is one shift's. ``stage`` of ``stages``, 0 before the first; ``left`` is how many seconds of its look are
    to come, None where nothing is looked at; ``doing`` is the move that is under way."""

    id: str
    group: str
    version: int
    by: str
    phase: str
    stage: int
    stages: int
    left: float | None
    doing: str | None
    reason: str | None

    @property
    def is_over(self) -> bool:
        return self.phase in ("shifted", "taken back")


@dataclass(frozen=True, slots=True)
class Look:
    """``period`` is how many seconds the numbers are of, that ended ``until``. ``shift`` is the last one."""

    at: datetime
    endpoint: str
    status: str
    config: str
    period: int
    until: datetime
    variants: tuple[VariantLook, ...]
    shift: ShiftLook | None


def look(account: Account, environment: Environment, name: str, *, now: float, period: float, lag: float) -> Look:
    """``lag`` is how many seconds metrics may come late. Raises UsageError where there is no such endpoint."""
    with answers():
        there = seeing.see(account.client("sagemaker"), name)
        if there is None:
            raise UsageError(f"there is no endpoint {name!r}")
        stored = journals.read(account, environment, name)
        whole = period_of(period)
        end = math.floor((now - lag) / whole) * whole
        serving = there.serving
        variants = () if serving is None else serving.variants
        numbers = _numbers(account, name, [item.name for item in variants], end - whole, end)
    return Look(
        datetime.fromtimestamp(now, UTC),
        name,
        there.status,
        there.config,
        whole,
        datetime.fromtimestamp(end, UTC),
        tuple(
            VariantLook(
                item.name,
                0.0 if serving is None else serving.share(item.name),
                item.count,
                *(numbers[item.name][measure] for measure in _SHOWN),
            )
            for item in variants
        ),
        None if stored is None else shift_look(stored.journal, now),
    )


def shift_look(journal: Journal, now: float) -> ShiftLook:
    done = journal.moves[: journal.done]
    under_way = journal.moves[journal.done] if journal.done < len(journal.moves) else None
    going = journal.phase == "shifting"
    left = None
    if isinstance(under_way, Bake | Mirror) and journal.since is not None and going:
        left = max(0.0, journal.since + under_way.seconds - now)
    return ShiftLook(
        journal.id or f"{journal.version}-{journal.old.config}",
        journal.group,
        journal.version,
        journal.by,
        "paused" if journal.wish == "pause" and going else journal.phase,
        sum(isinstance(move, Weigh) for move in done),
        sum(isinstance(move, Weigh) for move in journal.moves),
        left,
        told_move(under_way) if under_way is not None and going else None,
        hide(journal.wish_reason or journal.reason),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """A measure of each variant over time: seconds since 1970 and its value, nothing of periods that say nothing."""

    measure: str
    variants: Mapping[str, tuple[tuple[float, float], ...]]


def courses(
    account: Account, name: str, variants: Sequence[str], start: float, end: float, period: int
) -> list[Course]:
    """Requests, errors and latency of an endpoint; ``period`` in seconds."""
    with answers():
        found = _answers(account, name, variants, start, end, period)
    courses = []
    for shown in _SHOWN:
        measure = measures()[shown]
        settings = measure.settings()
        points: dict[str, tuple[tuple[float, float], ...]] = {}
        for variant in variants:
            values = [(at, measure.value(settings, told)) for at, told in sorted(found[variant, shown].items())]
            points[variant] = tuple((float(at), value) for at, value in values if value is not None)
        courses.append(Course(shown, points))
    return courses


def _numbers(
    account: Account, endpoint: str, variants: Sequence[str], start: float, end: float
) -> Mapping[str, Mapping[str, float | None]]:
    """By variant and measure, in one question."""
    found = _answers(account, endpoint, variants, start, end, round(end - start))
    numbers: dict[str, dict[str, float | None]] = {}
    for variant in variants:
        for name in _SHOWN:
            measure = measures()[name]
            settings = measure.settings()
            told = next(iter(found[variant, name].values()), None)
            none = dict.fromkeys(measure.queries(settings, Judged(endpoint, variant)))
            numbers.setdefault(variant, {})[name] = measure.value(settings, none if told is None else told)
    return numbers


def _answers(
    account: Account, endpoint: str, variants: Sequence[str], start: float, end: float, period: int
) -> Mapping[tuple[str, str], Mapping[int, Answers]]:
    """By variant and measure, and by the second at which a period begins."""
    asked: dict[str, tuple[str, str, str]] = {}
    queries: dict[str, Query] = {}
    keys: dict[tuple[str, str], tuple[str, ...]] = {}
    for variant in variants:
        for name in _SHOWN:
            measure = measures()[name]
            wanted = measure.queries(measure.settings(), Judged(endpoint, variant))
            keys[variant, name] = tuple(wanted)
            for key, query in wanted.items():
                number = f"q{len(queries)}"
                asked[number], queries[number] = (variant, name, key), query
    found: dict[tuple[str, str], dict[int, dict[str, float | None]]] = {pair: {} for pair in keys}
    if queries:
        for number, at, value in cloudwatch.values(account.client("cloudwatch"), queries, start, end, period):
            variant, name, key = asked[number]
            told = found[variant, name].setdefault(at, dict.fromkeys(keys[variant, name]))
            told[key] = value
    return found
