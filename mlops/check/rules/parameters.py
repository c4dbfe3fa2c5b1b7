"""Parameters and their declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops.check import expressions
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Parameter, Severity, Unknown, Value
from mlops.ir.values import expressions as expressions_in
from mlops.ir.values import pointer

_NAME = re.compile(r"[A-Za-z0-9\-_]+")
_MEMBERS = ("Name", "Type", "DefaultValue", "EnumValues", "Description")


def _each(subject: Subject) -> Iterator[tuple[str, Parameter]]:
    for index, parameter in enumerate(subject.definition.parameters):
        yield pointer("Parameters", index), parameter


def is_of_type(value: Value, kind: str) -> bool:
    match kind:
        case "String":
            return isinstance(value, str)
        case "Integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "Float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "Boolean":
            return isinstance(value, bool)
    return True


@rule("P401", "duplicate-parameter", Severity.ERROR, source="follows from the document")
def duplicate_parameter(subject: Subject) -> Iterator[Fault]:
    """Two parameters have one name.

    Bad:  [{"Name": "Depth", ...}, {"Name": "Depth", ...}]
    Good: one parameter Depth
    """
    for at, parameter in _each(subject):
        first = subject.parameters.get(parameter.name)
        if first is not None and first.at != at:
            message = f"parameter {parameter.name!r} stands at {first.at} already"
            yield Fault(at, message, "remove or rename one of them", where=parameter.where)


@rule(
    "P402",
    "parameter-name",
    Severity.ERROR,
    source="published definition schema (1-64); botocore PipelineParameterName (1-256)",
)
def parameter_name(subject: Subject) -> Iterator[Fault]:
    """A parameter's name has other characters than letters, digits, - and _. Over 64 characters is a warning: the
    sources differ about the limit.

    Bad:  "learning rate"
    Good: "LearningRate"
    """
    for at, parameter in _each(subject):
        name = parameter.name
        if not _NAME.fullmatch(name):
            message = f"{shown(name)} is no parameter name"
            yield Fault(f"{at}/Name", message, "use letters, digits, - and _", where=parameter.where)
        elif len(name) > 64:
            severity = Severity.WARNING if len(name) <= 256 else None
            message = f"parameter name of {len(name)} characters, at most 64 are safe"
            yield Fault(f"{at}/Name", message, "shorten it", where=parameter.where, severity=severity)


@rule("P403", "parameter-type", Severity.ERROR, source="official SDK's ParameterTypeEnum; AWS docs")
def parameter_type(subject: Subject) -> Iterator[Fault]:
    """A parameter's Type is none of String, Integer, Float and Boolean.

    Bad:  "Type": "Number"
    Good: "Type": "Float"
    """
    for at, parameter in _each(subject):
        kind = parameter.type
        if kind and kind not in expressions.PARAMETER_TYPES:
            message = f"{shown(kind)} is no parameter type"
            help_text = did_you_mean(kind, expressions.PARAMETER_TYPES)
            yield Fault(f"{at}/Type", message, help_text, where=parameter.where)


@rule(
    "P404",
    "default-type",
    Severity.ERROR,
    source="AWS docs: the default value must be an instance matching the parameter type",
)
def default_type(subject: Subject) -> Iterator[Fault]:
    """A default has another JSON type than the parameter.

    Bad:  {"Type": "String", "DefaultValue": 5}
    Good: {"Type": "String", "DefaultValue": "5"}
    """
    for at, parameter in _each(subject):
        default = parameter.default
        if not parameter.has_default or isinstance(default, Unknown):
            continue
        if parameter.type in expressions.PARAMETER_TYPES and not is_of_type(default, parameter.type):
            message = f"default {shown(default)} of {parameter.name!r} is no {parameter.type}"
            yield Fault(f"{at}/DefaultValue", message, "change the default or the type", where=parameter.where)


@rule("P405", "parameter-choices", Severity.ERROR, source="official SDK's parameters; AWS docs")
def parameter_choices(subject: Subject) -> Iterator[Fault]:
    """EnumValues is no list, is empty, holds another type than the parameter, or leaves out the default; a choice that
    stands twice is a warning.

    Bad:  {"Type": "String", "DefaultValue": "b", "EnumValues": ["a"]}
    Good: {"Type": "String", "DefaultValue": "a", "EnumValues": ["a"]}
    """
    for at, parameter in _each(subject):
        choices = parameter.members.get("EnumValues")
        if "EnumValues" not in parameter.members or isinstance(choices, Unknown):
            continue
        here = f"{at}/EnumValues"
        if not isinstance(choices, tuple):
            yield Fault(here, f"EnumValues is {shown(choices)}, a list is wanted", None, where=parameter.where)
            continue
        if not choices:
            yield Fault(here, "no value is allowed", "list values or remove EnumValues", where=parameter.where)
            continue
        wrong = False
        for index, choice in enumerate(choices):
            if not is_of_type(choice, parameter.type):
                wrong = True
                message = f"choice {shown(choice)} of {parameter.name!r} is no {parameter.type}"
                yield Fault(f"{here}/{index}", message, f"write it as {parameter.type}", where=parameter.where)
        if parameter.has_default and not wrong and is_of_type(parameter.default, parameter.type):
            default = parameter.default
            repeated = next((index for index, choice in enumerate(choices) if choice in choices[:index]), None)
            if repeated is not None:
                message = f"choice {shown(choices[repeated])} of {parameter.name!r} stands twice"
                at_, severity = f"{here}/{repeated}", Severity.WARNING
                yield Fault(at_, message, "remove one", where=parameter.where, severity=severity)
            if default not in choices and not isinstance(default, Unknown):
                message = f"default {shown(default)} of {parameter.name!r} is none of its EnumValues"
                yield Fault(f"{at}/DefaultValue", message, "add it or choose another", where=parameter.where)


@rule(
    "P406",
    "unknown-parameter-member",
    Severity.ERROR,
    source="the service's parser is strict (sdk#2746); published schema",
)
def unknown_parameter_member(subject: Subject) -> Iterator[Fault]:
    """A parameter has a member that the service does not know, or a Description that is no text; or (a warning) one of
    more than 4,096 characters.

    Bad:  {"Name": "Depth", "Type": "Integer", "Default": 5}
    Good: {"Name": "Depth", "Type": "Integer", "DefaultValue": 5}
    """
    for at, parameter in _each(subject):
        for name in parameter.members:
            if name not in _MEMBERS:
                message = f"a parameter has no member {name!r}"
                yield Fault(at + pointer(name), message, did_you_mean(name, _MEMBERS), where=parameter.where)
        described = parameter.members.get("Description", "")
        if not isinstance(described, str | Unknown):
            message = f"Description is {shown(described)}, a text is wanted"
            yield Fault(f"{at}/Description", message, None, where=parameter.where)
        elif isinstance(described, str) and len(described) > 4096:
            message = f"Description has {len(described)} characters, at most 4096 are safe"
            yield Fault(f"{at}/Description", message, "shorten it", where=parameter.where, severity=Severity.WARNING)


@rule(
    "P407",
    "default-too-long-to-override",
    Severity.WARNING,
    source="botocore: StartPipelineExecution Parameter.Value has at most 1024",
)
def default_too_long_to_override(subject: Subject) -> Iterator[Fault]:
    """A default is longer than any value that an execution can be started with (1,024 characters).

    Bad:  a JSON document of 2,000 characters as a default
    Good: the S3 URI of that document
    """
    for at, parameter in _each(subject):
        if isinstance(parameter.default, str) and len(parameter.default) > 1024:
            message = f"default of {parameter.name!r} has {len(parameter.default)} characters, an override at most 1024"
            yield Fault(f"{at}/DefaultValue", message, "pass the URI of a file", where=parameter.where)


@rule(
    "P408",
    "too-many-parameters",
    Severity.WARNING,
    source="botocore: StartPipelineExecution takes at most 200 parameters",
)
def too_many_parameters(subject: Subject) -> Iterator[Fault]:
    """More parameters than one start of an execution can set.

    Bad:  201 parameters
    Good: a configuration file in S3, and its URI as a parameter
    """
    count = len(subject.definition.parameters)
    if count > 200:
        yield Fault("/Parameters", f"{count} parameters, a start can set at most 200", "put some into a file")


@rule("P409", "unused-parameter", Severity.INFO, source="44 of 267 public definitions have one")
def unused_parameter(subject: Subject) -> Iterator[Fault]:
    """A parameter that nothing reads.

    Bad:  a parameter Depth, and "max_depth": "5"
    Good: "max_depth": {"Get": "Parameters.Depth"}
    """
    if any(
        isinstance(expression, Unknown)
        for placed in subject.definition.placed()
        for _, expression in expressions_in(placed.step.arguments)
    ):
        return  # what reads it may stand where a mistake was reported
    used = {reading.path.name for reading in subject.readings if reading.path.root == "Parameters"}
    for at, parameter in _each(subject):
        if parameter.name and parameter.name not in used:
            message = f"nothing reads parameter {parameter.name!r}"
            yield Fault(at, message, "use or remove it", where=parameter.where)
