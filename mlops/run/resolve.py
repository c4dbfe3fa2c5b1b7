"""Expressions to plain JSON, at the moment when a step starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops.ir import Checked, Join, JsonGet, Ref, Unknown, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.json_path import PathMissing, holds, walk
from mlops.ir.local_files import how_it_comes
from mlops.ir.values import Key, RefPath, parse_expression
from mlops.run.outcome import StepFailed
from mlops.run.ports import Documents, Execution, ObjectMissing
from mlops.run.work import stamp


@dataclass(frozen=True, slots=True)
class Context:
    """``responses`` has the finished steps. ``job_name`` is the job that the asking step is about to launch."""

    checked: Checked
    execution: Execution
    objects: Documents
    responses: Mapping[str, Mapping[str, Any]]
    now: datetime
    job_name: str | None = None


def resolve(value: Value, context: Context) -> Any:
    """A copy in dicts and lists without expressions. Raises :class:`StepFailed`."""
    match value:
        case Ref():
            return _get(value.expression, context)
        case Join():
            return value.on.join(as_text(resolve(item, context)) for item in value.values)
        case JsonGet():
            return _json_get(value, context)
        case Unknown():
            raise StepFailed("a value with a reported mistake cannot be evaluated")
        case Mapping():
            return {key: resolve(item, context) for key, item in value.items()}
        case tuple():
            return [resolve(item, context) for item in value]
    return value


def as_text(value: Any) -> str:
    """A scalar where only text may stand: in a Join, a hyperparameter, an environment variable.

    How the service spells floats and booleans is not documented; this is the JSON spelling.

    >>> as_text(1.0), as_text(True), as_text("a")
    ('1.0', 'true', 'a')
    """
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
    raise StepFailed(f"text or a number was needed, found {json.dumps(value):.200}")


def as_texts(values: Any) -> dict[str, str]:
    """For maps of strings such as HyperParameters and Environment: a parameter of another type becomes text."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise StepFailed(f"an object was needed, found {json.dumps(values):.200}")
    return {str(key): as_text(value) for key, value in values.items()}


def _get(expression: str, context: Context) -> Any:
    path = parse_expression(expression)
    if path is None:
        raise StepFailed(f"{expression!r} is not an expression")
    match path.root:
        case "Parameters":
            if path.name not in context.execution.parameters or path.segments:
                raise StepFailed(f"{expression}: the pipeline has no such parameter")
            return context.execution.parameters[path.name]
        case "Execution":
            return _execution_variable(path.name, expression, context)
        case "PipelineExperimentConfig":
            config = context.checked.definition.members.get("PipelineExperimentConfig")
            if not isinstance(config, Mapping) or path.name not in config:
                raise StepFailed(f"{expression}: the pipeline has no such experiment setting")
            setting = config[path.name]
            if isinstance(setting, Ref) and setting.expression.startswith("PipelineExperimentConfig."):
                raise StepFailed(f"{expression} refers to itself")
            return resolve(setting, context)
        case "Steps":
            return _step_property(path, expression, context)
    raise StepFailed(f"{expression} cannot be evaluated on this machine yet")


def _execution_variable(name: str, expression: str, context: Context) -> Any:
    execution = context.execution
    match name:
        case "StartDateTime":
            return stamp(execution.started)
        case "CurrentDateTime":
            return stamp(context.now)
        case "PipelineName":
            return execution.pipeline_name
        case "PipelineArn":
            return execution.pipeline_arn
        case "PipelineExecutionId":
            return execution.execution_id
        case "PipelineExecutionArn":
            return execution.execution_arn
        case "TrainingJobName" | "ProcessingJobName":
            if context.job_name is None:
                raise StepFailed(f"{expression}: this step launches no job")
            return context.job_name
    raise StepFailed(f"{expression} is not an execution variable")


def _step_property(path: RefPath, expression: str, context: Context) -> Any:
    if path.name not in context.responses:
        raise StepFailed(f"{expression}: step {path.name} has no result, it did not run")
    step = context.checked.definition.step(path.name)
    step_type = context.checked.type_of(step) if step else None
    keyed = step_type.keyed if step_type else {}
    here: Any = context.responses[path.name]
    members: list[str] = []
    for segment in path.segments:
        found: Any = None
        match segment:
            case str():
                members.append(segment)
                found = here.get(segment) if isinstance(here, Mapping) else None
            case int():
                found = here[segment] if isinstance(here, list | tuple) and segment < len(here) else None
            case Key() if isinstance(here, Mapping):
                found = here.get(segment.text)
            case Key() if isinstance(here, list | tuple):
                name_member = keyed.get(".".join(members))
                found = next((item for item in here if name_member and item.get(name_member) == segment.text), None)
        if found is None:
            raise StepFailed(f"{expression}: the result of step {path.name} has no such member; {holds(here)}")
        here = found
    return here


def _json_get(value: JsonGet, context: Context) -> Any:
    where, uri = _json_document(value, context)
    path = resolve(value.path, context)
    if not isinstance(path, str):
        raise StepFailed(f"{where}: a path was needed, found {path!r}")
    try:
        raw = context.objects.read(uri)
    except ObjectMissing as missing:
        how = f"; {how_it_comes(uri)}" if value.s3_uri is not None else ""
        raise StepFailed(f"{where} does not exist: nothing is stored at {uri}{how}") from missing
    try:
        document = json.loads(raw)
    except ValueError as fault:
        raise StepFailed(f"{where} at {uri} is not JSON: {fault}") from fault
    try:
        return walk(document, path)
    except PathMissing as missing:
        raise StepFailed(f"{where} has {missing}") from missing


def _json_document(value: JsonGet, context: Context) -> tuple[str, str]:
    """What to call the file in a message, and its URI."""
    if value.s3_uri is not None:
        uri = resolve(value.s3_uri, context)
        if not isinstance(uri, str) or not uri.startswith("s3://"):
            raise StepFailed(f"JsonGet needs an s3:// URI, found {uri!r}")
        return "the file", uri
    path = value.property_file.path if isinstance(value.property_file, Ref) else None
    match path:
        case RefPath("Steps", step_name, ("PropertyFiles", str(name) | Key(name))):
            pass
        case _:
            raise StepFailed("the PropertyFile of a JsonGet is to be {'Get': 'Steps.<step>.PropertyFiles.<name>'}")
    where = f"Steps.{step_name} property file {name}"
    step = context.checked.definition.step(step_name)
    listed = step.members.get("PropertyFiles") if step else None
    declared = next(
        (
            item
            for item in (listed if isinstance(listed, tuple) else ())
            if isinstance(item, Mapping) and item.get("PropertyFileName") == name
        ),
        None,
    )
    if declared is None:
        raise StepFailed(f"{where} is not declared in that step's PropertyFiles")
    if step_name not in context.responses:
        raise StepFailed(f"{where}: step {step_name} has no result, it did not run")
    outputs = context.responses[step_name].get("ProcessingOutputConfig", {}).get("Outputs", [])
    output = next((item for item in outputs if item.get("OutputName") == declared.get("OutputName")), None)
    folder = (output or {}).get("S3Output", {}).get("S3Uri")
    if not isinstance(folder, str):
        raise StepFailed(f"{where}: the step has no output {declared.get('OutputName')!r} in S3")
    return where, f"{folder.rstrip('/')}/{str(declared.get('FilePath')).lstrip('/')}"
