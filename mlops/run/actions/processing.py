"""Processing: a script or a program over data, or what a container of Amazon's own would compute of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops.knowledge.container_engine import is_contained
from mlops.knowledge.monitor_images import program_here
from mlops.run.asked_model import MODEL, Asking, analysed_model, served, told
from mlops.run.containers import container
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
        model = analysed_model(request, work.ports.objects)
        if model is None:
            return launch(work, request, job, monitor_program(word))
        return _asking(work, request, job, model, lambda found: monitor_program(word, variables=found, network=True))
    model = request.get("Environment", {}).get(MODEL)
    if model:
        return _asking(work, request, job, str(model), lambda found: Started(_command(request), variables=found))
    image = specification.get("ImageUri")
    if not is_contained(image):
        return launch(work, request, job, Started(_command(request), image=image))
    entrypoint, arguments = (
        [as_text(word) for word in specification.get(name) or ()]
        for name in ("ContainerEntrypoint", "ContainerArguments")
    )
    contained = container(image, entrypoint, arguments)
    return launch(work, request, job, Started([*entrypoint, *arguments], image=image, container=contained))


def _command(request: Mapping[str, Any]) -> list[str]:
    specification = request["AppSpecification"]
    words = (*specification["ContainerEntrypoint"], *(specification.get("ContainerArguments") or ()))
    return [as_text(word) for word in words]


def _asking(
    work: Work,
    request: Mapping[str, Any],
    job: Job,
    model: str,
    started: Callable[[Mapping[str, str]], Started],
) -> Task:
    servers = served(work, model)
    try:
        return Asking(work, launch(work, request, job, started(told(servers))), servers)
    except BaseException:
        servers.kill()
        raise
