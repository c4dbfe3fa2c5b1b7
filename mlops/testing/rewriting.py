"""Definitions with some steps taken out: what others read of those is put in as a plain value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlops.ir import Block, Definition, Join, JsonGet, Ref, Step, UsageError, Value
from mlops.ir.values import refs, transform
from mlops.testing.answers import Answers, is_job_name
from mlops.testing.step_places import input_names, inputs_of


def without_steps(definition: Definition, answers: Mapping[str, Answers]) -> Definition:
    """``answers`` has an entry for each step that is taken out."""
    return replace(definition, steps=_kept(definition.steps, answers))


def only_step(
    definition: Definition, step: Step, sources: Mapping[str, str], given: Mapping[str, object]
) -> Definition:
    """The definition of one step. ``sources`` are S3 URIs by the names of inputs or channels; ``given`` parameters
    stay, and those that the step reads. Raises UsageError for what the step would still read of others."""
    arguments: Any = step.arguments
    for place in inputs_of(step):
        arguments = place.with_uris(arguments, sources)
    members = {name: value for name, value in step.members.items() if name != "DependsOn"}
    alone = replace(step, arguments=arguments, members=members)
    paths = [path for _, ref in refs((arguments, members)) if (path := ref.path) is not None]
    open_ends = sorted({ref.expression for _, ref in refs((arguments, members)) if ref.expression.startswith("Steps.")})
    open_inputs = _open_inputs(step, sources)
    if open_inputs:
        files = ", ".join(f'"{name}": FILE' for name in open_inputs)
        come = "; ".join(f"{name} comes from {', '.join(steps)}" for name, steps in open_inputs.items())
        raise UsageError(f"step {step.name} alone is to be given inputs={{{files}}}: {come}")
    if open_ends:
        raise UsageError(
            f"step {step.name} reads of other steps what no input gives: {', '.join(open_ends)}",
            hint=f"its inputs are {', '.join(input_names(step)) or 'none'}; stubs of run_pipeline give the rest",
        )
    wanted = {path.name for path in paths if path.root == "Parameters"} | set(given)
    parameters = tuple(parameter for parameter in definition.parameters if parameter.name in wanted)
    return replace(definition, steps=(alone,), parameters=parameters)


def _open_inputs(step: Step, sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Inputs that are not given and come from other steps, with those."""
    request: Any = step.arguments
    found: dict[str, list[str]] = {}
    for place in inputs_of(step):
        for name, value in place.values(request):
            paths = [path for _, ref in refs(value) if (path := ref.path) is not None and path.root == "Steps"]
            if paths and name not in sources:
                found[name] = list(dict.fromkeys(path.name for path in paths))
    return found


def _kept(steps: tuple[Step, ...], answers: Mapping[str, Answers]) -> tuple[Step, ...]:
    return tuple(_rewritten(step, answers) for step in steps if step.name not in answers)


def _rewritten(step: Step, answers: Mapping[str, Answers]) -> Step:
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


def _answered(value: Value, answers: Mapping[str, Answers]) -> Value:
    def change(expression: Any) -> Value:
        match expression:
            case Ref():
                path = expression.path
                taken = path is not None and path.root == "Steps" and path.name in answers
                return answers[path.name].of(path) if taken and path is not None else expression
            case Join():
                if (model := _best_model(expression, answers)) is not None:
                    return model
                return Join(expression.on, tuple(transform(item, change) for item in expression.values))
            case JsonGet():
                file = transform(expression.property_file, change)
                where = transform(expression.path, change)
                if file == expression.property_file:
                    return JsonGet(where, file, transform(expression.s3_uri, change))
                return JsonGet(where, s3_uri=file)
        return expression  # type: ignore[no-any-return]

    return transform(value, change)


_MODEL_FILE = "output/model.tar.gz"


def _best_model(joined: Join, answers: Mapping[str, Answers]) -> Value | None:
    """A tuning's model is no property: its URI is put together around the name of one of its jobs."""
    for value in joined.values:
        path = value.path if isinstance(value, Ref) else None
        if path is not None and path.root == "Steps" and path.name in answers and is_job_name(path):
            last = joined.values[-1]
            return answers[path.name].model if isinstance(last, str) and last.endswith(_MODEL_FILE) else None
    return None
