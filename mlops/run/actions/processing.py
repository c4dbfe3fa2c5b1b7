"""Processing: a script or a program over data, or what a container of Amazon's own would compute of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.knowledge.monitor_images import program_here
from mlops.run.job import Job
from mlops.run.monitor_program import monitor_program
from mlops.run.outcome import Task
from mlops.run.processing_job import Started, launch, requested
from mlops.run.resolve import as_text
from mlops.run.work import Work


def start(work: Work) -> Task:
    request = requested(work)
    job = Job(work, request)
    return job.launch(lambda: _launch(work, request, job))


def _launch(work: Work, request: Mapping[str, Any], job: Job) -> Task:
    work.need_possible(request)
    specification = request["AppSpecification"]
    word = program_here(specification.get("ImageUri"))
    if word is not None and not specification.get("ContainerEntrypoint"):
        return launch(work, request, job, monitor_program(word))
    words = (*specification["ContainerEntrypoint"], *(specification.get("ContainerArguments") or ()))
    return launch(work, request, job, Started([as_text(word) for word in words]))
