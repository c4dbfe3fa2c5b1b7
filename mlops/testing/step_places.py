"""Where a step has what it reads and writes, as a test calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.check import step_types
from mlops.ir import JobKind, S3Place, Step, UsageError
from mlops.ir.choices import instead

_CODE = "code"
"""The input in which a Processing step gets its script."""


def job_of(step: Step) -> JobKind | None:
    found = step_types().get(step.type)
    return found.job if found is not None else None


def inputs_of(step: Step) -> tuple[S3Place, ...]:
    job = job_of(step)
    return job.inputs if job is not None and isinstance(step.arguments, Mapping) else ()


def input_names(step: Step) -> tuple[str, ...]:
    request: Any = step.arguments
    return tuple(
        name for place in inputs_of(step) for name, _ in place.values(request) if place.label is None or name != _CODE
    )


def report_place(step: Step, report: str) -> tuple[str, str]:
    """The output that a report lies in, and the path in it. Raises UsageError."""
    listed: Any = step.members.get("PropertyFiles") or ()
    places = {item["PropertyFileName"]: (str(item["OutputName"]), str(item["FilePath"])) for item in listed}
    if report not in places:
        raise UsageError(f"step {step.name} has no report {report!r}{instead(report, places, 'it has')}")
    return places[report]


def output_names(step: Step) -> tuple[str, ...]:
    """As a stub and ``Execution.output`` call them."""
    job, request = job_of(step), step.arguments
    if job is None or not isinstance(request, Mapping):
        return ()
    return tuple(name for place in job.outputs for name in place.names(request))


def output_place(step: Step, name: str) -> S3Place | None:
    """None where it has no such output."""
    job, request = job_of(step), step.arguments
    if job is None or not isinstance(request, Mapping):
        return None
    return next((place for place in job.outputs if name in place.names(request)), None)


def is_packed(step: Step, output: str) -> bool:
    """One archive, and not a folder."""
    place = output_place(step, output)
    return place is not None and place.is_file


def describe_job(sagemaker: Any, step: Step, name: str) -> Mapping[str, Any]:
    job = job_of(step)
    if job is None:
        raise UsageError(f"a step of type {step.type} starts no job")
    found: Mapping[str, Any] = getattr(sagemaker, job.describe_method)(**{job.name_member: name})
    return found
