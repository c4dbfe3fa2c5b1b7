"""What a decision was made of, over time: how the evidence against the new version grew, and what was measured of it,
each with the limit from which it decides. Worked out of samples, as the decision is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from mlops.deploy.shifting import deciding, mirroring
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.mirroring import Mirroring
from mlops.deploy.shifting.samples import Samples
from mlops.ir.dataclass import dataclass
from mlops.statistics.betting import goal


@dataclass(frozen=True, slots=True)
class Line:
    """``points`` are of a time in seconds since 1970 and a value. Evidence is told in parts of what is enough, so that
    its limit is 1. ``said`` writes a value for people."""

    name: str
    what: str
    points: tuple[tuple[float, float], ...]
    limits: tuple[float, ...]
    said: Callable[[float], str]


def told_time(at: float) -> str:
    """On the axis, in UTC.

    >>> told_time(0.0)
    '1970-01-01 00:00:00Z'
    """
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"


def lines(rules: Sequence[Rule], mirroring_: Mirroring | None, samples: Samples) -> tuple[Line, ...]:
    """Those that have two points at least; of one nothing is seen."""
    found = [*_of_shadow(mirroring_, samples), *(line for rule in rules for line in _of_rule(rule, samples))]
    return tuple(line for line in found if len(line.points) > 1)


def stages(samples: Samples) -> tuple[tuple[str, float, float], ...]:
    """By their names, from when to when they were looked at."""
    shadow = samples.shadow.looks if samples.shadow is not None else []
    first = [("shadow", shadow[0].since, shadow[-1].now)] if shadow else []
    windows = samples.windows(samples.looks[-1]) if samples.looks else []
    named = [
        (f"{stage.share:g} %", since, until) for stage, (since, until) in zip(samples.stages, windows, strict=False)
    ]
    return (*first, *named)


def _of_shadow(mirroring_: Mirroring | None, samples: Samples) -> Iterator[Line]:
    if samples.shadow is None or mirroring_ is None:
        return
    looks, alpha = samples.shadow.looks, mirroring_.false_alarms
    whole = [look.whole for look in looks]
    for what, wealth in (
        ("it disagrees on too many", mirroring.disagreement(mirroring_, whole, alpha)),
        ("it fails more often", mirroring.failures(whole, alpha)),
    ):
        points = [(look.now, value / goal(alpha)) for look, value in zip(looks, wealth, strict=True)]
        yield _evidence("shadow", what, points, alpha)


def _of_rule(rule: Rule, samples: Samples) -> Iterator[Line]:
    if not samples.looks:
        return
    last = samples.looks[-1]
    windows, until = samples.windows(last), last.now - samples.lag - rule.late
    times = [at for window in windows for at in deciding.periods_of(rule, window, until)]
    if rule.compare is not None and times:
        for better in (False, True) if rule.compare.wanted == "better" else (False,):
            alpha = rule.compare.doubt
            wealth = deciding.evidence(rule, rule.compare, samples, windows, until, better=better)
            points = [(float(at + rule.interval), value / goal(alpha)) for at, value in wealth]
            yield _evidence(rule.name, "it is better" if better else f"it is worse{rule.compare.limit}", points, alpha)
    limits = tuple(limit for limit in (rule.at_most, rule.at_least) if limit is not None)
    if limits:
        seen = samples.of(rule.name, samples.new)
        values = [(at, rule.measure.value(rule.settings, seen[at])) for at in times if at in seen]
        measured = tuple((float(at + rule.interval), value) for at, value in values if value is not None)
        yield Line(rule.name, f"measured, {rule.limit} is wanted", measured, limits, rule.measure.said)


def _evidence(name: str, what: str, points: Sequence[tuple[float, float]], alpha: float) -> Line:
    told = f"evidence that {what}; 1 is enough, with a doubt of at most {100 * alpha:.3g} %"
    return Line(name, told, tuple(points), (1.0,), lambda value: f"{value:.2f}")
