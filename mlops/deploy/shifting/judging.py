"""Looks at a shift that is under way: asks the account, keeps what it answers, and decides by it.

A question that could not be asked is no failure of the version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from mlops.account import answers
from mlops.deploy.outcomes.joining import Joined
from mlops.deploy.shifting import cloudwatch, comparing, deciding
from mlops.deploy.shifting.comparing import Window
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.judging_shadows import ByPairs
from mlops.deploy.shifting.samples import Looked, Samples
from mlops.deploy.shifting.verdict import Verdict
from mlops.ir import AccountError, MlopsError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text
from mlops.ir.measure import Outcomes, Query
from mlops.ir.shift import Bake, Mirror

_KEPT_SECONDS = 60.0
"""How often what was seen is kept at least, while a stage lasts."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query of a rule, of one variant."""

    variant: str
    name: str
    query: Query


class ByMetrics:
    """A :class:`~mlops.deploy.shifting.controller.Judge` of one shift, which adds to its ``samples``; ``keep`` writes
    them down. ``joined`` knows what became of requests, where a rule is of that. ``log`` tells where a variant's model
    server says what broke, and what it said since then."""

    def __init__(
        self,
        client: Any,
        rules: Sequence[Rule],
        samples: Samples,
        *,
        alarms: Sequence[str] = (),
        patience: float = 0.0,
        shadow: ByPairs | None = None,
        joined: Joined | None = None,
        say: Callable[[str], None] = lambda text: None,
        keep: Callable[[Samples], None] = lambda samples: None,
        log: Callable[[str, str, float], str] = lambda endpoint, variant, since: "",
    ) -> None:
        self._cloudwatch = client
        self._rules = rules
        self._samples = samples
        self._alarms = alarms
        self._joined = joined
        self._say = say
        self._keep = keep
        self._log = log
        self._shadow = shadow
        self._unanswered = 0
        self._told: set[str] = set()
        self._kept_again = -math.inf
        # What becomes of the last requests is known so much later.
        self.patience = patience + max((rule.late + samples.lag for rule in rules if rule.late), default=0.0)

    @property
    def interval(self) -> float:
        return float(min((rule.interval for rule in self._rules), default=10))

    def look_at_shadow(self, mirror: Mirror, since: float, now: float) -> Verdict:
        if self._shadow is None:
            return Verdict("unsure", "what is declared now says nothing of a shadow")
        verdict = self._shadow.look(self._samples, since, now)
        self._keep_at_times(now)
        return verdict

    def slept(self, since: float, until: float) -> None:
        self._samples.asleep.append((since, until))

    def asleep(self, since: float, until: float) -> float:
        return self._samples.slept(since, until)

    def look(self, bake: Bake, since: float, now: float, before: Sequence[Window] = ()) -> Verdict:
        windows = (*before, (since, now))
        try:
            with answers():
                self._see(windows, now)
        except AccountError as error:
            verdict = self._no_answer(error)
        else:
            self._unanswered = 0
            verdict = self._with_log(self._heeded(windows, now), windows)
        answered = self._unanswered == 0
        self._samples.looks.append(Looked(bake.stage, since, now, verdict.standing, verdict.why, answered))
        self._keep_at_times(now)
        return verdict

    def outlook(self, now: float) -> Sequence[str]:
        """What comparisons will find of a shift that begins now."""
        told = []
        for rule in self._rules:
            # Where no stage is looked at nothing is joined either.
            if rule.compare is None or (rule.late and self._joined is None):
                continue
            with answers():
                self._join([rule], now, now)
                self._ask(rule, self._samples.old, deciding.before(rule, now))
            stages = [(stage.share, stage.bake) for stage in self._samples.stages]
            if rule.late and not deciding.is_known_before(rule, self._samples, now):
                said = comparing.unknown_outlook(deciding.seen_before(rule, self._samples, now))
            elif rule.measure.counted is not None:
                usual = deciding.usual_of(rule, self._samples, now)
                planned = comparing.plan(stages, rule.interval, usual)
                said = comparing.outlook(rule.compare, planned, usual, rule.interval)
            else:
                usually = deciding.usual_mean_of(rule, self._samples, now)
                planned = comparing.plan(stages, rule.interval, usually)
                said = comparing.outlook_of_means(rule.compare, planned, usually, rule.interval)
            told.append(f"{rule.name}: {said}")
        return told

    def keep(self, by_people: Sequence[str] | None = None) -> None:
        """Whatever comes of it: a shift does not fail by its record."""
        if by_people is not None:
            self._samples.by_people = tuple(by_people)
        try:
            self._keep(self._samples)
        except MlopsError as error:
            self._say(f"what was seen of the shift could not be kept: {error}")

    def _keep_at_times(self, now: float) -> None:
        """So that it is found where this process is killed. Of a long shift it is much, and kept seldomer."""
        if now >= self._kept_again:
            self._kept_again = now + max(_KEPT_SECONDS, (now - (self._samples.began or now)) / 20)
            self.keep()

    def _see(self, windows: Sequence[Window], now: float) -> None:
        if self._alarms:
            self._samples.alarms[now] = self._states()
        *ended, under_way = windows
        self._join(self._rules, windows[0][0], now)
        for rule in self._rules:
            compared = rule.compare is not None
            variants = (self._samples.new, *self._samples.old) if compared else (self._samples.new,)
            until = now - self._samples.lag - rule.late
            # A metric may still change; what became of a request by its time does not.
            ask = self._ask_once if rule.late else self._ask
            ask(rule, variants, deciding.periods_of(rule, under_way, until))
            if compared:
                for window in ended:
                    self._ask_once(rule, variants, deciding.periods_of(rule, window, until))
                self._ask_once(rule, self._samples.old, deciding.before(rule, windows[0][0]))
        if self._joined is not None:
            # Of two periods each rule has asked by now, or will not ask any more.
            kept = max((rule.late + 2 * rule.interval for rule in self._rules if rule.late), default=0.0)
            self._joined.forget(now - self._samples.lag - kept)

    def _join(self, rules: Sequence[Rule], began: float, now: float) -> None:
        """What became of requests, of a shift that began then, and of as many before as tell what is usual."""
        late = [(rule, rule.measure.outcomes(rule.settings)) for rule in rules if rule.measure.outcomes is not None]
        if late and self._joined is not None:
            since = min(began - rule.late - (comparing.USUAL_PERIODS + 1) * rule.interval for rule, _ in late)
            self._joined.read(since, began, now, sorted({outcomes.name for _, outcomes in late}))

    def _with_log(self, heeded: Sequence[tuple[Rule | None, Verdict]], windows: Sequence[Window]) -> Verdict:
        """Together; of what the log of the model server tells the reason, with that."""
        verdict = deciding.together([of for _, of in heeded])
        if not any(of.standing == "red" and rule is not None and rule.measure.of_the_server for rule, of in heeded):
            return verdict
        told = self._log(self._samples.endpoint, self._samples.new, windows[0][0])
        return replace(verdict, why=f"{verdict.why}; {hide_text(told)}") if told else verdict

    def _heeded(self, windows: Sequence[Window], now: float) -> Sequence[tuple[Rule | None, Verdict]]:
        """Those of dry runs are told and not heeded."""
        heeded = []
        for rule, verdict in deciding.decided(self._rules, self._alarms, self._samples, windows, now):
            if rule is None or not rule.dry_run:
                heeded.append((rule, verdict))
                continue
            told = f"dry run: {verdict.why}"
            if verdict.standing == "red" and told not in self._told:
                self._told.add(told)
                self._say(told)
        return heeded

    def _no_answer(self, error: AccountError) -> Verdict:
        self._unanswered += 1
        most = min((rule.errors for rule in self._rules), default=4)
        told = f"the account was asked {self._unanswered} times in a row and did not answer: {error}"
        return Verdict("red" if self._unanswered > most else "unsure", told)

    def _states(self) -> dict[str, str | None]:
        """Of the alarms, with the reason of one that rings; None for one that is not there."""
        states: dict[str, str | None] = dict.fromkeys(self._alarms)
        for name, item in cloudwatch.alarms(self._cloudwatch, self._alarms).items():
            # Whoever sets an alarm's state gives a reason in words of their own.
            reason = f": {hide_text(item.get('StateReason', ''))}" if item["StateValue"] == "ALARM" else ""
            states[name] = f"{item['StateValue']}{reason}"
        return states

    def _ask_once(self, rule: Rule, variants: Sequence[str], times: Iterable[int]) -> None:
        """What was answered already does not change any more."""
        seen = [self._samples.of(rule.name, variant) for variant in variants]
        self._ask(rule, variants, [at for at in times if any(at not in of for of in seen)])

    def _ask(self, rule: Rule, variants: Sequence[str], times: Sequence[int]) -> None:
        """For each variant in each period, whatever is answered."""
        if not times or not variants:
            return
        if rule.measure.outcomes is not None:
            self._ask_joined(rule, rule.measure.outcomes(rule.settings), variants, times)
            return
        asked = {
            f"{name}{number or ''}": _Asked(variant, name, query)
            for number, variant in enumerate(variants)
            for name, query in rule.measure.queries(rule.settings, self._samples.judged(variant)).items()
        }
        found: dict[tuple[str, int], dict[str, float | None]] = {
            (variant, at): {item.name: None for item in asked.values() if item.variant == variant}
            for variant in variants
            for at in times
        }
        queries = {identifier: item.query for identifier, item in asked.items()}
        end = max(times) + rule.interval
        for identifier, at, value in cloudwatch.values(self._cloudwatch, queries, min(times), end, rule.interval):
            item = asked[identifier]
            if (place := (item.variant, at)) in found:
                found[place][item.name] = value
        for (variant, at), its in found.items():
            self._samples.add(rule.name, variant, at, its)

    def _ask_joined(self, rule: Rule, outcomes: Outcomes, variants: Sequence[str], times: Sequence[int]) -> None:
        if self._joined is None:
            raise TypeError(f"nobody knows what became of requests, and {rule.name} asks")
        slices = rule.compare.slices if rule.compare is not None else {}
        for variant in variants:
            seen = self._samples.of(rule.name, variant)
            for at in times:
                if at not in seen:
                    found = self._joined.answers(outcomes, slices, variant, at, rule.interval)
                    self._samples.add(rule.name, variant, at, found)


def unknown_alarms(client: Any, names: Sequence[str]) -> list[str]:
    """Those that are not there: a name that is mistyped would never ring."""
    found = cloudwatch.alarms(client, names)
    return [name for name in names if name not in found]
