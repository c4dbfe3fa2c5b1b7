"""InferenceComponent: CreateInferenceComponent, or UpdateInferenceComponent where one of that name is there."""

from __future__ import annotations

from mlops.run.in_service import Serving, found
from mlops.run.outcome import Task
from mlops.run.work import Work

_OF_UPDATES = ("InferenceComponentName", "Specification", "RuntimeConfig")


def start(work: Work) -> Task:
    work.need_possible(work.request)
    request = {"InferenceComponentName": work.name, **work.request}
    name = str(request["InferenceComponentName"])
    before = found(work, "InferenceComponent", name)
    if before is None:
        work.ports.registry.create("CreateInferenceComponent", request)
    else:
        # It stays on its endpoint, with its tags.
        changed = {member: request[member] for member in _OF_UPDATES if request.get(member) is not None}
        work.note(f"{before['InferenceComponentArn']} is there already, so it is updated")
        work.ports.registry.create("UpdateInferenceComponent", changed)
    return Serving(work, "InferenceComponent", "inference component", name, lambda told: told.get("FailureReason"))
