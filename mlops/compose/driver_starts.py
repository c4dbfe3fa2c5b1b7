"""What a driver starts its pipeline with, judged by the definition: names, values, steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.compose.findings import read_where, written_where
from mlops.declare.mistakes import MISTAKES
from mlops.ir import Definition, Finding, Where
from mlops.ir.choices import instead
from mlops.ir.members import get
from mlops.ir.start_values import not_given, wrong_values

_CODE = "D111"


def written_start(where: Where, request: Mapping[str, Any]) -> dict[str, Any]:
    """Of a StartPipelineExecution request what :func:`start_findings` judges."""
    given = _objects(request.get("PipelineParameters"))
    steps = _objects(get(request, "SelectiveExecutionConfig", "SelectedSteps"))
    return {
        "where": written_where(where),
        "pipeline": str(request.get("PipelineName", "")).rpartition("/")[2],
        "values": {str(item["Name"]): str(item["Value"]) for item in given if {"Name", "Value"} <= item.keys()},
        "steps": [str(item["StepName"]) for item in steps if "StepName" in item],
    }


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    """What botocore would take: nobody has judged the request."""
    return [item for item in (listed if isinstance(listed, list | tuple) else ()) if isinstance(item, Mapping)]


def start_findings(starts: Sequence[Mapping[str, Any]], definitions: Sequence[Definition]) -> list[Finding]:
    """Only of pipelines that the file makes itself; others are not known here."""
    known = {definition.name: definition for definition in definitions}
    return [
        Finding(
            _CODE,
            MISTAKES[_CODE].name,
            MISTAKES[_CODE].severity,
            f"this start is refused: {message}",
            where=read_where(start["where"]),
        )
        for start in starts
        if start["pipeline"] in known
        for message in _refused(start, known[start["pipeline"]])
    ]


def _refused(start: Mapping[str, Any], definition: Definition) -> Iterator[str]:
    yield from wrong_values(definition, start["values"])
    for name in not_given(definition, start["values"]):
        yield f"the parameter {name} has no default, and no value is given"
    steps = [placed.step.name for placed in definition.placed()]
    for name in start["steps"]:
        if name not in steps:
            yield f"there is no step {name}{instead(name, steps, 'it has')}"
