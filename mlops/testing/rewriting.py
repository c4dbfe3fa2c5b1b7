"""Definitions with some steps taken out: what others read of those is put in as a plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlops.check import step_types
from mlops.ir import Block, Definition, JobKind, Join, JsonGet, Ref, S3Place, Step, UsageError, Value
from mlops.ir.values import Key, RefPath, refs, transform

Answer = Callable[[RefPath], Value]
"""The value that stands for an expression on a step that is taken out. Raises UsageError where nothing was given."""


def without_steps(definition: Definition, answers: Mapping[str, Answer]) -> Definition:
    """``answers`` has an entry for each step that is taken out."""
    return replace(definition, steps=_kept(definition.steps, answers))


def only_step(
    definition: Definition, step: Step, sources: Mapping[str, str], given: Mapping[str, object]
) -> Definition:
    """The definition of one step. ``sources`` are S3 URIs by the names of inputs or channels; ``given`` parameters
    stay, and those that the step reads. Raises UsageError for what the step would still read of others."""
    arguments: Any = step.arguments
    for place in _inputs(step):
        arguments = place.with_uris(arguments, sources)
    members = {name: value for name, value in step.members.items() if name != "DependsOn"}
    alone = replace(step, arguments=arguments, members=members)
    paths = [path for _, ref in refs((arguments, members)) if (path := ref.path) is not None]
    open_ends = sorted({ref.expression for _, ref in refs((arguments, members)) if ref.expression.startswith("Steps.")})
    if open_ends:
        raise UsageError(
            f"step {step.name} reads of other steps what no input gives: {', '.join(open_ends)}",
            hint=f"its inputs are {', '.join(input_names(step)) or 'none'}; stubs of run_pipeline give the rest",
        )
    wanted = {path.name for path in paths if path.root == "Parameters"} | set(given)
    parameters = tuple(parameter for parameter in definition.parameters if parameter.name in wanted)
    return replace(definition, steps=(alone,), parameters=parameters)


_CODE = "code"
"""The input in which a Processing step gets its script."""


def _job(step: Step) -> JobKind | None:
    found = step_types().get(step.type)
    return found.job if found is not None else None


def _inputs(step: Step) -> tuple[S3Place, ...]:
    job = _job(step)
    return job.inputs if job is not None and isinstance(step.arguments, Mapping) else ()


def input_names(step: Step) -> tuple[str, ...]:
    request: Any = step.arguments
    return tuple(
        name for place in _inputs(step) for name, _ in place.values(request) if place.label is None or name != _CODE
    )


def _kept(steps: tuple[Step, ...], answers: Mapping[str, Answer]) -> tuple[Step, ...]:
    return tuple(_rewritten(step, answers) for step in steps if step.name not in answers)


def _rewritten(step: Step, answers: Mapping[str, Answer]) -> Step:
    members = {name: _answered(value, answers) for name, value in step.members.items()}
    listed = members.get("DependsOn")
    if isinstance(listed, tuple):
        left = tuple(
            item for item in listed if (item.get("Step") if isinstance(item, Mapping) else item) not in answers
        )
        members["DependsOn"] = left
        if not left:
            del members["DependsOn"]
    blocks = tuple(Block(block.member, _kept(block.steps, answers)) for block in step.blocks)
    return replace(step, arguments=_answered(step.arguments, answers), members=members, blocks=blocks)


def _answered(value: Value, answers: Mapping[str, Answer]) -> Value:
    def change(expression: Any) -> Value:
        match expression:
            case Ref():
                path = expression.path
                return (
                    answers[path.name](path) if path and path.root == "Steps" and path.name in answers else expression
                )
            case Join():
                return Join(expression.on, tuple(transform(item, change) for item in expression.values))
            case JsonGet():
                file = transform(expression.property_file, change)
                where = transform(expression.path, change)
                if file == expression.property_file:
                    return JsonGet(where, file, transform(expression.s3_uri, change))
                return JsonGet(where, s3_uri=file)
        return expression  # type: ignore[no-any-return]

    return transform(value, change)


def stub_answer(step: Step, uris: Mapping[str, str], metrics: Mapping[str, float]) -> Answer:
    """``uris`` by the names of outputs."""

    def answer(path: RefPath) -> Value:
        match path.segments:
            case segments if (output := _output_read(step, segments)) is not None:
                name, found = f"the output {output}", uris.get(output)
            case ("PropertyFiles", str() as report):
                output, file = report_place(step, report)
                name, found = f"the output {output}", uris.get(output) and f"{uris[output]}/{file}"
            case ("FinalMetricDataList", Key(text=metric), "Value"):
                if metric in metrics:
                    return metrics[metric]
                name, found = f"the metric {metric}", None
            case _:
                name, found = f"{'.'.join(map(str, path.segments))} (no stub can have it)", None
        if found is None:
            raise UsageError(f"the stub of {step.name} lacks what other steps read: {name}")
        return found

    return answer


def _output_read(step: Step, segments: tuple[object, ...]) -> str | None:
    job = _job(step)
    places = job.outputs if job is not None else ()
    return next((name for place in places if (name := place.named_by(segments)) is not None), None)


def report_place(step: Step, report: str) -> tuple[str, str]:
    """The output that a report lies in, and the path in it. Raises UsageError."""
    listed: Any = step.members.get("PropertyFiles") or ()
    places = {item["PropertyFileName"]: (str(item["OutputName"]), str(item["FilePath"])) for item in listed}
    if report not in places:
        raise UsageError(f"step {step.name} has no report {report!r}; it has {', '.join(places) or 'none'}")
    return places[report]


def output_names(step: Step) -> tuple[str, ...]:
    """As a stub and ``Execution.output`` call them."""
    job, request = _job(step), step.arguments
    if job is None or not isinstance(request, Mapping):
        return ()
    return tuple(name for place in job.outputs for name in place.names(request))


def output_place(step: Step, name: str) -> S3Place | None:
    """None where it has no such output."""
    job, request = _job(step), step.arguments
    if job is None or not isinstance(request, Mapping):
        return None
    return next((place for place in job.outputs if name in place.names(request)), None)


def is_packed(step: Step, output: str) -> bool:
    """One archive, and not a folder."""
    place = output_place(step, output)
    return place is not None and place.is_file


def describe_job(sagemaker: Any, step: Step, name: str) -> Mapping[str, Any]:
    job = _job(step)
    if job is None:
        raise UsageError(f"a step of type {step.type} starts no job")
    found: Mapping[str, Any] = getattr(sagemaker, job.describe_method)(**{job.name_member: name})
    return found
