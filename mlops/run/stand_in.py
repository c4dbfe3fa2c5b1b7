"""A step for which a stub stands: nothing of it runs, what others read of it is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir import StepType
from mlops.ir.stub import COMPLETED, Copy, Stub, response_of
from mlops.run.beneath import content
from mlops.run.outcome import Outcome, StepFailed
from mlops.run.ports import Execution, Objects
from mlops.run.step_outputs import metadata_of

_OUTPUTS = "OutputParameters"


def stand_in(
    stub: Stub,
    step_type: StepType | None,
    request: Mapping[str, Any],
    name: str,
    execution: Execution,
    objects: Objects,
    folder: Path,
) -> Outcome:
    """``request`` is empty where it cannot be evaluated, and ``name`` what a job would be called. Raises
    :class:`StepFailed`."""
    kind = step_type.job if step_type is not None else None
    job: dict[str, Any] = {}
    if kind is not None:
        partition = execution.execution_arn.split(":")[1]
        arn = f"arn:{partition}:sagemaker:{execution.region}:{execution.account}:{kind.segment}/{name}"
        job = {kind.name_member: name, kind.arn_member: arn, kind.status_member: COMPLETED}
    response, copies = response_of(stub, step_type, request, job)
    for copy in copies:
        _copy(copy, objects, folder)
    return Outcome("Succeeded", None, _metadata(step_type, response), response)


def _metadata(step_type: StepType | None, response: Mapping[str, Any]) -> dict[str, Any]:
    """What kind of step it is; it has no job, and made nothing."""
    if step_type is None:
        return {}
    if step_type.job is not None:
        return {step_type.job.member: {}}
    if isinstance(outputs := response.get(_OUTPUTS), Mapping):
        return {step_type.type: {_OUTPUTS: metadata_of(outputs)}}
    if "Outcome" in response:
        return {step_type.type: {"Outcome": response["Outcome"]}}
    return {}


def _copy(copy: Copy, objects: Objects, folder: Path) -> None:
    source, target = copy.source.rstrip("/"), copy.target.rstrip("/")
    found = [key for key in objects.keys(source) if key == source or key.startswith(f"{source}/")]
    if not found:
        raise StepFailed(f"nothing lies at {copy.source}, which the stub gives")
    kept = folder / "stub"
    for key in found:
        objects.fetch(key, kept)
        into = target if copy.is_file else f"{target}/{key[len(source) + 1 :] or key.rpartition('/')[2]}"
        if into != key:
            with kept.open("rb") as file:
                objects.put(content(file), into)
        kept.unlink()
