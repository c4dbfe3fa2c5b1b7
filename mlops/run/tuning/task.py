"""A tuning job while it runs: begins trials, watches them, and knows when it is enough."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.ir import full_disk
from mlops.run.actions import action_of
from mlops.run.beneath import remove
from mlops.run.job import Job
from mlops.run.outcome import JOB_INTERNAL_ERROR, Outcome, StepFailed, Task
from mlops.run.ports import Child, ObjectMissing, RequestRefused
from mlops.run.tidying import OF_A_JOB
from mlops.run.tuning import warm_start
from mlops.run.tuning.criteria import fruitless, not_improving, reached
from mlops.run.tuning.early_stopping import is_hopeless
from mlops.run.tuning.memory import Memory
from mlops.run.tuning.observed import Observed
from mlops.run.tuning.plan import Definition, Plan, job_name, job_request
from mlops.run.tuning.space import Values
from mlops.run.tuning.trial import Trial, ranked
from mlops.run.work import Work

_TRAINING = "Training"
TOP = 50
"""So many of its best jobs can be read of the step."""

_OF_THE_JOB = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "FailureReason",
    "ModelArtifacts",
    "TrainingTimeInSeconds",
)
"""Members of a summary that are the job's own. The last two are not the service's: they tell the cache, and whoever
looks for outputs, where the model is."""

_ENDS: Mapping[str, str] = {"Succeeded": "Completed", "Failed": "Failed", "Stopped": "Stopped"}


class _Running:
    def __init__(self, trial: Trial, work: Work, definition: Definition, watched: bool) -> None:
        self.trial = trial
        self.work = work
        self.tries_left = int((definition.request.get("RetryStrategy") or {}).get("MaximumRetryAttempts") or 0)
        self.task: Task | None = None
        self.is_stopped = False
        watching = watched and definition.pattern is not None
        self.observed = Observed(work.log, definition.pattern) if watching and definition.pattern else None


class TuningTask:
    """``trials`` are those of an attempt that was cut off, in the order of their numbers."""

    def __init__(self, work: Work, job: Job, plan: Plan, memory: Memory, trials: Sequence[Trial]) -> None:
        self.metadata = job.metadata
        self._work = work
        self._job = job
        self._plan = plan
        self._memory = memory
        self._parallel = min(plan.parallel, work.execution.max_parallel or os.cpu_count() or 1)
        self._type = work.checked.step_types.get(_TRAINING)
        self._config: Mapping[str, Any] = work.request.get("WarmStartConfig") or {}
        goals = [definition.goal for definition in plan.definitions]
        self._goals = goals
        parents = warm_start.earlier(self._config, goals, work.ports.registry)
        transferred = self._config.get("WarmStartType") == "TransferLearning"
        self._earlier = [] if transferred else parents
        self._firsts = warm_start.firsts(parents, plan.definitions[0].space) if transferred else []
        self._trials: list[Trial] = [trial for trial in trials if not trial.runs]
        self._cut_off = [trial for trial in trials if trial.runs]
        self._ended: list[Trial] = list(self._trials)
        self._running: dict[int, _Running] = {}
        self._spent = sum(self._seconds_of(trial) for trial in self._trials)
        self._began = work.pace.clock()
        self._next_look = self._began
        self._closing: str | None = None
        self._failure: str | None = None
        self._exhausted = self._stopped = False
        for text in plan.told:
            work.note(text)
        if trials:
            cut = f", {len(self._cut_off)} that had not are begun again" if self._cut_off else ""
            work.note(f"the search goes on: {len(self._trials)} jobs had ended{cut}")
        self._tell()

    def poll(self) -> Outcome | None:
        for number, running in list(self._running.items()):
            outcome = self._guarded(running)
            if outcome is not None:
                if running.task is not None:
                    running.task.kill()
                del self._running[number]
                self._end(running, outcome)
        self._watch()
        self._complete()
        while self._may_begin() and self._begin_next():
            pass
        if self._running:
            return None
        return self._job.finish(self._finish)

    def stop(self) -> None:
        self._stopped = True
        self._job.tell("Stopping")
        self._stop_all()

    def kill(self) -> None:
        for running in self._running.values():
            if running.task is not None:
                running.task.kill()

    def stop_job(self, name: str) -> bool:
        """Somebody asks one of its training jobs to stop; whether it is one of its own."""
        found = [item for item in self._running.values() if item.work.name == name]
        for running in found:
            self._stop(running)
        return bool(found)

    def _may_begin(self) -> bool:
        over = self._stopped or self._closing is not None or self._failure is not None or self._exhausted
        return not over and len(self._running) < self._parallel

    def _begin_next(self) -> bool:
        if self._cut_off:
            trial = self._cut_off.pop(0)
            trial.costs = []
        else:
            number = 1 + max((trial.number for trial in self._trials), default=0)
            found = self._asked(number) if number <= self._plan.jobs else None
            if found is None:
                self._exhausted = True
                return False
            trial = found
            self._memory.trial_begins(trial)
        self._trials.append(trial)
        self._trials.sort(key=lambda item: item.number)
        definition = self._plan.definitions[trial.definition]
        running = _Running(trial, self._work_of(trial, definition), definition, self._plan.watches)
        self._running[trial.number] = running
        shown = ", ".join(f"{name}={value}" for name, value in trial.values.items())
        self._work.note(f"{running.work.name} tries {shown}")
        running.work.note(f"hyperparameter tuning: {shown}")
        self._begin(running)
        return True

    def _asked(self, number: int) -> Trial | None:
        """Definitions take turns; one that has nothing left is passed over."""
        count = len(self._plan.definitions)
        for turn in range(count):
            position = (number - 1 + turn) % count
            definition = self._plan.definitions[position]
            tried = [trial for trial in self._trials if trial.definition == position]
            before = self._earlier if position == 0 else []
            values = self._transferred(tried) if position == 0 else None
            values = values or definition.search.ask(number, [*before, *tried])
            if values is not None:
                return Trial(number, position, values)
        return None

    def _transferred(self, tried: Sequence[Trial]) -> Values | None:
        """The best of earlier jobs are tried first."""
        if self._firsts and len(tried) < len(self._firsts):
            return self._firsts[len(tried)]
        return None

    def _work_of(self, trial: Trial, definition: Definition) -> Work:
        name = job_name(self._work.name, trial.number)
        folder = self._work.folder / "jobs" / name
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log.txt"
        log.touch()
        request = job_request(definition, trial.values, str(self._job.description[self._job.kind.arn_member]))
        return replace(self._work, name=name, folder=folder, log=log, step_type=self._type, request=request, members={})

    def _begin(self, running: _Running) -> None:
        trial, work = running.trial, running.work
        definition = self._plan.definitions[trial.definition]
        trial.status = "InProgress"
        trial.told = {
            **({"TrainingJobDefinitionName": definition.name} if definition.name else {}),
            "TrainingJobName": work.name,
            "TrainingJobArn": work.arn(work.job_kind.segment),
            "TuningJobName": self._work.name,
            "TunedHyperParameters": dict(trial.values),
            "ObjectiveStatus": "Pending",
            "TrainingJobStatus": "InProgress",
        }
        self._record(running)
        self._tell()
        outcome = self._guarded(running, begin=True)
        if outcome is not None:
            del self._running[trial.number]
            self._end(running, outcome)

    def _guarded(self, running: _Running, *, begin: bool = False) -> Outcome | None:
        """What a job raises is its own failure, and the search goes on."""
        try:
            if begin:
                running.task = action_of(self._type, _TRAINING)(running.work)
                return None
            return running.task.poll() if running.task is not None else None
        except (StepFailed, ObjectMissing, RequestRefused) as fault:
            return Outcome("Failed", str(fault))
        except Exception as fault:
            if full_disk.is_full(fault):
                raise
            return Outcome("Failed", f"{type(fault).__name__}: {fault}", fault=JOB_INTERNAL_ERROR)

    def _end(self, running: _Running, outcome: Outcome) -> None:
        trial, work = running.trial, running.work
        self._observe(running)
        if outcome.fault == JOB_INTERNAL_ERROR and running.tries_left > 0 and not running.is_stopped:
            running.tries_left -= 1
            why = (outcome.failure or "").partition("\n")[0]
            work.note(f"{why}; RetryStrategy: the job is begun again")
            for name in OF_A_JOB:
                remove(work.folder / name)
            trial.costs = []
            self._running[trial.number] = running
            self._begin(running)
            return
        definition = self._plan.definitions[trial.definition]
        described = outcome.response
        value = _final(described, definition.goal.metric)
        if value is None and trial.costs:
            value = definition.goal.cost(trial.costs[-1])
        trial.status = str(described.get("TrainingJobStatus") or _ENDS[outcome.status])
        trial.cost = None if value is None or trial.status == "Failed" else definition.goal.cost(value)
        trial.told = {
            **trial.told,
            **({"FailureReason": outcome.failure} if outcome.failure else {}),
            **{member: described[member] for member in _OF_THE_JOB if described.get(member) is not None},
            "TrainingJobStatus": trial.status,
            "ObjectiveStatus": "Failed" if trial.cost is None else "Succeeded",
        }
        if trial.cost is not None:
            trial.told = {
                **trial.told,
                "FinalHyperParameterTuningJobObjectiveMetric": {
                    "Type": "Maximize" if definition.goal.largest else "Minimize",
                    "MetricName": definition.goal.metric,
                    "Value": value,
                },
            }
        if trial.status != "Failed" and work.tidying is not None:
            work.tidying.add(work.folder)
        if not self._stopped or trial.status != "Stopped":
            self._memory.trial_ended(trial)
        self._ended.append(trial)
        self._spent += self._seconds_of(trial)
        reached_ = f", {definition.goal.metric} {value:g}" if value is not None and trial.cost is not None else ""
        self._work.note(f"{work.name} {trial.status}{reached_}{': ' + outcome.failure if outcome.failure else ''}")
        self._record(running)
        self._tell()

    def _record(self, running: _Running) -> None:
        kind, told = running.work.job_kind.name, running.trial.told
        child = Child(self._work.name, running.work.log, told)
        self._work.ports.registry.record_child(kind, running.work.name, child)

    def _watch(self) -> None:
        if not self._plan.watches or self._work.pace.clock() < self._next_look:
            return
        self._next_look = self._work.pace.clock() + self._work.pace.asking
        for running in self._running.values():
            if self._observe(running) and not running.is_stopped:
                self._judge(running)

    def _observe(self, running: _Running) -> bool:
        if running.observed is None:
            return False
        goal = self._goals[running.trial.definition]
        new = [goal.cost(value) for value in running.observed.further()]
        running.trial.costs += new
        return bool(new)

    def _judge(self, running: _Running) -> None:
        trial = running.trial
        tried = [other for other in self._trials if other.definition == trial.definition]
        if self._plan.definitions[trial.definition].search.is_over(trial, tried):
            running.work.note(f"stopped by the strategy after {len(trial.costs)} values of the objective")
            self._stop(running)
        elif self._plan.stops_early and is_hopeless(trial, tried):
            count = len(trial.costs)
            running.work.note(f"stopped early, after {count} values of the objective: the jobs before were better")
            self._stop(running)

    def _stop(self, running: _Running) -> None:
        if not running.is_stopped and running.task is not None:
            running.is_stopped = True
            running.task.stop()

    def _stop_all(self) -> None:
        for running in self._running.values():
            self._stop(running)

    def _complete(self) -> None:
        if self._stopped or self._closing is not None or self._failure is not None:
            return
        self._failure = fruitless(self._ended, at_the_end=False)
        if self._failure is not None:
            self._stop_all()
            return
        self._closing = reached(self._plan.config, self._ended, self._goals)
        limit = self._plan.seconds
        if self._closing is None and limit is not None and self._work.pace.clock() - self._began >= limit:
            self._closing = f"ResourceLimits.MaxRuntimeInSeconds = {limit:g} are over"
        if self._closing is not None:
            self._work.note(f"the search ends: {self._closing}")
            self._stop_all()

    def _finish(self) -> Outcome:
        if self._stopped:
            self._tell()
            return self._with_summaries(self._job.ended("Stopped"))
        failure = self._failure or fruitless(self._ended, at_the_end=True)
        self._memory.over("Failed" if failure else "Completed")
        return self._with_summaries(self._job.ended("Failed" if failure else "Completed", failure))

    def _with_summaries(self, outcome: Outcome) -> Outcome:
        best = ranked(self._trials)
        others = [trial for trial in self._trials if trial.cost is None]
        summaries = [trial.told for trial in (*best, *others)[:TOP]]
        return replace(outcome, response={**outcome.response, "TrainingJobSummaries": summaries})

    def _tell(self) -> None:
        """Counters and the best job, as Describe has them."""
        states = [trial.status for trial in self._trials]
        objectives = [trial.told.get("ObjectiveStatus") for trial in self._trials]
        best = next(iter(ranked(self._trials)), None)
        members: dict[str, Any] = {
            "TrainingJobStatusCounters": {
                "Completed": states.count("Completed"),
                "InProgress": states.count("InProgress"),
                "RetryableError": 0,
                "NonRetryableError": states.count("Failed"),
                "Stopped": states.count("Stopped"),
            },
            "ObjectiveStatusCounters": {
                status: objectives.count(status) for status in ("Succeeded", "Pending", "Failed")
            },
            "BestTrainingJob": None if best is None else _summary(best),
            "TuningJobCompletionDetails": {"NumberOfTrainingJobsObjectiveNotImproving": not_improving(self._ended)},
            "ConsumedResources": {"RuntimeInSeconds": round(self._spent)},
        }
        if self._earlier:
            overall = next(iter(ranked([*self._earlier, *self._trials])), None)
            members["OverallBestTrainingJob"] = None if overall is None else _summary(overall)
        status = str(self._job.description.get(self._job.kind.status_member) or "InProgress")
        self._job.tell(status, **members)

    @staticmethod
    def _seconds_of(trial: Trial) -> float:
        return float(trial.told.get("TrainingTimeInSeconds") or 0.0)


def _summary(trial: Trial) -> Mapping[str, Any]:
    return {member: value for member, value in trial.told.items() if member not in _OF_THE_JOB[-2:]}


def _final(described: Mapping[str, Any], metric: str) -> float | None:
    for item in described.get("FinalMetricDataList") or ():
        if item["MetricName"] == metric:
            return float(item["Value"])
    return None
