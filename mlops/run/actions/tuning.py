"""Tuning: training jobs with other hyperparameters each, until the best are found."""

from __future__ import annotations

from dataclasses import replace

from mlops.run.job import Job
from mlops.run.outcome import Task
from mlops.run.resolve import as_texts
from mlops.run.tuning.memory import Memory
from mlops.run.tuning.plan import plan
from mlops.run.tuning.task import TuningTask
from mlops.run.work import Work


def start(work: Work) -> Task:
    """A search that an earlier attempt did not end goes on, under its name."""
    request = {**work.request}
    for member in ("TrainingJobDefinition", "TrainingJobDefinitions"):
        if isinstance(request.get(member), dict):
            request[member] = _as_texts(request[member])
        elif request.get(member):
            request[member] = [_as_texts(item) for item in request[member]]
    memory = Memory(work.folder.parent)
    begun = memory.begun(request)
    name, trials = begun if begun is not None else (work.name, [])
    work = replace(work, name=name, request=request)
    job = Job(work, request)

    def launch() -> Task:
        work.need_possible(request)
        planned = plan(request, name)
        if begun is None:
            memory.begins(name, request)
        return TuningTask(work, job, planned, memory, trials)

    return job.launch(launch)


def _as_texts(definition: dict[str, object]) -> dict[str, object]:
    members = [member for member in ("StaticHyperParameters", "Environment") if definition.get(member)]
    return {**definition, **{member: as_texts(definition[member]) for member in members}}
