"""What is known of an expression before anything runs: its type, and its value where defaults decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.check import properties
from mlops.ir import Join, Ref, Value
from mlops.ir.values import Expression, RefPath

if TYPE_CHECKING:
    from mlops.check.subject import Subject

EXECUTION_VARIABLES = (
    "StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn",
    "TrainingJobName", "ProcessingJobName",
)  # fmt: skip
"""The official SDK's complete list; the last two are the job that the step itself starts."""

EXECUTION_TIMES = ("StartDateTime", "CurrentDateTime")

ROOTS = ("Parameters", "Execution", "Steps", "PipelineExperimentConfig", "ForEach", "IterationOutput")

_HUGE = 10**400
"""Python refuses to write integers of thousands of digits."""

PARAMETER_TYPES = ("String", "Integer", "Float", "Boolean")


def kind_of(subject: Subject, expression: Expression) -> str | None:
    """String, Integer, Float, Boolean, DateTime, structure, list, map or property file; None where it is not known."""
    match expression:
        case Join():
            return "String"
        case Ref() if (path := expression.path) is not None:
            return _kind_of_path(subject, path)
    return None


def _kind_of_path(subject: Subject, path: RefPath) -> str | None:
    match path.root:
        case "Parameters" if not path.segments:
            declared = subject.parameters.get(path.name)
            kind = declared.parameter.type if declared else None
            return kind if kind in PARAMETER_TYPES else None
        case "Execution":
            return "DateTime" if path.name in EXECUTION_TIMES else "String"
        case "PipelineExperimentConfig":
            return "String"
        case "Steps":
            found = properties.read(subject, path)
            return None if isinstance(found, properties.Dead) else found.kind
    return None


def fold(subject: Subject, value: Value) -> str | None:
    """The text that a value has if every parameter keeps its default; None where something else decides too."""
    match value:
        case str():
            return value
        case True:
            return "true"
        case False:
            return "false"
        case int() | float():
            return str(value) if abs(value) < _HUGE else None
        case Join():
            texts = [fold(subject, item) for item in value.values]
            known = [text for text in texts if text is not None]
            return value.on.join(known) if len(known) == len(texts) else None
        case Ref() if (path := value.path) is not None and path.root == "Parameters" and not path.segments:
            declared = subject.parameters.get(path.name)
            default = declared.parameter.default if declared else None
            return fold(subject, default) if isinstance(default, str | bool | int | float) else None
    return None


def head(subject: Subject, value: Value) -> str:
    """The known beginning of a text."""
    if isinstance(value, Join):
        known = ""
        for index, item in enumerate(value.values):
            text = fold(subject, item)
            if index:
                known += value.on
            if text is None:
                return known + (head(subject, item) if isinstance(item, Join) else "")
            known += text
        return known
    return fold(subject, value) or ""


def literal(subject: Subject, value: Value) -> Value:
    """The value itself, or the default of the parameter that it reads; None where it is neither."""
    if isinstance(value, Ref):
        path = value.path
        if path is None or path.root != "Parameters" or path.segments:
            return None
        declared = subject.parameters.get(path.name)
        return declared.parameter.default if declared else None
    if isinstance(value, Join):
        return fold(subject, value)
    return value
