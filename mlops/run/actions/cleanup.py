"""Cleanup: what other steps left in S3 is deleted.

Of a Training step that is all below its job's own folder; of other steps the objects that are named, each of which has
to lie below that step's outputs. What could not be deleted is told in the Metadata, as the service has it; whether its
step fails then is not documented: here it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.run.outcome import Done, Outcome, Task
from mlops.run.work import Work

_FOUND_BY_ITSELF = "Training"


def start(work: Work) -> Task:
    cleaned: list[str] = []
    failed: list[Mapping[str, str]] = []
    skipped: list[str] = []
    for source in (work.request.get("Resources") or {}).get("S3") or ():
        name = str(source.get("StepName"))
        if name not in work.earlier:
            skipped.append(name)
            work.note(f"{name} has no result, so nothing of it is deleted")
            continue
        if name in work.execution.stubs:
            skipped.append(name)
            work.note(f"a stub stands for {name}, whose files are somebody's own: nothing is deleted")
            continue
        step = work.checked.definition.step(name)
        if not source.get("S3Uris") and step is not None and step.type != _FOUND_BY_ITSELF:
            skipped.append(name)
            work.note(f"{name} is a {step.type} step, of which S3Uris have to name the objects; nothing is deleted")
            continue
        told = _clean(work, name, source.get("S3Uris") or ())
        if told is None:
            cleaned.append(name)
        else:
            failed.append({"StepName": name, "ErrorCode": "ClientError", "ErrorMessage": told})
    metadata = {"Cleanup": {"CleanedSteps": cleaned, "FailedSteps": failed, "SkippedSteps": skipped}}
    for item in failed:
        work.note(f"{item['StepName']} is not cleaned up: {item['ErrorMessage']}")
    return Done(Outcome("Succeeded", None, metadata))


def _clean(work: Work, name: str, uris: Sequence[Any]) -> str | None:
    """Why it could not be done."""
    response = work.earlier[name]
    step = work.checked.definition.step(name)
    step_type = work.checked.type_of(step) if step is not None else None
    kind = step_type.job if step_type is not None else None
    if step is None or kind is None:
        return f"{name} starts no job, so it has no outputs in S3"
    if response.get("VpcConfig") or (response.get("NetworkConfig") or {}).get("VpcConfig"):
        return f"{name} runs in a VPC, and what it left cannot be cleaned up"
    folders = tuple(folder for place in kind.outputs for folder in place.folders(response))
    named = [str(uri) for uri in uris]
    outside = [uri for uri in named if not f"{uri}/".startswith(folders)]
    if outside:
        return f"{outside[0]} is not below the outputs of {name}: {', '.join(folders) or 'it has none'}"
    objects = work.ports.objects
    found = (
        [uri for uri in named if uri in objects.keys(uri)]
        if named
        else [key for folder in folders for key in objects.keys(folder)]
    )
    for uri in found:
        objects.delete(uri)
    missing = [uri for uri in named if uri not in found]
    work.note(
        f"{len(found)} object(s) of {name} deleted{'; there is no object ' + ', '.join(missing) if missing else ''}"
    )
    return None
