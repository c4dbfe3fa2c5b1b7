"""Whether a new version may go on, decided from what was seen: measures against limits, the new version against what
serves, and alarms.

What is judged are whole periods since a stage began, all of them at each look, so that a verdict follows from the
samples alone: whoever takes a shift over comes to the same, and it can be worked out again later, on another machine,
or by other rules. A period without traffic is no success.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias

from mlops.deploy.shifting import comparing
from mlops.deploy.shifting.comparing import Comparison, Window
from mlops.deploy.shifting.samples import Samples
from mlops.deploy.shifting.verdict import Verdict
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said
from mlops.ir.measure import REQUESTS, Answers, Measure, all_together, by_slice, seen_values
from mlops.ir.shift import Bake
from mlops.statistics import means
from mlops.statistics.rates import Look, Planned

Missing: TypeAlias = Literal["unsure", "pass", "fail"]
_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Rule:
    """``at_most`` and ``at_least`` are where success ends; failure begins there too, or at ``fails_above`` and
    ``fails_below``: what lies between is unsure. Times in seconds: a value for each ``interval``, from ``delay`` after
    a stage's beginning. A stage needs ``count`` successes; more than ``failures`` failed, more than ``unsure`` unsure
    periods, and more than ``errors`` questions in a row without an answer are red. ``dry_run``: told, not heeded.
    ``compare`` holds the new version against what serves; such a rule needs no limit."""

    name: str
    measure: Measure
    settings: Any
    at_most: float | None = None
    at_least: float | None = None
    fails_above: float | None = None
    fails_below: float | None = None
    interval: int = 60
    delay: float = 0.0
    count: int = 1
    failures: int = 0
    unsure: int | None = None
    errors: int = 4
    missing: Missing = "unsure"
    dry_run: bool = False
    compare: Comparison | None = None

    def standing(self, value: float | None) -> Literal["success", "failure", "unsure", "nothing"]:
        if value is None:
            named: Mapping[Missing, Literal["success", "failure", "nothing"]] = {
                "unsure": "nothing",
                "pass": "success",
                "fail": "failure",
            }
            return named[self.missing]
        above = self.at_most if self.fails_above is None else self.fails_above
        below = self.at_least if self.fails_below is None else self.fails_below
        if (above is not None and value > above) or (below is not None and value < below):
            return "failure"
        if (self.at_most is not None and value > self.at_most) or (self.at_least is not None and value < self.at_least):
            return "unsure"
        return "success"

    @property
    def late(self) -> float:
        """How long after a request it is known what became of it."""
        return self.measure.outcomes(self.settings).within if self.measure.outcomes is not None else 0.0

    @property
    def limit(self) -> str:
        """As people read it."""
        parts = []
        if self.at_most is not None:
            parts.append(f"at most {self.measure.said(self.at_most)}")
        if self.at_least is not None:
            parts.append(f"at least {self.measure.said(self.at_least)}")
        return " and ".join(parts)


def period_of(seconds: float) -> int:
    """The shortest period that CloudWatch knows and that is no shorter."""
    for period in _PERIODS:
        if seconds <= period:
            return period
    return 60 * math.ceil(seconds / 60)


def judged(
    rule: Rule, values: Sequence[float | None], counts: Sequence[tuple[float, float] | None] | None = None
) -> Verdict:
    """By the values of all periods since the stage began; ``counts`` are the requests that a share is of, and how many
    of them did it."""
    standings = [rule.standing(value) for value in values]
    failed = [number for number, standing in enumerate(standings) if standing == "failure"]
    unsure, good = standings.count("unsure"), standings.count("success")
    if len(failed) > rule.failures:
        worst = values[failed[-1]]
        told = "nothing was measured" if worst is None else rule.measure.said(worst)
        if counts is not None and worst is not None:
            told += _of_how_many(counts[failed[-1]])
        times = f", {len(failed)} of {len(values)} periods" if len(failed) > 1 else ""
        return Verdict("red", f"{rule.name}: {told}, and {rule.limit} is wanted{times}")
    if rule.unsure is not None and unsure > rule.unsure:
        were = f"{counted(unsure, 'period')} {'was' if unsure == 1 else 'were'} neither good nor bad"
        return Verdict("red", f"{rule.name}: {were}, {rule.unsure} may be")
    last = next((value for value in reversed(values) if value is not None), None)
    told = "no value yet" if last is None else rule.measure.said(last)
    if not values:
        told = f"none of {rule.interval:g} s is over"
    if good >= rule.count:
        return Verdict("green", f"{rule.name} {told}")
    silent = bool(values) and last is None
    return Verdict("unsure", f"{rule.name}: {good} of {rule.count} periods were good ({told})", silent)


def _of_how_many(found: tuple[float, float] | None) -> str:
    """
    >>> _of_how_many((12.0, 3.0)), _of_how_many((1.0, 1.0)), _of_how_many(None)
    (' (3 of 12 requests)', ' (1 of 1 request)', '')
    """
    return f" ({round(found[1]):,} of {counted(round(found[0]), 'request')})" if found is not None else ""


def decided(
    rules: Sequence[Rule], alarms: Sequence[str], samples: Samples, windows: Sequence[Window], now: float
) -> Sequence[tuple[Rule | None, Verdict]]:
    """Of the alarms, which are no rule, and of each rule. ``windows`` are the stages until now, the last under way."""
    found: list[tuple[Rule | None, Verdict]] = []
    if alarms:
        found.append((None, _of_alarms(alarms, samples.alarms.get(now, {}))))
    found.extend((rule, _of_rule(rule, samples, windows, now - samples.lag - rule.late)) for rule in rules)
    return found


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of them, with all that are as bad."""
    for standing in ("red", "unsure"):
        found = [verdict for verdict in verdicts if verdict.standing == standing]
        if found:
            silent = all(verdict.silent for verdict in found)
            return Verdict(standing, "; ".join(verdict.why for verdict in found), silent)
    return Verdict("green", ", ".join(verdict.why for verdict in verdicts if verdict.why) or "nothing was asked")


def _of_alarms(names: Sequence[str], states: Mapping[str, str | None]) -> Verdict:
    for name in names:
        state = states.get(name)
        if state is None:
            return Verdict("red", f"the alarm {name} is not there any more")
        if state.startswith("ALARM"):
            return Verdict("red", f"the alarm {name} is in {state}")
    asleep = [name for name in names if states[name] == "INSUFFICIENT_DATA"]
    if asleep:
        return Verdict("unsure", f"the alarm {asleep[0]} has not enough data")
    return Verdict("green", f"{len(names)} alarm{'s' if len(names) > 1 else ''} quiet")


def _of_rule(rule: Rule, samples: Samples, windows: Sequence[Window], until: float) -> Verdict:
    verdicts = []
    if rule.at_most is not None or rule.at_least is not None:
        seen = _answered(rule, samples, samples.new, periods_of(rule, windows[-1], until))
        # Of a time in which the machine slept, that nothing was measured says nothing.
        awake = [
            (value, answers)
            for at, answers in seen.items()
            if (value := rule.measure.value(rule.settings, answers)) is not None
            or not samples.slept(at, at + rule.interval)
        ]
        counts_of_them = [_counted(rule, answers) for _, answers in awake] if rule.measure.counted is not None else None
        verdicts.append(judged(rule, [value for value, _ in awake], counts_of_them))
    if rule.compare is not None:
        verdicts.append(_of_comparison(rule, rule.compare, samples, windows, until))
    return min(verdicts, key=lambda verdict: ("red", "unsure", "green").index(verdict.standing))


def _of_comparison(
    rule: Rule, comparison: Comparison, samples: Samples, windows: Sequence[Window], until: float
) -> Verdict:
    seen = _compared(rule, comparison, samples, windows, until)
    shares = seen.shares
    found = seen.of()
    counts = seen.requests()
    misshared = comparing.is_misshared(counts, shares)
    # A share is of the requests that were counted, and says so of any split; a mean is reckoned by what was asked.
    if found.worse and not (misshared and rule.measure.counted is None):
        doubt = f"{100 * comparison.doubt:.3g} %"
        return Verdict("red", f"{rule.name}: {found.told}: worse{comparison.limit}, with a doubt of at most {doubt}")
    if misshared:
        wanted = ", ".join(f"{stage.share:g} %" for stage in samples.stages[: len(windows)])
        told = comparing.split_told(counts)
        return Verdict("unsure", f"{rule.name}: {told}, and {wanted} was asked: nothing can be compared")
    slices = {name: seen.of(name) for name in comparison.slice_names}
    bad = [_worse_slice(comparison, name, item) for name, item in slices.items() if item.worse]
    if bad and comparison.worse_slice == "back":
        whole = "better on the whole" if found.better else f"{found.told} on the whole"
        return Verdict("red", f"{rule.name}: {whole}, and {'; '.join(bad)}")
    told = "; ".join([found.told, *(_of_slice(comparison, name, item) for name, item in slices.items())])
    if not found.new_requests:
        return Verdict("unsure", f"{rule.name}: the new version had no requests that could be compared", silent=True)
    last = max((number for number, stage in enumerate(samples.stages, 1) if stage.share < 100), default=None)
    if len(windows) != last:
        return Verdict("green", f"{rule.name}: {told}")
    if min(found.new_requests, found.old_requests) < comparison.enough:
        return Verdict("unsure", f"{rule.name}: {told}: {comparison.enough:,} of each are wanted")
    since, now = windows[-1]
    planned_end = since + samples.stages[last - 1].bake + samples.slept(since, now)
    if found.better and comparison.wanted == "better":
        heeded = slices if comparison.worse_slice == "back" else {}
        unknown = [name for name, item in heeded.items() if not item.no_worse]
        if unknown and until < planned_end:
            # Before its time is over it is not decided by those who are many.
            return Verdict("unsure", f"{rule.name}: {told}: better, and not known yet for {', '.join(unknown)}")
        return Verdict("green", f"{rule.name}: {told}: better, with a doubt of at most {100 * comparison.doubt:.3g} %")
    if rule.late and now >= planned_end > until:
        return Verdict("unsure", f"{rule.name}: {told}; outcomes of the last {said(planned_end - until)} are awaited")
    if comparison.wanted == "better":
        if comparison.undecided == "go-on" and now >= planned_end:
            return Verdict("green", f"{rule.name}: {told}: undecided")
        return Verdict("unsure", f"{rule.name}: {told}: not proven to be better")
    if comparison.undecided == "back" and not found.no_worse:
        return Verdict("unsure", f"{rule.name}: {told}: not proven to be no worse{comparison.limit}")
    return Verdict("green", f"{rule.name}: {told}")


def evidence(
    rule: Rule, comparison: Comparison, samples: Samples, windows: Sequence[Window], until: float, *, better: bool
) -> Sequence[tuple[int, float]]:
    """When each period begins, and what there is by its end against the new version, or for it."""
    seen = _compared(rule, comparison, samples, windows, until)
    return list(zip(seen.ends, seen.evidence(better=better), strict=True))


def _compared(
    rule: Rule, comparison: Comparison, samples: Samples, windows: Sequence[Window], until: float
) -> _Compared:
    # Of a time in which the machine slept none was planned: bets that follow would be taken for late ones.
    looked = [
        [at for at in periods_of(rule, window, until) if not _is_slept_through(rule, samples, at)] for window in windows
    ]
    times = [at for periods in looked for at in periods]
    # Stages end in their order, so the windows are those of the first ones.
    shares = [stage.share / 100 for periods, stage in zip(looked, samples.stages, strict=False) for _ in periods]
    return _Compared(rule, comparison, samples, times, shares, windows[0][0])


def _is_slept_through(rule: Rule, samples: Samples, at: int) -> bool:
    """Nothing of any variant was measured."""
    if not samples.slept(at, at + rule.interval):
        return False
    answers = [samples.of(rule.name, variant).get(at, {}) for variant in (samples.new, *samples.old)]
    return not any(value is not None for its in answers for value in its.values())


def _worse_slice(comparison: Comparison, name: str, found: comparing.Compared) -> str:
    doubt = f"{100 * comparison.slice_doubt:.3g} %"
    return f"worse{comparison.limit} for {name}: {found.told}, with a doubt of at most {doubt}"


def _of_slice(comparison: Comparison, name: str, found: comparing.Compared) -> str:
    """With the sizes, and what such sizes find."""
    return _worse_slice(comparison, name, found) if found.worse else f"{name}: {found.told} (finds {found.finds})"


@dataclass(frozen=True)
class _Compared:
    """What is compared in periods that begin at ``times``, with the ``shares`` that were asked then."""

    rule: Rule
    comparison: Comparison
    samples: Samples
    times: Sequence[int]
    shares: Sequence[float]
    began: float

    def of(self, slice_: str = "") -> comparing.Compared:
        doubt = self.comparison.slice_doubt if slice_ else None
        if self.rule.measure.counted is not None:
            usual = None if slice_ else usual_of(self.rule, self.samples, self.began)
            return comparing.compare(self.comparison, self._looks(slice_), self._plan(usual), usual, doubt)
        bounds = bounds_of(self.rule)
        usually = None if slice_ else usual_mean_of(self.rule, self.samples, self.began)
        looks = self._looks_at_means(bounds, slice_)
        return comparing.compare_means(self.comparison, looks, bounds, self._plan(usually), usually, doubt)

    def evidence(self, *, better: bool) -> tuple[float, ...]:
        """Of the whole, after each period."""
        if self.rule.measure.counted is not None:
            usual = usual_of(self.rule, self.samples, self.began)
            return comparing.evidence(self.comparison, self._looks(), self._plan(usual), usual, better=better)
        bounds, usually = bounds_of(self.rule), usual_mean_of(self.rule, self.samples, self.began)
        return comparing.evidence_of_means(
            self.comparison, self._looks_at_means(bounds), bounds, self._plan(usually), usually, better=better
        )

    def _looks(self, slice_: str = "") -> Sequence[Look]:
        new, *old = (
            [_counted(self.rule, answers.get(slice_, {})) for answers in of_variant] for of_variant in self._by_slice
        )
        return [comparing.look(mine, [item[at] for item in old]) for at, mine in enumerate(new)]

    def _looks_at_means(self, bounds: means.Bounds, slice_: str = "") -> Sequence[means.Look]:
        new, *old = ([answers.get(slice_, {}) for answers in of_variant] for of_variant in self._by_slice)
        return [
            means.Look(_values(bounds, [new[at]]), _values(bounds, [item[at] for item in old]), share)
            for at, (_, share) in enumerate(self._blocks)
        ]

    @cached_property
    def _by_slice(self) -> Sequence[Sequence[Mapping[str, Answers]]]:
        """Of the new variant and of each old one, by look. What becomes of requests is much: it is read once for the
        whole and all slices."""
        return [list(self._sliced(answered)) for answered in self._answered]

    def _sliced(self, answered: Mapping[int, Answers]) -> Iterator[Mapping[str, Answers]]:
        if self.rule.measure.outcomes is None:
            yield from ({"": answers} for answers in answered.values())
        elif self.rule.measure.counted is not None:
            yield from map(by_slice, answered.values())
        else:
            yield from (by_slice(all_together([answered[at] for at in block])) for block, _ in self._blocks)

    @property
    def ends(self) -> Sequence[int]:
        """When the last period of each look begins."""
        if self.rule.measure.counted is not None:
            return self.times
        return [block[-1] for block, _ in self._blocks]

    @cached_property
    def _blocks(self) -> Sequence[tuple[Sequence[int], float]]:
        """Periods whose values are bet on together, by the clock, so that a test of weeks is a hundred bets or so. What
        is bet is known when the first of them begins, and holds of those that are there by now."""
        found: dict[tuple[float, int], list[int]] = {}
        seconds = self.rule.interval * self._together
        for at, share in zip(self.times, self.shares, strict=True):
            found.setdefault((share, at // seconds), []).append(at)
        return [(block, share) for (share, _), block in found.items()]

    @property
    def _together(self) -> int:
        return comparing.block_of(sum(stage.bake for stage in self.samples.stages) / self.rule.interval)

    def requests(self) -> Sequence[tuple[int, int]]:
        """All that were shared, also those that nothing became of."""
        if self.rule.measure.outcomes is None:
            return [(look.new_requests, look.old_requests) for look in self._looks()]
        new, *old = self._answered
        return [
            (_requests(self.rule, new[at]), sum(_requests(self.rule, item[at]) for item in old)) for at in self.times
        ]

    @cached_property
    def _answered(self) -> Sequence[Mapping[int, Answers]]:
        """By period, of the new variant and of each old one."""
        variants = (self.samples.new, *self.samples.old)
        return [_answered(self.rule, self.samples, variant, self.times) for variant in variants]

    def _plan(self, usual: comparing.Usual | comparing.UsualMean | None) -> Sequence[Planned]:
        stages = [(stage.share, stage.bake) for stage in self.samples.stages]
        planned = comparing.plan(stages, self.rule.interval, usual)
        if self.rule.measure.counted is not None or self._together == 1:
            return planned
        return comparing.in_blocks(planned, self._together)


def bounds_of(rule: Rule) -> means.Bounds:
    if rule.measure.outcomes is None:
        raise TypeError(f"{rule.measure.name} has no bounds")
    outcomes = rule.measure.outcomes(rule.settings)
    return means.Bounds(outcomes.low, outcomes.high)


def _values(bounds: means.Bounds, answers: Sequence[Answers]) -> Mapping[float, int]:
    found: dict[float, int] = {}
    for item in answers:
        for value, count in seen_values(item).items():
            inside = min(max(value, bounds.low), bounds.high)
            found[inside] = found.get(inside, 0) + count
    return found


def _requests(rule: Rule, answers: Answers) -> int:
    if rule.measure.outcomes is not None:
        return int(answers.get(REQUESTS) or 0)
    counted = _counted(rule, answers)
    return 0 if counted is None else max(0, round(counted[0]))


def periods_of(rule: Rule, window: Window, until: float) -> Sequence[int]:
    """That the rule judges."""
    return comparing.periods(window, rule.interval, delay=rule.delay, until=until)


def too_short(rules: Sequence[Rule], bakes: Sequence[Bake], lag: float, patience: float) -> Sequence[str]:
    """What of a course may end without a verdict, in sentences: stages in which fewer whole periods are sure to lie
    than a rule needs. Periods stand on the clock's grid, a stage begins anywhere, and its last ``lag`` seconds are not
    known yet when it ends; ``patience`` is what it may last longer."""
    told = []
    for rule in rules:
        limited = rule.at_most is not None or rule.at_least is not None
        needed = rule.count if limited else 1
        late, longer = lag + rule.late, patience + rule.late
        wanted = rule.delay + late - longer + (needed + 1) * rule.interval
        short = [bake for bake in bakes if bake.seconds < wanted]
        if not short or rule.dry_run:
            continue
        most = min(math.floor(max(0.0, bake.seconds + longer - rule.delay - late) / rule.interval) for bake in short)
        stages = ", ".join(str(bake.stage) for bake in short)
        which, them = (f"stages {stages}", "them") if len(short) > 1 else (f"stage {stages}", "it")
        have = "has" if needed == 1 else "have"
        told.append(
            f"{which} may end without a verdict on {rule.name}: {max(0, most - 1)} to {most} whole periods of "
            f"{said(rule.interval)} are known by then, and {needed} {have} to be good; let {them} last {said(wanted)}, "
            f"or give `patience`, a shorter `interval`{' or `lag`' if lag else ''}"
        )
    return told


def before(rule: Rule, began: float) -> Sequence[int]:
    """The periods that say how it usually is."""
    until = began - rule.late
    window = (until - comparing.USUAL_PERIODS * rule.interval, until)
    return comparing.periods(window, rule.interval, delay=0.0, until=until)


def usual_of(rule: Rule, samples: Samples, began: float) -> comparing.Usual | None:
    times = before(rule, began)
    return comparing.usual([item for of in samples.old for item in counts(rule, samples, of, times).values()])


def counts(
    rule: Rule, samples: Samples, variant: str, times: Sequence[int]
) -> Mapping[int, tuple[float, float] | None]:
    return {at: _counted(rule, seen) for at, seen in _answered(rule, samples, variant, times).items()}


def usual_mean_of(rule: Rule, samples: Samples, began: float) -> comparing.UsualMean | None:
    times, bounds = before(rule, began), bounds_of(rule)
    seen = [
        _values(bounds, [answers])
        for of in samples.old
        for answers in _answered(rule, samples, of, times).values()
        if answers
    ]
    return comparing.usual_mean(seen, len(samples.old))


def is_known_before(rule: Rule, samples: Samples, began: float) -> bool:
    """Whether anything became of requests."""
    if rule.measure.counted is not None:
        return usual_of(rule, samples, began) is not None
    return usual_mean_of(rule, samples, began) is not None


def seen_before(rule: Rule, samples: Samples, began: float) -> int:
    """How many requests there were, whatever became of them."""
    times = before(rule, began)
    of_all = (_answered(rule, samples, variant, times).values() for variant in samples.old)
    return sum(_requests(rule, answers) for answered in of_all for answers in answered)


def _counted(rule: Rule, answers: Answers) -> tuple[float, float] | None:
    if rule.measure.counted is None:
        raise TypeError(f"{rule.measure.name} is no share")
    return rule.measure.counted(rule.settings, answers)


def _answered(rule: Rule, samples: Samples, variant: str, times: Sequence[int]) -> Mapping[int, Answers]:
    """In each of the periods; without a value where nothing was seen."""
    empty = dict.fromkeys(rule.measure.queries(rule.settings, samples.judged(variant)))
    seen = samples.of(rule.name, variant)
    return {at: seen.get(at, empty) for at in times}
