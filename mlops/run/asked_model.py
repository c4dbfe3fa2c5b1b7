"""A model that is served beside a job, for as long as the job asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.run.log import exit_reason
from mlops.run.outcome import Outcome, Task
from mlops.run.requirements import check_requirements
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.serving.model_data import place_model
from mlops.run.work import Work

PORTS = "MLOPS_MODEL_PORTS"
"""The variable by which the program of ``mlops/monitor`` finds the servers."""
MODEL = "MLOPS_ASKED_MODEL"
"""The variable by which a processing job that asks one names it."""


def served(work: Work, name: str) -> InferencePipeline:
    """Its servers, which may still be starting."""
    model = work.ports.registry.describe("DescribeModel", {"ModelName": name})
    folder = work.folder / "model"
    containers = place_model(model, folder, work.ports.objects, work.ports.registry, work.ports.images, by_a_job=True)
    for container in containers:
        if container.python is None:
            check_requirements(container.requirements, work)
    network = not model.get("EnableNetworkIsolation")
    return InferencePipeline.launch(containers, work.log, network=network, isolation=work.isolation)


def told(servers: InferencePipeline) -> Mapping[str, str]:
    return {PORTS: ",".join(map(str, servers.ports))}


class Asking:
    """A job, and the servers that go with it."""

    def __init__(self, work: Work, task: Task, servers: InferencePipeline) -> None:
        self._work = work
        self._task = task
        self._servers = servers
        self._lost: str | None = None

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._task.metadata

    def poll(self) -> Outcome | None:
        if self._lost is None and (code := self._servers.ended()) is not None:
            self._lost = f"the model server ended, {exit_reason(code, self._work.log)}"
            self._work.note(self._lost)
            self._task.stop()
        outcome = self._task.poll()
        if outcome is not None:
            self._servers.stop(self._work.pace.server_grace)
            if self._lost is not None and outcome.status != "Succeeded":
                return Outcome(outcome.status, self._lost, outcome.metadata, outcome.response)
        return outcome

    def stop(self) -> None:
        self._task.stop()

    def kill(self) -> None:
        self._task.kill()
        self._servers.kill()
