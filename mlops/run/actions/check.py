"""QualityCheck and ClarifyCheck: a processing job computes a baseline of the data and compares it with the previous
one; where that is violated the step fails.

What the containers compute is computed by ``mlops/monitor``, whose files go into the job as its code. A model that is
asked is served beside it, for the time of the check.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from mlops.run.asked_model import served, told
from mlops.run.baselines import CLARIFY, VIOLATIONS, Check, check_of
from mlops.run.job import Job
from mlops.run.log import exit_reason
from mlops.run.monitor_program import monitor_program
from mlops.run.outcome import Outcome, StepFailed, Task
from mlops.run.ports import ObjectMissing
from mlops.run.processing_job import launch, requested
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.transfer import OPT_ML, fetch
from mlops.run.work import Work

_BASELINE = OPT_ML / "processing" / "baseline"
_RESULT = "analysis_result"

_Launched: TypeAlias = tuple[Task, InferencePipeline | None]


def start(work: Work) -> Task:
    request = requested(work)
    work.need_possible(request)
    results = _results(work.step.type, request)
    if work.only_prepare:  # only the job is looked at
        check = Check(work.step.type, "", True, True, True, None, results, {})
    else:
        check = check_of(work.step.type, work.members, results, work.ports.registry)
    job = Job(work, request)
    return _Checking(work, job, check, lambda: _launch(work, request, job, check))


def _results(type_: str, request: Mapping[str, Any]) -> str:
    """Where in S3 the program's output folder ends up. Raises :class:`StepFailed`."""
    written = (request.get("Environment") or {}).get("output_path")
    for item in (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []:
        target = item.get("S3Output") or {}
        folder, uri = PurePosixPath(str(target.get("LocalPath"))), str(target.get("S3Uri")).rstrip("/")
        if type_ == CLARIFY:
            if item.get("OutputName") == _RESULT:
                return uri
        elif written is not None and PurePosixPath(written).is_relative_to(folder):
            inside = PurePosixPath(written).relative_to(folder).as_posix()
            return uri if inside == "." else f"{uri}/{inside}"
    what = f"{_RESULT}" if type_ == CLARIFY else f"output_path ({written})"
    raise StepFailed(f"no output of the job brings {what} to S3, where the results are written")


def _launch(work: Work, request: Mapping[str, Any], job: Job, check: Check) -> _Launched:
    if check.compared and check.type != CLARIFY and "Statistics" not in check.compared:
        work.note("there are constraints and no statistics to compare with: distributions are not compared")
    files = {part: _BASELINE / f"{part.lower()}.json" for part in check.compared}

    def add(host: Work) -> None:
        for part, uri in check.compared.items():
            what = f"the previous baseline's {part.lower()}"
            fetch(uri, host.opt_ml / files[part].relative_to(OPT_ML), work.ports.objects, what)

    variables = {f"baseline_{part.lower()}": str(file) for part, file in files.items()}
    servers = _served(work)
    try:
        if servers is not None:
            variables |= told(servers)
        word = "clarify" if check.type == CLARIFY else "quality"
        started = monitor_program(word, add=add, variables=variables, network=servers is not None)
        return launch(work, request, job, started), servers
    except BaseException:
        if servers is not None:
            servers.kill()
        raise


def _served(work: Work) -> InferencePipeline | None:
    """The servers of the model that the check asks, which may still be starting; None where it asks none."""
    name = work.members.get("ModelName")
    if name is None:
        return None
    return served(work, name)


class _Checking:
    """The job, and the step that is made of its end."""

    def __init__(self, work: Work, job: Job, check: Check, start: Callable[[], _Launched]) -> None:
        self._work = work
        self._check = check
        self._job = job
        self._servers: InferencePipeline | None = None
        self._lost: str | None = None
        self._task = job.launch(lambda: self._started(start()))

    def _started(self, launched: _Launched) -> Task:
        task, self._servers = launched
        return task

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._check.metadata(self._arn)

    @property
    def _arn(self) -> str:
        return str(self._job.description[self._job.kind.arn_member])

    def poll(self) -> Outcome | None:
        if self._servers is not None and self._lost is None and (code := self._servers.ended()) is not None:
            self._lost = f"the model server ended, {exit_reason(code, self._work.log)}"
            self._task.kill()
        outcome = self._task.poll()
        if outcome is None:
            return None
        if self._servers is not None:
            self._servers.stop(self._work.pace.server_grace)
        if outcome.status != "Succeeded":
            # A model server that ends is the model's own fault, although the job was killed then.
            fault = outcome.fault if self._lost is None else None
            return Outcome(outcome.status, self._lost or outcome.failure, self.metadata, fault=fault)
        violations = self._violations() if self._check.compared else []
        return self._check.ended(self._arn, violations)

    def stop(self) -> None:
        self._task.stop()

    def kill(self) -> None:
        self._task.kill()
        if self._servers is not None:
            self._servers.kill()

    def _violations(self) -> list[str]:
        """What the report lists, a sentence each."""
        document: Any = None
        with suppress(ObjectMissing, ValueError, RecursionError):
            document = json.loads(self._work.ports.objects.read(f"{self._check.results}/{VIOLATIONS}"))
        listed = document.get("violations") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise StepFailed(f"the job compared with the baseline, and left no {VIOLATIONS} that can be read")
        return [_sentence(item) for item in listed]


_SAID = ("feature_name", "facet", "facet_value", "label", "metric_name", "constraint_check_type", "description")


def _sentence(violation: Any) -> str:
    """
    >>> _sentence({"feature_name": "age", "constraint_check_type": "data_type_check", "description": "No number."})
    'age: data_type_check: No number.'
    """
    if not isinstance(violation, dict):
        return str(violation)
    return ": ".join(str(violation[name]).strip() for name in _SAID if violation.get(name))
