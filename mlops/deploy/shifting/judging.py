"""Whether a new version may go on: measures against limits, and alarms.

What is judged are whole periods since a stage began, all of them at each look, so that a verdict follows from the
metrics alone: whoever takes a shift over comes to the same, and it can be worked out again later. A question that
could not be asked is no failure of the version; a period without traffic is no success.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from mlops.account import answers
from mlops.deploy.shifting.controller import Verdict
from mlops.ir import AccountError
from mlops.ir.measure import Judged, Measure
from mlops.ir.shift import Bake

Missing: TypeAlias = Literal["unsure", "pass", "fail"]
_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Rule:
    """``at_most`` and ``at_least`` are where success ends; failure begins there too, or at ``fails_above`` and
    ``fails_below``: what lies between is unsure. Times in seconds: a value for each ``interval``, from ``delay`` after
    a stage's beginning. A stage needs ``count`` successes; more than ``failures`` failed, more than ``unsure`` unsure
    periods, and more than ``errors`` questions in a row without an answer are red. ``dry_run``: told, not heeded."""

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
    if good >= rule.count:
        return Verdict("green", f"{rule.name} {told}")
    return Verdict("unsure", f"{rule.name}: {good} of {rule.count} periods were good ({told})")


class ByMetrics:
    """A :class:`~mlops.deploy.shifting.controller.Judge` of one shift. ``lag`` is how many seconds a metric may come
    late."""

    def __init__(
        self,
        cloudwatch: Any,
        rules: Sequence[Rule],
        subject: Judged,
        *,
        alarms: Sequence[str] = (),
        patience: float = 0.0,
        lag: float = 0.0,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._cloudwatch = cloudwatch
        self._rules = rules
        self._subject = subject
        self._alarms = alarms
        self._lag = lag
        self._say = say
        self._unanswered = 0
        self._told: set[str] = set()
        self.patience = patience

    @property
    def interval(self) -> float:
        return float(min((rule.interval for rule in self._rules), default=10))

    def look(self, bake: Bake, since: float, now: float) -> Verdict:
        try:
            with answers():
                verdicts = [self._by_alarms(), *(self._by(rule, since, now) for rule in self._rules)]
        except AccountError as error:
            return self._no_answer(error)
        self._unanswered = 0
        for standing in ("red", "unsure"):
            found = [verdict for verdict in verdicts if verdict.standing == standing]
            if found:
                return Verdict(standing, "; ".join(verdict.why for verdict in found))
        return Verdict("green", ", ".join(verdict.why for verdict in verdicts if verdict.why) or "nothing was asked")

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

    def _by(self, rule: Rule, since: float, now: float) -> Verdict:
        verdict = judged(rule, self._values(rule, since, now))
        if not rule.dry_run:
            return verdict
        told = f"dry run: {verdict.why}"
        if verdict.standing == "red" and told not in self._told:
            self._told.add(told)
            self._say(told)
        return Verdict("green", "")

    def _values(self, rule: Rule, since: float, now: float) -> list[float | None]:
        """Of each whole period."""
        period = rule.interval
        first = math.ceil((since + rule.delay) / period) * period
        end = math.floor((now - self._lag) / period) * period
        if end <= first:
            return []
        queries = rule.measure.queries(rule.settings, self._subject)
        reply = self._cloudwatch.get_metric_data(
            StartTime=datetime.fromtimestamp(first, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            ScanBy="TimestampAscending",
            MetricDataQueries=[
                {
                    "Id": name,
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
                for name, query in queries.items()
            ],
        )
        found: dict[str, dict[int, float]] = {
            item["Id"]: {
                round(at.timestamp()): value for at, value in zip(item["Timestamps"], item["Values"], strict=True)
            }
            for item in reply["MetricDataResults"]
        }
        return [
            rule.measure.value(rule.settings, {name: found.get(name, {}).get(at) for name in queries})
            for at in range(first, end, period)
        ]
