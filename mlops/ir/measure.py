"""The record of a measure: what is asked of CloudWatch to judge a variant by, and what the answers mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


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
class Measure:
    """``settings`` is a frozen dataclass whose fields are keys of the measure's table beside its limits. ``queries``
    are by a name of their own; ``value`` makes one number of their answers, None where the period says nothing.
    ``limit`` reads a limit as it is written and raises ValueError with a sentence; ``said`` writes a value for
    people. ``counted`` is of a share: of how many requests it is, and how many of them did it; so two variants can be
    compared."""

    name: str
    summary: str
    settings: type[Any]
    queries: Callable[[Any, Judged], Mapping[str, Query]]
    value: Callable[[Any, Answers], float | None]
    limit: Callable[[str | float], float]
    said: Callable[[float], str]
    counted: Callable[[Any, Answers], tuple[float, float] | None] | None = None


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


def said_share(value: float) -> str:
    """
    >>> said_share(0.0123)
    '1.23 %'
    """
    return f"{100 * value:.3g} %"
