"""The new version against what serves, over all stages until now: which of the two fails more often, by evidence that
may be looked at at any time (:mod:`mlops.statistics`).

What is compared is counted in whole periods of the stages, so that everybody who looks sees the same. A period in which
the shares changed is left out, for then neither the counts nor the rates of the two belong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from mlops.ir.duration import said as said_duration
from mlops.statistics import planning, rates, split
from mlops.statistics.betting import goal
from mlops.statistics.rates import Look, Planned

Undecided: TypeAlias = Literal["go-on", "back"]
Window: TypeAlias = tuple[float, float]
"""From when to when a stage was looked at, in seconds since 1970."""
_RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_MISSHARED = 0.001
"""How often a split that is as was asked may be called another one."""
WORTH = 0.8
"""The power that is told before a shift begins."""
USUAL_PERIODS = 60
"""Before the shift: how much traffic there is, and how often it fails, is taken from as many periods."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Red where the new version is worse by more than ``times``; of versions that are not, at most ``false_alarms`` are
    called so, however often one looks. ``undecided``: what a shift does at the end where it is proven neither to be
    worse nor to be no worse than that."""

    times: float = 1.0
    false_alarms: float = 0.05
    undecided: Undecided = "go-on"

    def __post_init__(self) -> None:
        if not self.times > 0:
            raise ValueError(f"times = {self.times:g}: more than 0")
        if not 0 < self.false_alarms <= 0.5:
            raise ValueError(f"false_alarms = {self.false_alarms:g}: more than 0, and at most 50 %")


@dataclass(frozen=True, slots=True)
class Usual:
    """Before the shift, in a period: ``requests``, of which ``rate`` did it."""

    requests: float
    rate: float


@dataclass(frozen=True, slots=True)
class Compared:
    new_requests: int
    new_hits: int
    old_requests: int
    old_hits: int
    worse: bool
    no_worse: bool
    misshared: bool

    @property
    def split(self) -> str:
        share = self.new_requests / max(1, self.new_requests + self.old_requests)
        return f"{_percent(share)} of the requests went to the new version"

    @property
    def told(self) -> str:
        return f"{_share(self.new_hits, self.new_requests)}, {_share(self.old_hits, self.old_requests)} by what serves"


def compare(
    comparison: Comparison,
    looks: Sequence[Look],
    asked: Sequence[float],
    planned: Sequence[Planned] = (),
    usual: Usual | None = None,
) -> Compared:
    """``asked``: the share of requests, from 0 to 1, that the new version was to have in each look."""
    rate = usual.rate if usual is not None else None
    evidence = rates.worse(looks, planned, times=comparison.times, alpha=comparison.false_alarms, usual=rate)
    opposite = rates.better(looks, planned, times=comparison.times, alpha=comparison.false_alarms, usual=rate)
    enough = goal(comparison.false_alarms)
    return Compared(
        sum(look.new_requests for look in looks),
        sum(look.new_hits for look in looks),
        sum(look.old_requests for look in looks),
        sum(look.old_hits for look in looks),
        max(evidence, default=0.0) >= enough,
        max(opposite, default=0.0) >= enough,
        _mismatch(looks, asked) >= goal(_MISSHARED),
    )


def _mismatch(looks: Sequence[Look], asked: Sequence[float]) -> float:
    stages = []
    for share in dict.fromkeys(asked):
        of_it = [look for look, at in zip(looks, asked, strict=True) if at == share]
        counts = {"new": sum(look.new_requests for look in of_it), "old": sum(look.old_requests for look in of_it)}
        stages.append((counts, {"new": share, "old": 1 - share}))
    return split.log_mismatch_of(stages)


def look(new: tuple[float, float] | None, old: Sequence[tuple[float, float] | None]) -> Look:
    """Of one period, by requests and hits of each variant; None is no traffic."""
    new_requests, new_hits = _whole(new)
    together = [_whole(item) for item in old]
    return Look(new_requests, new_hits, sum(item[0] for item in together), sum(item[1] for item in together))


def periods(window: Window, period: int, *, delay: float, until: float) -> Sequence[int]:
    """When its whole periods begin, as far as they are over; ``delay`` after its beginning is left out."""
    since, end = window
    return range(math.ceil((since + delay) / period) * period, math.floor(min(end, until) / period) * period, period)


def plan(stages: Sequence[tuple[float, float]], period: int, usual: Usual | None) -> tuple[Planned, ...]:
    """A look for each period of stages, given by their share in percent and their seconds."""
    if usual is None:
        return ()
    return tuple(
        Planned(usual.requests, share / 100) for share, seconds in stages for _ in range(math.floor(seconds / period))
    )


def usual(counted: Sequence[tuple[float, float] | None]) -> Usual | None:
    """Of the periods before; None where there was no traffic."""
    together = [_whole(item) for item in counted]
    requests, hits = sum(item[0] for item in together), sum(item[1] for item in together)
    return Usual(requests / len(together), hits / requests) if requests else None


def outlook(comparison: Comparison, planned: Sequence[Planned], usual: Usual | None, period: int) -> str:
    """What the shift will find, told before it begins."""
    if usual is None:
        return "there was no traffic before, so nobody knows what the comparison will find"
    expected = sum(item.requests for item in planned if 0 < item.share < 1)
    before = (
        f"{usual.requests:,.0f} requests in {said_duration(period)}, {_percent(usual.rate)} of them, before the shift"
    )
    if not usual.rate:
        return f"{before}: a few of the new version's requests are enough to find one that is bad"
    for ratio in _RATIOS:
        found = _power(comparison, tuple(planned), usual.rate, comparison.times * ratio)
        if found >= WORTH:
            return (
                f"{before}: {expected:,.0f} requests of the stages find a version that is {comparison.times * ratio:g} "
                f"times as bad in {100 * found:.0f} % of the cases"
            )
    needed = planning.requests_needed(
        max((item.share for item in planned if item.share < 1), default=0.5),
        usual=usual.rate,
        ratio=comparison.times * 2,
        times=comparison.times,
        alpha=comparison.false_alarms,
    )
    lasts = (
        "" if not usual.requests else f", {said_duration(math.ceil(needed / usual.requests) * period)} at this traffic"
    )
    return (
        f"{before}: {expected:,.0f} requests of the stages find even one that is {_RATIOS[-1]:g} times as bad in less "
        f"than {100 * WORTH:.0f} % of the cases; {comparison.times * 2:g} times as bad takes about {needed:,.0f}{lasts}"
    )


@cache
def _power(comparison: Comparison, planned: tuple[Planned, ...], rate: float, ratio: float) -> float:
    return planning.power(
        planned, usual=rate, ratio=ratio, times=comparison.times, alpha=comparison.false_alarms, tries=100
    )


def _whole(counted: tuple[float, float] | None) -> tuple[int, int]:
    """As they may be compared: a percentile's share of requests is no whole number."""
    if counted is None:
        return 0, 0
    requests = max(0, round(counted[0]))
    return requests, min(requests, max(0, round(counted[1])))


def _share(hits: int, requests: int) -> str:
    return f"{_percent(hits / requests)} of {requests:,} requests" if requests else "no requests"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
