"""One execution from first step to last: starts what may start, watches what runs, writes down what happened."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from mlops.ir import Checked, Step, full_disk
from mlops.ir.dataclass import dataclass
from mlops.run.actions import action_of
from mlops.run.beneath import remove
from mlops.run.cache import StepCache, served
from mlops.run.loop import Loop
from mlops.run.outcome import JOB_INTERNAL_ERROR, REASON_LIMIT, SERVICE_FAULT, Outcome, StartsJobs, StepFailed, Task
from mlops.run.output import note
from mlops.run.pace import SERVICE, Pace
from mlops.run.ports import CacheEntry, Execution, ObjectMissing, Ports, RequestRefused, StepRecord, Success
from mlops.run.resolve import Context, resolve
from mlops.run.retry import Retries, policies
from mlops.run.sandbox import Isolation, probe, wait_for_an_end
from mlops.run.schedule import State, handled, ready, refusal
from mlops.run.stand_in import stand_in
from mlops.run.tidying import Tidying
from mlops.run.work import NAME_LIMIT, Work, job_name, now

_EXECUTION_REASON_LIMIT = 1300  # botocore: PipelineExecutionFailureReason
STEP_FAILURE = "Step failure: One or multiple steps failed"
_LONGEST_UNTOLD_SECONDS = 0.05
# Commands wake the loop when they end; what else a task waits for is asked for again and again.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.05
_UNBOXED = Isolation("folders", "this step starts no command")
_READ = (
    "CheckType",
    "FailOnViolation",
    "FunctionArn",
    "ModelName",
    "ModelPackageGroupName",
    "OutputParameters",
    "RegisterNewBaseline",
    "SkipCheck",
    "SqsQueueUrl",
    "SuppliedBaselineConstraints",
    "SuppliedBaselineStatistics",
)
"""Members of a step, beside its arguments, that an action goes by."""
_T = TypeVar("_T")


def execute(checked: Checked, execution: Execution, ports: Ports, *, pace: Pace = SERVICE) -> str:
    """Run to the end and answer the final status: Succeeded, Failed, Stopped or CompletedWithFailures.

    A failed step lets the running ones finish and keeps only those from starting that wait for it; independent ones
    still run. After a Fail step nothing starts any more. An exception of the journal or of this module itself ends
    all running steps and is passed on.
    """
    if (reason := refusal(checked.definition)) is not None:
        ports.journal.execution("Failed", reason)
        return "Failed"
    run = _Run(checked, execution, ports, pace)
    try:
        return run.to_the_end()
    finally:
        run.close()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A step before it starts: its evaluated request, and an earlier result that serves instead."""

    name: str
    request: Mapping[str, Any]
    members: Mapping[str, Any]
    retries: Retries
    entry: CacheEntry | None
    hit: Success | None


@dataclass(frozen=True, slots=True)
class _Running:
    task: Task
    record: StepRecord


@dataclass(frozen=True, slots=True)
class _Due:
    """The next try of a step: when it begins (``time.monotonic()``), its record, and why the last one failed."""

    moment: float
    record: StepRecord
    failure: str | None


class _Run:
    def __init__(self, checked: Checked, execution: Execution, ports: Ports, pace: Pace) -> None:
        self._checked = checked
        self._execution = execution
        self._ports = ports
        self._pace = pace
        self._placed = {item.step.name: item for item in checked.definition.placed()}
        self._steps = {name: item.step for name, item in self._placed.items()}
        self._loops: dict[str, Loop] = {}
        self._limit = execution.max_parallel or os.cpu_count() or 1
        self._states: dict[str, State] = dict.fromkeys(execution.finished, "Succeeded")
        self._responses = {name: record.response for name, record in execution.finished.items()}
        self._taken: dict[str, bool] = {}
        self._failed: list[str] = []
        self._running: dict[str, _Running] = {}
        self._retries: dict[str, Retries] = {}
        self._due: dict[str, _Due] = {}
        self._cache = _step_cache(execution, ports)
        self._stubs = dict(execution.stubs)
        self._tidying = Tidying()
        self._untold: list[StepRecord] = []
        self._tell_at = 0.0
        self._message: str | None = None
        self._stopping = False
        self._stopped_jobs: set[str] = set()
        self._next_stop_check = 0.0
        for name, record in execution.finished.items():
            self._note_branch(name, record.response)

    def to_the_end(self) -> str:
        self._ports.journal.execution("Executing")
        pause, changed = _SHORTEST_PAUSE, True
        while True:
            self._check_stop()
            started = self._start_due() or (changed and self._start_ready())
            changed = self._poll() or started
            if changed:
                pause = _SHORTEST_PAUSE
            elif not self._running and not self._due:
                break
            else:
                self._write()
                self._tidying.begin()
                wait_for_an_end(pause)
                pause = min(pause * 1.3, _LONGEST_PAUSE)
        self._write()
        status, failure = self._verdict()
        self._ports.journal.execution(status, failure)
        return status

    def close(self) -> None:
        for running in self._running.values():
            running.task.kill()
        self._tidying.finish()
        self._write()

    def _tell(self, *records: StepRecord) -> None:
        """To the journal, together with others: at the latest before anything is begun or waited for."""
        if not self._untold:
            self._tell_at = time.monotonic() + _LONGEST_UNTOLD_SECONDS
        self._untold += records
        if time.monotonic() >= self._tell_at:
            self._write()

    def _write(self) -> None:
        records, self._untold = self._untold, []
        if records:
            self._ports.journal.steps(records)

    def _check_stop(self) -> None:
        if self._stopping or time.monotonic() < self._next_stop_check:
            return
        self._next_stop_check = time.monotonic() + self._pace.asking
        if not self._ports.journal.stop_requested():
            self._stop_jobs()
            return
        self._stopping = True
        self._ports.journal.execution("Stopping")
        self._forget_due("Stopped")
        for name, running in list(self._running.items()):
            record = replace(running.record, status="Stopping")
            self._running[name] = replace(running, record=record)
            self._tell(record)
            running.task.stop()

    def _stop_jobs(self) -> None:
        """Those of which somebody asks that alone."""
        for name in self._ports.journal.jobs_to_stop() - self._stopped_jobs:
            self._stopped_jobs.add(name)
            for step, running in list(self._running.items()):
                told = [item for item in running.record.metadata.values() if isinstance(item, Mapping)]
                if any(str(arn).endswith(f"/{name}") for item in told for arn in item.values()):
                    self._running[step] = replace(running, record=replace(running.record, status="Stopping"))
                    running.task.stop()
                elif isinstance(running.task, StartsJobs):
                    running.task.stop_job(name)

    def _start_ready(self) -> bool:
        """One step at a time, so that a step which ends at once makes room and changes what is ready."""
        if self._stopping or self._message is not None or self._is_full():
            return False
        held = {name for loop in self._loops.values() for name in loop.held()}
        found = ready(self._checked, self._placed, self._states, self._taken)
        name = next((name for name in found if name not in held), None)
        if name is not None:
            self._start(self._steps[name])
        return name is not None

    def _start_due(self) -> bool:
        """A step whose next try is due. Until then it counts as running, but takes nobody's place."""
        moment = time.monotonic()
        name = next((name for name, due in self._due.items() if due.moment <= moment), None)
        if name is None or self._is_full():
            return False
        del self._due[name]
        self._start(self._steps[name])
        return True

    def _is_full(self) -> bool:
        """A loop takes no place itself."""
        return len(self._running) - len(self._loops) >= self._limit

    def _is_of_a_loop(self, name: str) -> bool:
        """The loop, which has not ended before its iterations, answers for those that fail."""
        return any(name in loop.steps for loop in self._loops.values())

    def _open(self, name: str, loop: Loop) -> None:
        self._checked = loop.unrolled(self._checked)
        self._placed |= loop.placed()
        self._steps |= loop.steps
        loop.states = self._states
        self._loops[name] = loop
        for inner in loop.body:
            if inner in self._stubs:
                self._stubs |= dict.fromkeys(loop.iterations_of(inner), self._stubs[inner])

    def _forget_due(self, state: State) -> None:
        for name, due in self._due.items():
            self._states[name] = state
            failure = None
            if state == "Failed":
                self._failed.append(name)
                failure = due.failure
            self._tell(replace(due.record, status=state, ended=now(), failure=failure))
        self._due.clear()

    def _start(self, step: Step) -> None:
        attempt, folder = _attempt_folder(self._execution.folder / step.name)
        log = folder / "log.txt"
        log.touch()
        record = StepRecord(step.name, step.type, "Starting", attempt, started=now(), log=log)
        self._states[step.name] = "Running"
        if step.name in self._stubs:
            self._stand_in(step, record, folder)
            return
        prepared = self._guarded(step, log, lambda: self._prepare(step, attempt))
        if isinstance(prepared, _Prepared) and prepared.hit is not None:
            remove(folder)
            self._end_served(record, prepared.hit, prepared.entry)
            return
        if isinstance(prepared, _Prepared):
            record = replace(record, cache=prepared.entry)
        self._tell(record)
        if isinstance(prepared, Outcome):
            self._end(record, prepared)
            return
        self._retries.setdefault(step.name, prepared.retries)
        isolation = probe() if self._is_boxed(step) else _UNBOXED
        self._write()
        started = self._guarded(step, log, lambda: self._begin(step, prepared, folder, log, isolation))
        if isinstance(started, Outcome):
            self._end(record, started)
            return
        record = replace(record, status="Executing", metadata=started.metadata)
        self._running[step.name] = _Running(started, record)
        self._tell(record)
        if isinstance(started, Loop):
            self._open(step.name, started)

    def _stand_in(self, step: Step, record: StepRecord, folder: Path) -> None:
        stub, log = self._stubs[step.name], folder / "log.txt"
        note(log, f"a stub stands for this step ({stub.source}): nothing of it runs")
        entry = CacheEntry(None, note=f"a stub stood for it ({stub.source})", stub=stub.source)
        record = replace(record, cache=entry)
        self._tell(record)
        step_type = self._checked.type_of(step)
        try:
            prepared = self._prepare(step, record.attempt)
            request, name = prepared.request, prepared.name
        except (StepFailed, ObjectMissing, RequestRefused) as fault:  # it may be all that is read of another stub
            note(log, f"its request is not known: {fault}")
            request, name = {}, job_name(self._execution.execution_id, step.name, record.attempt)

        def stand() -> Outcome:
            return stand_in(stub, step_type, request, name, self._execution, self._ports.objects, folder)

        self._end(record, self._guarded(step, log, stand))

    def _prepare(self, step: Step, attempt: int) -> _Prepared:
        """Raises :class:`StepFailed` and what the ports raise."""
        arguments = step.arguments if isinstance(step.arguments, Mapping) else {}
        if step.blocks:  # what it selects by is there when the loop has ended
            arguments = {name: value for name, value in arguments.items() if name != "Selector"}
        step_type = self._checked.type_of(step)
        base = arguments.get((step_type.name_member if step_type is not None else None) or "")
        given = base if isinstance(base, str) else None
        limit = step_type.job.name_limit if step_type is not None and step_type.job is not None else NAME_LIMIT
        made = job_name(self._execution.execution_id, step.name, attempt, given, limit)
        name = self._execution.job_names.get(step.name, made)
        context = Context(self._checked, self._execution, self._ports.objects, self._responses, now(), name)
        request = resolve(arguments, context)
        members = {name: resolve(step.members[name], context) for name in _READ if name in step.members}
        retries = Retries(policies(resolve(step.members.get("RetryPolicies"), context)), time.monotonic())
        if self._cache is None or step_type is None:
            return _Prepared(name, request, members, retries, None, None)
        entry = self._cache.entry(step_type, request)
        if not self._execution.use_cache:
            return _Prepared(name, request, members, retries, replace(entry, note="it was run without the cache"), None)
        found = self._cache.find(step.name, entry, resolve(step.members.get("CacheConfig"), context), now())
        if isinstance(found, Success):
            return _Prepared(name, request, members, retries, served(entry, found), found)
        return _Prepared(name, request, members, retries, replace(entry, note=found), None)

    def _begin(self, step: Step, prepared: _Prepared, folder: Path, log: Path, isolation: Isolation) -> Task:
        """Raises :class:`StepFailed` and what the ports raise."""
        step_type = self._checked.type_of(step)
        action = action_of(step_type, step.type)
        work = Work(
            step=step,
            step_type=step_type,
            request=prepared.request,
            execution=self._execution,
            ports=self._ports,
            folder=folder,
            log=log,
            name=prepared.name,
            isolation=isolation,
            pace=self._pace,
            members=prepared.members,
            earlier=MappingProxyType(self._responses),
            checked=self._checked,
            tidying=self._tidying,
        )
        if isolation.mode == "folders" and self._is_boxed(step):
            work.note(f"no private /opt/ml here ({isolation.reason}): it is {work.opt_ml}, see SAGEMAKER_BASE_DIR")
        return action(work)

    def _is_boxed(self, step: Step) -> bool:
        step_type = self._checked.type_of(step)
        return step_type is not None and step_type.is_boxed

    def _poll(self) -> bool:
        changed = False
        for name, running in list(self._running.items()):
            outcome = self._guarded(self._steps[name], running.record.log, running.task.poll)
            if outcome is not None:
                running.task.kill()
                del self._running[name]
                self._loops.pop(name, None)
                if outcome.status == "Stopped" and running.record.status == "Stopping" and not self._stopping:
                    outcome = replace(outcome, status="Failed", failure="the job was stopped")
                self._end(running.record, outcome)
                changed = True
        return changed

    def _guarded(self, step: Step, log: Path | None, work: Callable[[], _T]) -> _T | Outcome:
        """``work()``, or the failure that its exception means for the step."""
        try:
            return work()
        except RequestRefused as refused:
            return Outcome("Failed", str(refused), fault=refused.fault)
        except (StepFailed, ObjectMissing) as fault:
            return Outcome("Failed", str(fault))
        except Exception as fault:
            if full_disk.is_full(fault):
                return Outcome("Failed", f"{full_disk.told(self._execution.folder)}: {full_disk.HINT}")
            if log is not None:
                with suppress(OSError), log.open("a", encoding="utf-8") as file:
                    file.write(traceback.format_exc())
            ours = JOB_INTERNAL_ERROR if self._is_boxed(step) else SERVICE_FAULT
            return Outcome("Failed", f"{type(fault).__name__}: {fault}", fault=ours)

    def _end_served(self, record: StepRecord, hit: Success, entry: CacheEntry | None) -> None:
        """The job and so the log are those of the step that really ran."""
        source = hit.record
        ended = replace(record, log=None, cache_source=hit.execution_arn, cache=entry)
        self._end(ended, Outcome("Succeeded", None, source.metadata, source.response))

    def _tried_again(self, record: StepRecord, outcome: Outcome) -> _Due | None:
        retries = self._retries.get(record.name)
        if outcome.status != "Failed" or retries is None or self._stopping or self._message is not None:
            return None
        wait = retries.delay(outcome.fault, time.monotonic())
        if wait is None:
            return None
        following = StepRecord(record.name, record.type, "Starting", record.attempt + 1, started=now())
        due = self._due[record.name] = _Due(time.monotonic() + wait, following, record.failure)
        if record.log is not None:
            note(record.log, f"{outcome.fault}: the step is tried again in {wait:g} s")
        return due

    def _end(self, record: StepRecord, outcome: Outcome) -> None:
        name = record.name
        ended = replace(
            record,
            status=outcome.status,
            ended=now(),
            failure=outcome.failure[:REASON_LIMIT] if outcome.failure else None,
            metadata={**record.metadata, **outcome.metadata},
            response=outcome.response,
        )
        again = self._tried_again(ended, outcome)
        if again is not None:
            # With the next try, else the step would look failed until then.
            self._tell(ended, again.record)
            return
        self._states[name] = outcome.status
        if outcome.response:
            self._responses[name] = outcome.response
        if outcome.status == "Succeeded":
            self._note_branch(name, outcome.response)
            if record.log is not None:
                self._tidying.add(record.log.parent)
            if self._cache is not None and record.cache is not None and record.cache_source is None:
                written = self._cache.outputs(self._checked.type_of(self._steps[name]), outcome.response)
                ended = replace(ended, cache=replace(record.cache, outputs=written))
        elif outcome.status == "Failed" and not self._is_of_a_loop(name):
            self._failed.append(name)
        if outcome.ends_execution is not None and self._message is None:
            self._message = outcome.ends_execution
            self._forget_due("Failed")
        self._tell(ended)

    def _note_branch(self, name: str, response: Mapping[str, Any]) -> None:
        step = self._steps.get(name)
        if step is not None and step.blocks and "Outcome" in response:
            self._taken[name] = str(response["Outcome"]).lower() == "true"

    def _verdict(self) -> tuple[str, str | None]:
        if self._stopping:
            return "Stopped", None
        if self._message is not None:
            reason = f"{STEP_FAILURE}: {self._message}" if self._message else f"{STEP_FAILURE}."
            return "Failed", reason[:_EXECUTION_REASON_LIMIT]
        unhandled = [name for name in self._failed if not handled(self._checked, name, self._states)]
        if unhandled:
            reason = f"{STEP_FAILURE}: {', '.join(unhandled)}."
            return "Failed", reason[:_EXECUTION_REASON_LIMIT]
        return ("CompletedWithFailures" if self._failed else "Succeeded"), None


def _step_cache(execution: Execution, ports: Ports) -> StepCache | None:
    if ports.cache is None:
        return None
    sources = {record.cache_source.rpartition("/")[2] for record in execution.finished.values() if record.cache_source}
    return StepCache(ports.cache, ports.registry, execution.execution_id, sources, ports.images)


def _attempt_folder(folder: Path) -> tuple[int, Path]:
    """A new one, numbered behind those of earlier runs of the same execution."""
    folder.mkdir(parents=True, exist_ok=True)
    attempt = 1 + max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
    own = folder / str(attempt)
    own.mkdir()
    return attempt, own
