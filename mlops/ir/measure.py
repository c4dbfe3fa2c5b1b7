"""The record of a measure: what is asked of CloudWatch to judge a variant by, and what the answers mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """The variant that is looked at."""

    endpoint: str
    variant: str


@dataclass(frozen=True, slots=True)
class Query:
    """One statistic of one metric, by period."""

    namespace: str
    metric: str
    statistic: str
    dimensions: Mapping[str, str] = field(default_factory=dict)


Answers: TypeAlias = Mapping[str, float | None]
"""Of one period, by the query's name; None where it has no value."""


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a captured request: its answer, where that was captured, and the outcome that was published of
    it."""

    answer: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a measure takes of each request, when ``within`` seconds after it are over: the ``score`` of the outcome of
    this ``name``, None where it has none; ``without`` where no outcome came, None leaves such a request out. What lies
    outside of ``low`` and ``high`` is taken as the bound. Of all requests of one user in that time it is the mean, the
    sum, or the most (``of_user``)."""

    name: str
    within: float
    score: Callable[[Became], float | None]
    low: float = 0.0
    high: float = 1.0
    without: float | None = None
    of_user: Literal["mean", "sum", "most"] = "mean"
    needs_answer: bool = False


REQUESTS, BEYOND = "requests", "beyond"
"""Beside the values, in the answers of a period of such a measure: all requests, and those beyond the bounds."""
_IN_SLICE = ": "


def answers_of(values: Mapping[float, int], requests: int, beyond: int, slice_: str = "") -> dict[str, float | None]:
    """How often each value was seen in a period, as answers; of a slice of the requests where one is named."""
    told = {f"{value:.9g}": float(count) for value, count in sorted(values.items())}
    prefix = f"{slice_}{_IN_SLICE}" if slice_ else ""
    counted = {REQUESTS: float(requests), **({BEYOND: float(beyond)} if beyond else {})}
    return {f"{prefix}{name}": count for name, count in (*counted.items(), *told.items())}


def by_slice(answers: Answers) -> Mapping[str, Answers]:
    """Of the whole, which has no name, and of each slice.

    >>> by_slice({"requests": 9.0, "0.5": 9.0, "kind=new: 0.5": 2.0})
    {'': {'requests': 9.0, '0.5': 9.0}, 'kind=new': {'0.5': 2.0}}
    """
    found: dict[str, dict[str, float | None]] = {"": {}}
    last, of_it = "", found[""]
    for name, count in answers.items():
        slice_, own = _parted(name)
        if slice_ != last:
            last, of_it = slice_, found.setdefault(slice_, {})
        of_it[own] = count
    return found


def all_together(periods: Iterable[Answers]) -> Answers:
    """Of several periods, each value as often as in all of them.

    >>> all_together([{"requests": 2.0, "0.5": 2.0}, {"requests": 1.0, "1": None}])
    {'requests': 3.0, '0.5': 2.0}
    """
    found: dict[str, float] = {}
    before = found.get
    for answers in periods:
        for name, count in answers.items():
            if count is not None:
                found[name] = before(name, 0.0) + count
    return found


def seen_values(answers: Answers) -> Mapping[float, int]:
    """How often each value was seen in the whole.

    >>> seen_values({"requests": 3.0, "beyond": 1.0, "0.5": 2.0, "kind=new: 0.5": 1.0})
    {0.5: 2}
    """
    return {
        value: int(count)
        for name, count in answers.items()
        if count is not None and (value := _value(name)) is not None
    }


@lru_cache(maxsize=4096)
def _parted(name: str) -> tuple[str, str]:
    """The slice that answers are of, and what they are there."""
    slice_, found, own = name.rpartition(_IN_SLICE)
    return (slice_, own) if found else ("", name)


@lru_cache(maxsize=4096)
def _value(name: str) -> float | None:
    """Which value of the whole was seen; None of what counts something else."""
    return None if name in (REQUESTS, BEYOND) or _IN_SLICE in name else float(name)


@dataclass(frozen=True, slots=True)
class Measure:
    """``settings`` is a frozen dataclass whose fields are keys of the measure's table beside its limits. ``queries``
    are by a name of their own; ``value`` makes one number of their answers, None where the period says nothing.
    ``limit`` reads a limit as it is written and raises ValueError with a sentence; ``said`` writes a value for
    people. ``counted`` is of a share: of how many requests it is, and how many of them did it; so two variants can be
    compared. ``outcomes`` is of a measure of what became of requests, which asks CloudWatch nothing.
    ``of_the_server``: the log of the model server says why it is bad. ``expression`` is ``value`` as metric math over
    the queries, for who cannot call it; None where CloudWatch cannot work it out."""

    name: str
    summary: str
    settings: type[Any]
    queries: Callable[[Any, Judged], Mapping[str, Query]]
    value: Callable[[Any, Answers], float | None]
    limit: Callable[[str | float], float]
    said: Callable[[float], str]
    counted: Callable[[Any, Answers], tuple[float, float] | None] | None = None
    outcomes: Callable[[Any], Outcomes] | None = None
    of_the_server: bool = False
    expression: str | None = None


def of_variant(metric: str, statistic: str, judged: Judged, namespace: str = "AWS/SageMaker") -> Query:
    """By the dimensions that the service publishes metrics of a variant with."""
    return Query(namespace, metric, statistic, {"EndpointName": judged.endpoint, "VariantName": judged.variant})


def share(written: str | float) -> float:
    """
    >>> share("1 %"), share(0.01)
    (0.01, 0.01)
    """
    if isinstance(written, str):
        number = written.strip().removesuffix("%").strip()
        try:
            found = float(number) / (100 if written.strip().endswith("%") else 1)
        except ValueError:
            raise ValueError(f'{written!r} is no share; one is, for example, "1%" or 0.01') from None
    else:
        found = float(written)
    if not 0 <= found <= 1:
        raise ValueError(f'{written!r} is no share: that is from 0 to 1, or from "0%" to "100%"')
    return found


def number(written: str | float) -> float:
    if isinstance(written, str):
        raise ValueError(f"{written!r} is no number")
    if not math.isfinite(written):
        raise ValueError(f"{written!r} is no limit")
    return float(written)


def said_number(value: float, digits: int = 4) -> str:
    """Of so many digits, and never as a power of ten where it is large.

    >>> said_number(0.84216), said_number(12345.6), said_number(2000, 3), said_number(1.0)
    ('0.8422', '12346', '2000', '1')
    """
    short = f"{value:.{digits}g}"
    return short if "e+" not in short else f"{value:.0f}"


def said_share(value: float) -> str:
    """
    >>> said_share(0.0123)
    '1.23 %'
    """
    return f"{100 * value:.3g} %"
