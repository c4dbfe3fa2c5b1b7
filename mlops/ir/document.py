"""A definition as the document in JSON that it stands for: the inverse of :mod:`mlops.ir.reader`."""

from __future__ import annotations

import json
from typing import Any

from mlops.ir.definition import Definition, Parameter, Step
from mlops.ir.values import to_json


def document(definition: Definition) -> dict[str, Any]:
    """The document as plain JSON, members in the order of the service's guide."""
    members = {key: to_json(value) for key, value in definition.members.items()}
    if definition.has_parameters:
        members["Parameters"] = [_parameter(parameter) for parameter in definition.parameters]
    if "Steps" not in members:
        members["Steps"] = [_step(step) for step in definition.steps]
    first = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig")
    ordered = [key for key in first if key in members]
    ordered += [key for key in members if key not in first and key != "Steps"]
    return {key: members[key] for key in (*ordered, "Steps")}


def compact(definition: Definition) -> str:
    """Without white space: what goes into an account, where its length counts."""
    return json.dumps(document(definition), separators=(",", ":"), ensure_ascii=False)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    written: dict[str, Any] = {"Name": parameter.name}
    if parameter.has_type:
        written["Type"] = parameter.type
    return written | {key: to_json(value) for key, value in parameter.members.items()}


def _step(step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {"Name": step.name, "Type": step.type}
    if step.has_arguments:
        arguments = to_json(step.arguments)
        if isinstance(arguments, dict):
            arguments |= {block.member: [_step(inner) for inner in block.steps] for block in step.blocks}
        written["Arguments"] = arguments
    return written | {key: to_json(value) for key, value in step.members.items()}
