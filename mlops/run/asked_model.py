"""A model that is served beside a job, for as long as the job asks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.run.log import exit_reason
from mlops.run.outcome import Outcome, Task
from mlops.run.ports import ObjectMissing, Objects
from mlops.run.requirements import check_requirements
from mlops.run.serving.inference_pipeline import InferencePipeline
from mlops.run.serving.model_data import place_model
from mlops.run.work import Work

PORTS = "MLOPS_MODEL_PORTS"
"""The variable by which the program of ``mlops/monitor`` finds the servers."""
MODEL = "MLOPS_ASKED_MODEL"
"""The variable by which a processing job that asks one names it."""
_CONFIG = "analysis_config"
"""The input of Clarify's container."""


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


def analysed_model(request: Mapping[str, Any], objects: Objects) -> str | None:
    """The model that the ``analysis_config.json`` of a job of Clarify's names: its container makes an endpoint of it
    for as long as it asks. None without one, where an endpoint is named, and where the job itself has to tell what is
    wrong."""
    for item in request.get("ProcessingInputs") or ():
        if item.get("InputName") != _CONFIG:
            continue
        try:
            [key] = (key for key in objects.keys(item["S3Input"]["S3Uri"]) if key.endswith(".json"))
            predictor = json.loads(objects.read(key))["predictor"]
            name = None if "endpoint_name" in predictor else predictor["model_name"]
        except (ObjectMissing, ValueError, KeyError, TypeError, RecursionError):
            return None
        return name if isinstance(name, str) else None
    return None


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
