"""The new version against what serves, over all stages until now: which of the two fails more often, by evidence that
may be looked at at any time (:mod:`mlops.statistics`).

What is compared is counted in whole periods of the stages, so that everybody who looks sees the same. A period in which
the shares changed is left out, for then neither the counts nor the rates of the two belong together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from functools import cache, cached_property
from itertools import groupby
from typing import Literal, TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said as said_duration
from mlops.ir.measure import said_number
from mlops.statistics import means, planning, rates, split
from mlops.statistics.betting import goal, reaches_goal
from mlops.statistics.rates import Look, Planned

Undecided: TypeAlias = Literal["go-on", "back"]
Wanted: TypeAlias = Literal["no-worse", "better"]
Window: TypeAlias = tuple[float, float]
"""From when to when a stage was looked at, in seconds since 1970."""
_RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_MISSHARED = 0.001
"""How often a split that is as was asked may be called another one."""
WORTH = 0.8
"""The power that is told before a shift begins."""
_MOST_LOOKS = 120
USUAL_PERIODS = 60
"""Before the shift: how much traffic there is, and how often it fails, is taken from as many periods."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Red where the new version is worse by more than ``times``, or, of a mean, by more than ``by``; of versions that
    are not, at most ``false_alarms`` are called so, however often one looks. ``undecided``: what a shift does at the
    end where it is proven neither to be worse nor to be what is ``wanted``: no worse than that, or better than what
    serves. ``enough`` requests of each version are needed. ``slices`` are values of attributes of the requests, each of
    which is compared by itself as well; ``worse_slice`` says whether one of them takes the version back."""

    times: float = 1.0
    false_alarms: float = 0.05
    undecided: Undecided = "go-on"
    by: float = 0.0
    better: Literal["higher", "lower"] = "higher"
    wanted: Wanted = "no-worse"
    enough: int = 1
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    worse_slice: Literal["back", "tell"] = "back"

    def __post_init__(self) -> None:
        if not 0 < self.times < math.inf:
            raise ValueError(f"times = {self.times:g}: more than 0")
        if not 0 < self.false_alarms <= 0.5:
            raise ValueError(f"false_alarms = {self.false_alarms:g}: more than 0, and at most 50 %")
        if not (self.by >= 0 and math.isfinite(self.by)):
            raise ValueError(f"by = {self.by:g}: 0 or more")

    @property
    def slice_names(self) -> Sequence[str]:
        return [f"{name}={value}" for name, values in self.slices.items() for value in values]

    @property
    def doubt(self) -> float:
        """Of the whole; slices have as much together."""
        return self.false_alarms / 2 if self.slice_names else self.false_alarms

    @property
    def slice_doubt(self) -> float:
        return self.false_alarms / 2 / max(1, len(self.slice_names))

    @property
    def limit(self) -> str:
        """As people read it, after "worse"."""
        if self.by:
            return f" by more than {self.by:g}"
        return f" by more than {self.times:g} times" if self.times != 1 else ""


@dataclass(frozen=True, slots=True)
class Usual:
    """Before the shift, in a period: ``requests``, of which ``rate`` did it."""

    requests: float
    rate: float


@dataclass(frozen=True, slots=True)
class UsualMean:
    """Before the shift, in a period: ``requests`` of such a mean and variance."""

    requests: float
    mean: float
    variance: float


@dataclass(frozen=True)
class Compared:
    """``told`` is what each of the two did, as people read it. ``finds`` is how far beyond the limit a difference has
    to lie to be found in so many requests. ``_proven`` asks whether the evidence that it is no worse reaches what is
    enough, and ``_proven_better`` that it is better: most looks ask for neither, and each takes as long as all else."""

    new_requests: int
    old_requests: int
    told: str
    worse: bool
    finds: str
    _proven: Callable[[], bool]
    _proven_better: Callable[[], bool] | None
    """None where that is the same."""

    @cached_property
    def no_worse(self) -> bool:
        return self._proven()

    @cached_property
    def better(self) -> bool:
        return self.no_worse if self._proven_better is None else self._proven_better()


def compare(
    comparison: Comparison,
    looks: Sequence[Look],
    planned: Sequence[Planned] = (),
    usual: Usual | None = None,
    doubt: float | None = None,
) -> Compared:
    """Shares of requests, with a ``doubt`` that is the comparison's own where no other is given."""
    rate = usual.rate if usual is not None else None
    alpha = comparison.doubt if doubt is None else doubt

    def reached(times: float, *, better: bool) -> bool:
        return reaches_goal(rates.tosses(looks, planned, times=times, usual=rate, better=better), alpha)

    new_requests, old_requests = sum(look.new_requests for look in looks), sum(look.old_requests for look in looks)
    new_hits, old_hits = sum(look.new_hits for look in looks), sum(look.old_hits for look in looks)
    return Compared(
        new_requests,
        old_requests,
        f"{_share(new_hits, new_requests)}, {_share(old_hits, old_requests)} by what serves",
        reached(comparison.times, better=False),
        _rate_found(comparison, new_requests, old_requests, new_hits + old_hits, alpha),
        lambda: reached(comparison.times, better=True),
        None if comparison.times == 1 else lambda: comparison.wanted == "better" and reached(1.0, better=True),
    )


def compare_means(
    comparison: Comparison,
    looks: Sequence[means.Look],
    bounds: means.Bounds,
    planned: Sequence[Planned] = (),
    usual: UsualMean | None = None,
    doubt: float | None = None,
) -> Compared:
    """The same of means of what lies between bounds."""
    alpha = comparison.doubt if doubt is None else doubt
    plan_ = [(item.requests, item.share) for item in planned]
    known = None if usual is None else means.Usual(usual.mean, usual.variance)
    lower = comparison.better == "lower"

    def reached(of: Sequence[means.Look], ahead: Sequence[tuple[float, float]], by: float, turned: bool) -> bool:
        found = means.worse(of, bounds, ahead, by=by, lower_is_better=turned, alpha=alpha, usual=known)
        return max(found, default=0.0) >= goal(alpha)

    new, old = _summed(look.new for look in looks), _summed(look.old for look in looks)
    return Compared(
        new.count,
        old.count,
        f"{new.told}, {old.told} by what serves",
        reached(looks, plan_, comparison.by, lower),
        _mean_found(new, old, alpha),
        # What is worse of the one by less than nothing is better of the other.
        lambda: reached(looks, plan_, -comparison.by, not lower),
        None if not comparison.by else lambda: comparison.wanted == "better" and reached(looks, plan_, 0.0, not lower),
    )


def evidence(
    comparison: Comparison,
    looks: Sequence[Look],
    planned: Sequence[Planned] = (),
    usual: Usual | None = None,
    *,
    better: bool = False,
) -> tuple[float, ...]:
    """After each look, that the new version is worse, or ``better``; :meth:`Comparison.doubt` says what is enough."""
    rate, alpha = usual.rate if usual is not None else None, comparison.doubt
    if better:
        return rates.better(looks, planned, alpha=alpha, usual=rate)
    return rates.worse(looks, planned, times=comparison.times, alpha=alpha, usual=rate)


def evidence_of_means(
    comparison: Comparison,
    looks: Sequence[means.Look],
    bounds: means.Bounds,
    planned: Sequence[Planned] = (),
    usual: UsualMean | None = None,
    *,
    better: bool = False,
) -> tuple[float, ...]:
    """The same of means."""
    return means.worse(
        looks,
        bounds,
        [(item.requests, item.share) for item in planned],
        by=0.0 if better else comparison.by,
        lower_is_better=(comparison.better == "lower") is not better,
        alpha=comparison.doubt,
        usual=None if usual is None else means.Usual(usual.mean, usual.variance),
    )


@dataclass(frozen=True, slots=True)
class _Sum:
    count: int
    mean: float
    variance: float

    @property
    def told(self) -> str:
        return f"{said_number(self.mean)} in the mean of {_requests(self.count)}" if self.count else "no requests"


def _summed(seen: Iterable[Mapping[float, int]]) -> _Sum:
    together: Counter[float] = Counter()
    for values in seen:
        together.update(values)
    count = sum(together.values())
    if not count:
        return _Sum(0, 0.0, 0.0)
    mean = math.fsum(value * times for value, times in together.items()) / count
    return _Sum(count, mean, math.fsum(times * (value - mean) ** 2 for value, times in together.items()) / count)


def _mean_found(new: _Sum, old: _Sum, alpha: float) -> str:
    whole = new.count + old.count
    if not new.count or not old.count:
        return "anything"
    variance = (new.variance * new.count + old.variance * old.count) / whole
    smallest = means.smallest_found([(float(whole), new.count / whole)], variance, alpha=alpha, wanted=WORTH)
    return f"{smallest:.2g} more"


def _rate_found(comparison: Comparison, new: int, old: int, hits: int, alpha: float) -> str:
    """The least ratio that so many requests find."""
    if not new or not old or not hits:
        return "anything"
    share, usual = new / (new + old), hits / (new + old)
    for ratio in _RATIOS:
        needed = planning.requests_needed(
            share, usual=usual, ratio=comparison.times * ratio, times=comparison.times, alpha=alpha, wanted=WORTH
        )
        if needed <= new + old:
            return f"{comparison.times * ratio:g} times as many"
    return f"{comparison.times * _RATIOS[-1]:g} times as many"


def is_misshared(counts: Sequence[tuple[int, int]], asked: Sequence[float]) -> bool:
    """``counts`` are requests of the new version and of what serves, look by look; ``asked`` the share, from 0 to 1,
    that the new one was to have of them."""
    return _mismatch(counts, asked) >= goal(_MISSHARED)


def split_told(counts: Sequence[tuple[int, int]]) -> str:
    new, old = sum(item[0] for item in counts), sum(item[1] for item in counts)
    return f"{_percent(new / max(1, new + old))} of the requests went to the new version"


def _mismatch(counts: Sequence[tuple[int, int]], asked: Sequence[float]) -> float:
    stages = []
    for share in dict.fromkeys(asked):
        of_it = [item for item, at in zip(counts, asked, strict=True) if at == share]
        served = {"new": sum(new for new, _ in of_it), "old": sum(old for _, old in of_it)}
        stages.append((served, {"new": share, "old": 1 - share}))
    return split.log_mismatch_of(stages)


def look(new: tuple[float, float] | None, old: Sequence[tuple[float, float] | None]) -> Look:
    """Of one period, by requests and hits of each variant; None is no traffic."""
    new_requests, new_hits = _whole(new)
    old_requests, old_hits = 0, 0
    for item in old:
        requests, hits = _whole(item)
        old_requests, old_hits = old_requests + requests, old_hits + hits
    return Look(new_requests, new_hits, old_requests, old_hits)


def periods(window: Window, period: int, *, delay: float, until: float) -> Sequence[int]:
    """When its whole periods begin, as far as they are over; ``delay`` after its beginning is left out."""
    since, end = window
    return range(math.ceil((since + delay) / period) * period, math.floor(min(end, until) / period) * period, period)


def plan(stages: Sequence[tuple[float, float]], period: int, usual: Usual | UsualMean | None) -> tuple[Planned, ...]:
    """A look for each period of stages, given by their share in percent and their seconds."""
    if usual is None:
        return ()
    return tuple(
        Planned(usual.requests, share / 100) for share, seconds in stages for _ in range(math.floor(seconds / period))
    )


def block_of(periods: float) -> int:
    """How many of so many periods are looked at together, so that there are a hundred looks or so."""
    return max(1, math.ceil(periods / _MOST_LOOKS))


def in_blocks(planned: Sequence[Planned], block: int) -> Sequence[Planned]:
    """So many looks of one share as one."""
    found: list[Planned] = []
    for share, same in groupby(planned, key=lambda item: item.share):
        of_it = list(same)
        found.extend(
            Planned(sum(item.requests for item in of_it[start : start + block]), share)
            for start in range(0, len(of_it), block)
        )
    return found


def usual(counted: Sequence[tuple[float, float] | None]) -> Usual | None:
    """Of the periods before; None where there was no traffic."""
    together = [_whole(item) for item in counted]
    requests, hits = sum(item[0] for item in together), sum(item[1] for item in together)
    return Usual(requests / len(together), hits / requests) if requests else None


def usual_mean(seen: Sequence[Mapping[float, int]], variants: int) -> UsualMean | None:
    """Of the periods before of so many variants; None where there was nothing."""
    found = _summed(seen)
    return UsualMean(found.count * variants / len(seen), found.mean, found.variance) if found.count else None


def unknown_outlook(seen: int) -> str:
    """Of a measure of what becomes of requests, where nothing is known of those before, and so many were captured."""
    nobody = "so nobody knows what the comparison will find"
    if not seen:
        return f"nothing became of requests before: none was captured, {nobody}"
    of_them = "it" if seen == 1 else "them"
    return f"{_requests(seen)} before, and what became of {of_them} is not known, {nobody}"


def outlook_of_means(comparison: Comparison, planned: Sequence[Planned], usual: UsualMean | None, period: int) -> str:
    """As :func:`outlook`."""
    if usual is None:
        return unknown_outlook(0)
    mean, deviation = said_number(usual.mean), math.sqrt(usual.variance)
    spread = f"{mean} in the mean (a deviation of {deviation:.2g})" if deviation else f"{mean} for each"
    before = f"{_requests(usual.requests)} in {said_duration(period)}, {spread}, before the shift"
    plan_ = [(item.requests, item.share) for item in planned]
    expected = sum(requests for requests, share in plan_ if 0 < share < 1)
    smallest = means.smallest_found(plan_, usual.variance, alpha=comparison.doubt, wanted=WORTH)
    if not smallest or not math.isfinite(smallest):
        return f"{before}: a few requests are enough to find another mean" if not smallest else before
    seconds = sum(period for _, share in plan_ if 0 < share < 1)
    which = "that is better" if comparison.wanted == "better" else "that is worse"
    return (
        f"{before}: {_requests(expected)} of the stages {_finds(expected)} a version {which} by "
        f"{smallest + (comparison.by if comparison.wanted == 'no-worse' else 0):.2g} in {100 * WORTH:.0f} % of the "
        f"cases; by half of that takes about {4 * expected:,.0f}, {said_duration(4 * seconds)} at this traffic"
    )


def outlook(comparison: Comparison, planned: Sequence[Planned], usual: Usual | None, period: int) -> str:
    """What the shift will find, told before it begins."""
    if usual is None:
        return "there was no traffic before, so nobody knows what the comparison will find"
    expected = sum(item.requests for item in planned if 0 < item.share < 1)
    before = f"{_requests(usual.requests)} in {said_duration(period)}, {_percent(usual.rate)} of them, before the shift"
    if not usual.rate:
        return f"{before}: a few of the new version's requests are enough to find one that is bad"
    looks = tuple(in_blocks(planned, block_of(len(planned))))
    for ratio in _RATIOS:
        found = _power(comparison, looks, usual.rate, comparison.times * ratio)
        if found >= WORTH:
            return (
                f"{before}: {_requests(expected)} of the stages {_finds(expected)} a version that is "
                f"{comparison.times * ratio:g} times as bad in {100 * found:.0f} % of the cases"
            )
    needed = planning.requests_needed(
        max((item.share for item in planned if item.share < 1), default=0.5),
        usual=usual.rate,
        ratio=comparison.times * 2,
        times=comparison.times,
        alpha=comparison.doubt,
    )
    lasts = (
        "" if not usual.requests else f", {said_duration(math.ceil(needed / usual.requests) * period)} at this traffic"
    )
    twice = f"{comparison.times * 2:g} times as bad takes about {needed:,.0f}{lasts}"
    return (
        f"{before}: {_requests(expected)} of the stages {_finds(expected)} even one that is {_RATIOS[-1]:g} times "
        f"as bad in less than {100 * WORTH:.0f} % of the cases; {twice}"
    )


@cache
def _power(comparison: Comparison, planned: tuple[Planned, ...], rate: float, ratio: float) -> float:
    return planning.power(planned, usual=rate, ratio=ratio, times=comparison.times, alpha=comparison.doubt, tries=100)


def _whole(counted: tuple[float, float] | None) -> tuple[int, int]:
    """As they may be compared: a percentile's share of requests is no whole number."""
    if counted is None:
        return 0, 0
    requests, hits = round(counted[0]), round(counted[1])
    if 0 <= hits <= requests:
        return requests, hits
    requests = max(0, requests)
    return requests, min(requests, max(0, hits))


def _requests(count: float) -> str:
    """
    >>> _requests(1), _requests(0.25), _requests(12000.0)
    ('1 request', '0.25 requests', '12,000 requests')
    """
    told = f"{count:,.0f}" if count >= 10 else f"{count:.2g}"
    return f"{told} request{'' if told == '1' else 's'}"


def _finds(count: float) -> str:
    return "finds" if _requests(count).startswith("1 ") else "find"


def _share(hits: int, requests: int) -> str:
    return f"{_percent(hits / requests)} of {_requests(requests)}" if requests else "no requests"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
