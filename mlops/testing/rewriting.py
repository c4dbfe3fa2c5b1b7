"""Definitions with some steps taken out: what others read of those is put in as a plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlops.ir import Block, Definition, Join, JsonGet, Ref, Step, UsageError, Value
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
    arguments = step.arguments
    for place, label in _INPUT_LISTS:
        arguments = _with_sources(arguments, place, label, sources)
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


_INPUT_LISTS = (("ProcessingInputs", "InputName"), ("InputDataConfig", "ChannelName"))
_CODE = "code"


def input_names(step: Step) -> tuple[str, ...]:
    return tuple(
        str(item[label])
        for place, label in _INPUT_LISTS
        for item in _items(step.arguments, place)
        if label in item and not (place == "ProcessingInputs" and item[label] == _CODE)
    )


def _items(arguments: Any, place: str) -> list[Mapping[str, Any]]:
    listed = arguments.get(place) if isinstance(arguments, Mapping) else None
    return [item for item in listed or () if isinstance(item, Mapping)]


def _with_sources(arguments: Any, place: str, label: str, sources: Mapping[str, str]) -> Any:
    if not _items(arguments, place):
        return arguments
    return {**arguments, place: tuple(_with_source(item, sources.get(item.get(label))) for item in arguments[place])}


def _with_source(item: Any, uri: str | None) -> Any:
    if uri is None:
        return item
    if "S3Input" in item:
        return {**item, "S3Input": {**item["S3Input"], "S3Uri": uri}}
    source = item["DataSource"]
    return {**item, "DataSource": {**source, "S3DataSource": {**source["S3DataSource"], "S3Uri": uri}}}


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
            case ("ModelArtifacts", "S3ModelArtifacts"):
                name, found = "the output model", uris.get("model")
            case ("TransformOutput", "S3OutputPath"):
                name, found = "the output output", uris.get("output")
            case ("ProcessingOutputConfig", "Outputs", Key(text=output), "S3Output", "S3Uri"):
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


def report_place(step: Step, report: str) -> tuple[str, str]:
    """The output that a report lies in, and the path in it. Raises UsageError."""
    listed: Any = step.members.get("PropertyFiles") or ()
    places = {item["PropertyFileName"]: (str(item["OutputName"]), str(item["FilePath"])) for item in listed}
    if report not in places:
        raise UsageError(f"step {step.name} has no report {report!r}; it has {', '.join(places) or 'none'}")
    return places[report]


def output_names(step: Step) -> tuple[str, ...]:
    """As a stub and ``Execution.output`` call them."""
    arguments: Any = step.arguments
    match step.type:
        case "Training":
            return ("model",)
        case "Transform":
            return ("output",)
        case "Processing":
            outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", ())
            return tuple(str(output["OutputName"]) for output in outputs)
    return ()
