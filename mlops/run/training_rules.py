"""Rules that watch a training: its log is read while it runs, and what a rule finds ends it as StopTrainingJob would.

SIGTERM comes first, and what lies in ``/opt/ml/model`` then is kept. The step fails with the finding, or goes on with
that model, as the rule says. A training that ended before anybody looked is judged by the same lines, so that its end
does not depend on how fast it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.training_rule import Ruled, Seen, Watch
from mlops.knowledge.training_rules import WrongRule, rules_of
from mlops.run.job import Job
from mlops.run.log import compiled_metrics, numbers_in
from mlops.run.log_tail import Tail
from mlops.run.outcome import Outcome, StepFailed, Task
from mlops.run.work import Work, now, stamp


@dataclass(frozen=True, slots=True)
class Finding:
    """What ended a training."""

    ruled: Ruled
    text: str

    @property
    def told(self) -> str:
        return f"rule {self.ruled.name}: {self.text}"


class Watcher:
    """Of several hosts the first one's log counts, as for the final metrics."""

    def __init__(self, work: Work, rules: Sequence[Ruled], patterns: Mapping[str, re.Pattern[str]], job: Job) -> None:
        self._work = work
        self._patterns = patterns
        self._rules: list[tuple[Ruled, Watch]] = [(ruled, ruled.rule.watch()) for ruled in rules]
        self._tail = Tail(work.log)
        self._began = work.pace.clock()
        self._next_look = self._began
        self._job = job
        self.is_over = False
        """Somebody else has ended the training: what it printed on the way is nobody's concern."""

        self.finding: Finding | None = None
        self._tell("InProgress")

    def look(self) -> Finding | None:
        """The first finding, now and then; None while there is none, and again when it was told."""
        clock = self._work.pace.clock()
        if self.finding is not None or clock < self._next_look:
            return None
        self._next_look = clock + self._work.pace.asking
        for line in self._tail.further():
            if self._line(line, clock):
                return self.finding
        self._see(Seen(None, 0.0, clock - self._began))
        return self.finding

    def last_look(self) -> Finding | None:
        """At what a training that has ended by itself printed to the end."""
        clock = self._work.pace.clock()
        if self.is_over and self.finding is None:
            self._tell("Stopped")
            return None
        if self.finding is None:
            any(self._line(line, clock) for line in self._tail.further()) or self._line(self._tail.rest(), clock)
        if self.finding is None:
            self._tell("NoIssuesFound")
        return self.finding

    def _line(self, line: str, clock: float) -> bool:
        for name, pattern in self._patterns.items():
            for value in numbers_in(pattern, line, finite=False):
                if self._see(Seen(name, value, clock - self._began)):
                    return True
        return False

    def _see(self, seen: Seen) -> bool:
        for ruled, watch in self._rules:
            if (said := watch(seen)) is not None:
                self.finding = Finding(ruled, said)
                self._tell("NoIssuesFound")
                self._work.note(self.finding.told)
                return True
        return False

    def _tell(self, otherwise: str) -> None:
        """DescribeTrainingJob's DebugRuleEvaluationStatuses: ours tell there as Debugger's do."""
        told, moment = list[Mapping[str, Any]](), stamp(now())
        for position, (ruled, _) in enumerate(self._rules, start=1):
            found = self.finding is not None and self.finding.ruled is ruled
            details = {"StatusDetails": self.finding.text} if found and self.finding is not None else {}
            told.append(
                {
                    "RuleConfigurationName": f"{position}-{ruled.name}",
                    "RuleEvaluationStatus": "IssuesFound" if found else otherwise,
                    **details,
                    "LastModifiedTime": moment,
                }
            )
        self._job.description["DebugRuleEvaluationStatuses"] = told


class WatchedTask:
    """A training that is stopped by the first finding."""

    def __init__(self, task: Task, watcher: Watcher) -> None:
        self._task = task
        self._watcher = watcher

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._task.metadata

    def poll(self) -> Outcome | None:
        outcome = self._task.poll()
        if outcome is None and not self._watcher.is_over and self._watcher.look() is not None:
            self._task.stop()
        return outcome

    def stop(self) -> None:
        self._watcher.is_over = True
        self._task.stop()

    def kill(self) -> None:
        self._task.kill()


def watcher(work: Work, request: Mapping[str, Any], job: Job) -> Watcher | None:
    """Without rules None. Raises :class:`StepFailed`."""
    try:
        rules = rules_of(request.get("Environment") or {})
    except WrongRule as error:
        raise StepFailed(str(error)) from None
    if not rules:
        return None
    patterns = compiled_metrics((request.get("AlgorithmSpecification") or {}).get("MetricDefinitions"))
    for ruled in rules:
        for metric in ruled.rule.metrics:
            if metric not in patterns:
                there = ", ".join(patterns) or "none"
                raise StepFailed(f"rule {ruled.name}: no MetricDefinition is named {metric!r}; there are: {there}")
    return Watcher(work, rules, patterns, job)
