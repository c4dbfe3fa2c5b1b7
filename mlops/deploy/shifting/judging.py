"""Whether a new version may go on: measures against limits, and alarms.

What is judged are whole periods since a stage began, all of them at each look, so that a verdict follows from the
metrics alone: whoever takes a shift over comes to the same, and it can be worked out again later. A question that
could not be asked is no failure of the version; a period without traffic is no success.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from mlops.account import answers
from mlops.deploy.shifting import comparing
from mlops.deploy.shifting.comparing import Comparison, Window
from mlops.deploy.shifting.controller import Verdict
from mlops.ir import AccountError
from mlops.ir.measure import Answers, Judged, Measure, Query
from mlops.ir.shift import Bake

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


def judged(rule: Rule, values: Sequence[float | None]) -> Verdict:
    """By the values of all periods since the stage began."""
    standings = [rule.standing(value) for value in values]
    failed = [value for value, standing in zip(values, standings, strict=True) if standing == "failure"]
    unsure, good = standings.count("unsure"), standings.count("success")
    if len(failed) > rule.failures:
        worst = failed[-1]
        told = "nothing was measured" if worst is None else rule.measure.said(worst)
        times = f", {len(failed)} of {len(values)} periods" if len(failed) > 1 else ""
        return Verdict("red", f"{rule.name}: {told}, and {rule.limit} is wanted{times}")
    if rule.unsure is not None and unsure > rule.unsure:
        return Verdict("red", f"{rule.name}: {unsure} periods were neither good nor bad, {rule.unsure} may be")
    last = next((value for value in reversed(values) if value is not None), None)
    told = "no value yet" if last is None else rule.measure.said(last)
    if not values:
        told = f"none of {rule.interval:g} s is over"
    if good >= rule.count:
        return Verdict("green", f"{rule.name} {told}")
    return Verdict("unsure", f"{rule.name}: {good} of {rule.count} periods were good ({told})")


class ByMetrics:
    """A :class:`~mlops.deploy.shifting.controller.Judge` of one shift, all whose ``stages`` are given. ``against`` are
    the variants that serve until then. ``lag`` is how many seconds a metric may come late."""

    def __init__(
        self,
        cloudwatch: Any,
        rules: Sequence[Rule],
        subject: Judged,
        *,
        against: Sequence[str] = (),
        stages: Sequence[Bake] = (),
        alarms: Sequence[str] = (),
        patience: float = 0.0,
        lag: float = 0.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._rules = rules
        self._subject = subject
        self._against = tuple(replace(subject, variant=name) for name in against)
        self._stages = stages
        self._alarms = alarms
        self._lag = lag
        self._say = say
        self._unanswered = 0
        self._told: set[str] = set()
        self.patience = patience

    @property
    def interval(self) -> float:
        return float(min((rule.interval for rule in self._rules), default=10))

    def look(self, bake: Bake, since: float, now: float, before: Sequence[Window] = ()) -> Verdict:
        windows = (*before, (since, now))
        try:
            with answers():
                verdicts = [self._by_alarms(), *(self._by(rule, bake, windows, now) for rule in self._rules)]
        except AccountError as error:
            return self._no_answer(error)
        self._unanswered = 0
        for standing in ("red", "unsure"):
            found = [verdict for verdict in verdicts if verdict.standing == standing]
            if found:
                return Verdict(standing, "; ".join(verdict.why for verdict in found))
        return Verdict("green", ", ".join(verdict.why for verdict in verdicts if verdict.why) or "nothing was asked")

    def outlook(self, now: float) -> Sequence[str]:
        """What comparisons will find of a shift that begins now."""
        told = []
        for rule in self._rules:
            if rule.compare is not None:
                with answers():
                    usual = self._usual(rule, now)
                planned = comparing.plan(self._shares, rule.interval, usual)
                told.append(f"{rule.name}: {comparing.outlook(rule.compare, planned, usual, rule.interval)}")
        return told

    def _no_answer(self, error: AccountError) -> Verdict:
        self._unanswered += 1
        most = min((rule.errors for rule in self._rules), default=4)
        told = f"the account was asked {self._unanswered} times in a row and did not answer: {error}"
        return Verdict("red" if self._unanswered > most else "unsure", told)

    def _by_alarms(self) -> Verdict:
        if not self._alarms:
            return Verdict("green", "")
        told = self._cloudwatch.describe_alarms(
            AlarmNames=list(self._alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = {item["AlarmName"]: item for item in (*told["MetricAlarms"], *told.get("CompositeAlarms", ()))}
        for name in self._alarms:
            if name not in found:
                return Verdict("red", f"the alarm {name} is not there any more")
            if found[name]["StateValue"] == "ALARM":
                return Verdict("red", f"the alarm {name} is in ALARM: {found[name].get('StateReason', '')}")
        asleep = [name for name in self._alarms if found[name]["StateValue"] == "INSUFFICIENT_DATA"]
        if asleep:
            return Verdict("unsure", f"the alarm {asleep[0]} has not enough data")
        return Verdict("green", f"{len(self._alarms)} alarm{'s' if len(self._alarms) > 1 else ''} quiet")

    def _by(self, rule: Rule, bake: Bake, windows: Sequence[Window], now: float) -> Verdict:
        verdicts = []
        if rule.at_most is not None or rule.at_least is not None:
            verdicts.append(judged(rule, self._values(rule, windows[-1], now)))
        if rule.compare is not None:
            verdicts.append(self._compared(rule, rule.compare, bake, windows, now))
        verdict = min(verdicts, key=lambda verdict: ("red", "unsure", "green").index(verdict.standing))
        if not rule.dry_run:
            return verdict
        told = f"dry run: {verdict.why}"
        if verdict.standing == "red" and told not in self._told:
            self._told.add(told)
            self._say(told)
        return Verdict("green", "")

    def _values(self, rule: Rule, window: Window, now: float) -> list[float | None]:
        """Of each whole period."""
        times = comparing.periods(window, rule.interval, delay=rule.delay, until=now - self._lag)
        found = self._answers(rule, [self._subject], times)[0]
        return [rule.measure.value(rule.settings, found[at]) for at in times]

    def _compared(
        self, rule: Rule, comparison: Comparison, bake: Bake, windows: Sequence[Window], now: float
    ) -> Verdict:
        until = now - self._lag
        looked = [comparing.periods(window, rule.interval, delay=rule.delay, until=until) for window in windows]
        times = [at for periods in looked for at in periods]
        # Stages end in their order, so the windows are those of the first ones.
        shares = [share / 100 for periods, (share, _) in zip(looked, self._shares, strict=False) for _ in periods]
        new, *old = self._counts(rule, [self._subject, *self._against], times)
        looks = [comparing.look(new[at], [item[at] for item in old]) for at in times]
        usual = self._usual(rule, windows[0][0])
        planned = comparing.plan(self._shares, rule.interval, usual)
        found = comparing.compare(comparison, looks, shares, planned, usual)
        limit = f" by more than {comparison.times:g} times" if comparison.times != 1 else ""
        if found.worse:
            doubt = f"{100 * comparison.false_alarms:g} %"
            return Verdict("red", f"{rule.name}: {found.told}: worse{limit}, with a doubt of at most {doubt}")
        if found.misshared:
            wanted = ", ".join(f"{share:g} %" for share, _ in self._shares[: len(windows)])
            return Verdict("unsure", f"{rule.name}: {found.split}, and {wanted} was asked: nothing can be compared")
        if not found.new_requests:
            return Verdict("unsure", f"{rule.name}: the new version had no requests that could be compared")
        if comparison.undecided == "back" and not found.no_worse and bake.stage == self._last_compared:
            return Verdict("unsure", f"{rule.name}: {found.told}: not proven to be no worse{limit}")
        return Verdict("green", f"{rule.name}: {found.told}")

    @property
    def _shares(self) -> Sequence[tuple[float, float]]:
        return [(stage.share, stage.seconds) for stage in self._stages]

    @property
    def _last_compared(self) -> int | None:
        """The last stage in which both versions have traffic."""
        return max((stage.stage for stage in self._stages if stage.share < 100), default=None)

    def _usual(self, rule: Rule, began: float) -> comparing.Usual | None:
        """As what serves was before the shift."""
        window = (began - comparing.USUAL_PERIODS * rule.interval, began)
        times = comparing.periods(window, rule.interval, delay=0.0, until=began)
        counts = self._counts(rule, self._against, times)
        return comparing.usual([item[at] for item in counts for at in times])

    def _counts(
        self, rule: Rule, variants: Sequence[Judged], times: Sequence[int]
    ) -> list[dict[int, tuple[float, float] | None]]:
        counted = rule.measure.counted
        if counted is None:
            raise TypeError(f"{rule.measure.name} is no share")
        found = self._answers(rule, variants, times)
        return [{at: counted(rule.settings, item[at]) for at in times} for item in found]

    def _answers(self, rule: Rule, variants: Sequence[Judged], times: Sequence[int]) -> list[dict[int, Answers]]:
        """Of each variant, by the beginning of each period."""
        if not times or not variants:
            return [{at: {} for at in times} for _ in variants]
        queries = {
            f"{name}{number or ''}": (number, name, query)
            for number, variant in enumerate(variants)
            for name, query in rule.measure.queries(rule.settings, variant).items()
        }
        found: list[dict[int, dict[str, float | None]]] = [
            {at: dict.fromkeys((name for of, name, _ in queries.values() if of == number)) for at in times}
            for number in range(len(variants))
        ]
        for item in self._asked(queries, min(times), max(times) + rule.interval, rule.interval):
            number, name, _ = queries[item["Id"]]
            for at, value in zip(item["Timestamps"], item["Values"], strict=True):
                if (second := round(at.timestamp())) in found[number]:
                    found[number][second][name] = value
        return [dict(item) for item in found]

    def _asked(
        self, queries: Mapping[str, tuple[int, str, Query]], first: int, end: int, period: int
    ) -> Sequence[Mapping[str, Any]]:
        request = {
            "StartTime": datetime.fromtimestamp(first, UTC),
            "EndTime": datetime.fromtimestamp(end, UTC),
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": [
                {
                    "Id": identifier,
                    "MetricStat": {
                        "Metric": {
                            "Namespace": query.namespace,
                            "MetricName": query.metric,
                            "Dimensions": [{"Name": key, "Value": value} for key, value in query.dimensions.items()],
                        },
                        "Period": period,
                        "Stat": query.statistic,
                    },
                }
                for identifier, (_, _, query) in queries.items()
            ],
        }
        found: list[Mapping[str, Any]] = []
        token = None
        while True:
            reply = self._cloudwatch.get_metric_data(**request, **({"NextToken": token} if token else {}))
            found.extend(reply["MetricDataResults"])
            token = reply.get("NextToken")
            if not token:
                return found
