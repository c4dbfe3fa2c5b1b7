"""Expressions that are none, and references to what does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check import expressions, properties
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import is_expression_attempt
from mlops.check.subject import Site, Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Unknown, Value
from mlops.ir.values import LITERALS, pointer

_PLAIN_MEMBERS = frozenset(
    {"DisplayName", "Description", "DependsOn", "CacheConfig", "RetryPolicies", "PropertyFiles", "OutputParameters",
     "FunctionArn", "SqsQueueUrl", "CheckType"}
)  # fmt: skip

_PERHAPS_PLAIN = frozenset({"FunctionArn", "SqsQueueUrl"})
"""An AWS notebook has an expression as its SqsQueueUrl."""


def _attempts(value: Value, at: str, found: list[tuple[str, Mapping[str, Value]]]) -> None:
    """Objects in a value, also inside of expressions, that can only be meant as an expression and are none. A walk over
    the whole document, so without generators, and the common kinds first."""
    if isinstance(value, LITERALS):
        return
    if isinstance(value, dict):
        if is_expression_attempt(value):
            found.append((at, value))
        for key, item in value.items():
            if not isinstance(item, LITERALS):
                _attempts(item, at + pointer(key), found)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _attempts(item, f"{at}/{index}", found)
    elif isinstance(value, Join):
        _attempts(value.values, f"{at}/Std:Join/Values", found)
    elif isinstance(value, JsonGet):
        _attempts(value.property_file, f"{at}/Std:JsonGet/PropertyFile", found)
        _attempts(value.s3_uri, f"{at}/Std:JsonGet/S3Uri", found)
        _attempts(value.path, f"{at}/Std:JsonGet/Path", found)
    elif isinstance(value, Mapping):
        _attempts(dict(value), at, found)


def _values(subject: Subject) -> Iterator[tuple[str, Value, Placed | None]]:
    for name, value in subject.definition.members.items():
        yield pointer(name), value, None
    for placed in subject.placed:
        for name, value in placed.step.members.items():
            yield placed.pointer + pointer(name), value, placed
        yield f"{placed.pointer}/Arguments", placed.step.arguments, placed


@rule("R301", "malformed-expression", Severity.ERROR, source="the official SDK's functions and the service's parser")
def malformed_expression(subject: Subject) -> Iterator[Fault]:
    """An object can only be meant as an expression, but is none.

    Known are {"Get": "<text>"}, {"Std:Join": {"On": "<text>", "Values": [...]}} and {"Std:JsonGet": {"PropertyFile":
    {"Get": ...}, "Path": "<text>"}} (or S3Uri in place of PropertyFile).

    Bad:  {"Std:Concat": ["a", "b"]}
    Good: {"Std:Join": {"On": "", "Values": ["a", "b"]}}
    """
    for start, value, placed in _values(subject):
        found: list[tuple[str, Mapping[str, Value]]] = []
        _attempts(value, start, found)
        for at, item in found:
            ((key, body),) = item.items()
            yield Fault(*_malformed(at, key, body), placed)


def _malformed(at: str, key: str, body: Value) -> tuple[str, str, str | None]:
    known = ("Get", "Std:Join", "Std:JsonGet")
    if key not in known:
        return at, f"there is no function {key!r}", did_you_mean(key, known)
    if key == "Get":
        return f"{at}/Get", "Get wants a text", 'write {"Get": "Steps.Train.TrainingJobName"}'
    here = at + pointer(key)
    if not isinstance(body, Mapping):
        return here, f"{key} wants an object", None
    wanted = {"On", "Values"} if key == "Std:Join" else {"PropertyFile", "Path"}
    if key == "Std:JsonGet" and "S3Uri" in body:
        if "PropertyFile" in body:
            return f"{here}/S3Uri", "Std:JsonGet has both PropertyFile and S3Uri", "keep one of them"
        wanted = {"S3Uri", "Path"}
    for name in sorted(wanted - set(body)):
        return here, f"{key} has no {name}", f"add {name}"
    for name in body:
        if name not in wanted:
            return here + pointer(name), f"{key} has no member {name!r}", did_you_mean(name, wanted)
    if key == "Std:Join":
        name, kind = ("On", "a text") if not isinstance(body["On"], str) else ("Values", "a list")
        return f"{here}/{name}", f"{name} of Std:Join wants {kind}", None
    return here, f"{key} is not understood", None


@rule(
    "R302",
    "malformed-reference",
    Severity.ERROR,
    source="path grammar of the official SDK's properties: .Member, [0], ['key']",
)
def malformed_reference(subject: Subject) -> Iterator[Fault]:
    """A Get that is no path, that starts with something unknown, or that has a key in double quotes.

    Bad:  {"Get": "Params.Depth"}, {"Get": "Steps.Train.Outputs[train]"}
    Good: {"Get": "Parameters.Depth"}, {"Get": "Steps.Train.Outputs['train']"}
    """
    for site in subject.sites:
        if not isinstance(site.expression, Ref):
            continue
        at, text = f"{site.at}/Get", site.expression.expression
        path = site.expression.path
        root = path.root if path else text.partition(".")[0]
        if root not in expressions.ROOTS:
            guess = f"write Parameters.{text}" if text in subject.parameters else None
            guess = guess or did_you_mean(root, expressions.ROOTS)
            yield Fault(at, f"{text!r} starts with nothing that can be read", guess, site.placed)
        elif path is None:
            help_text = "write Root.Name, then .Member, [0] or ['key']"
            yield Fault(at, f"{text!r} is no path", help_text, site.placed)
        elif '["' in text:
            help_text = "write it in single quotes"
            yield Fault(at, f"{text!r} has a key in double quotes", help_text, site.placed)


@rule("R303", "undeclared-parameter", Severity.ERROR, source="AWS docs: a parameter that is used must be declared")
def undeclared_parameter(subject: Subject) -> Iterator[Fault]:
    """A reference to a parameter that is not in Parameters, or into a parameter, which is a plain value.

    Bad:  {"Get": "Parameters.Dpeth"}
    Good: {"Get": "Parameters.Depth"}
    """
    for reading in subject.readings:
        site, path = reading.site, reading.path
        if path.root != "Parameters":
            continue
        if path.name not in subject.parameters:
            help_text = did_you_mean(path.name, subject.parameters) or f"declare {path.name}"
            yield Fault(f"{site.at}/Get", f"parameter {path.name!r} is not declared", help_text, site.placed)
        elif path.segments:
            message = f"parameter {path.name!r} is a plain value, nothing is below it"
            yield Fault(f"{site.at}/Get", message, f"write Parameters.{path.name}", site.placed)


@rule("R304", "unknown-execution-variable", Severity.ERROR, source="official SDK's execution_variables (complete list)")
def unknown_execution_variable(subject: Subject) -> Iterator[Fault]:
    """A reference to an execution variable, or a member of PipelineExperimentConfig, that does not exist.

    Bad:  {"Get": "Execution.PipelineId"}
    Good: {"Get": "Execution.PipelineExecutionId"}
    """
    known = {
        "Execution": expressions.EXECUTION_VARIABLES,
        "PipelineExperimentConfig": ("ExperimentName", "TrialName"),
    }
    for reading in subject.readings:
        path = reading.path
        names = known.get(path.root)
        if names is not None and (path.name not in names or path.segments):
            message = f"there is no {reading.site.expression.expression}"  # type: ignore[union-attr]
            yield Fault(f"{reading.site.at}/Get", message, did_you_mean(path.name, names), reading.site.placed)


_OWN_JOB = {
    "TrainingJobName": ("Training",),
    "ProcessingJobName": ("Processing", "QualityCheck", "ClarifyCheck"),
}


@rule("R311", "job-name-without-job", Severity.WARNING, source="official SDK: the job that the step itself starts")
def job_name_without_job(subject: Subject) -> Iterator[Fault]:
    """Execution.TrainingJobName or Execution.ProcessingJobName in a step that starts no such job. Each stands for the
    job of the step where it is written.

    Bad:  Execution.TrainingJobName in a Model step
    Good: {"Get": "Steps.Train.TrainingJobName"}
    """
    for reading in subject.readings:
        site, path = reading.site, reading.path
        kinds = _OWN_JOB.get(path.name) if path.root == "Execution" else None
        if kinds is not None and (site.placed is None or site.placed.step.type not in kinds):
            help_text = f"read Steps.<step>.{path.name}"
            yield Fault(f"{site.at}/Get", f"{path.name} is the name of the step's own job", help_text, site.placed)


@rule("R305", "undeclared-step", Severity.ERROR, source="follows from the document")
def undeclared_step(subject: Subject) -> Iterator[Fault]:
    """A reference to a step that does not exist.

    Bad:  {"Get": "Steps.Tarin.TrainingJobName"}
    Good: {"Get": "Steps.Train.TrainingJobName"}
    """
    for reading in subject.readings:
        path = reading.path
        if path.root == "Steps" and path.name not in subject.by_name:
            help_text = did_you_mean(path.name, subject.by_name) or "name a step of this pipeline"
            yield Fault(f"{reading.site.at}/Get", f"there is no step {path.name!r}", help_text, reading.site.placed)


@rule("R306", "unknown-property", Severity.ERROR, source="botocore's response shapes; AWS docs on properties")
def unknown_property(subject: Subject) -> Iterator[Fault]:
    """A property path leads nowhere: the step's response has no such member, or the step declares no such item.

    Bad:  {"Get": "Steps.Train.ModelArtefacts.S3ModelArtifacts"}
    Good: {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    """
    for reading in subject.readings:
        site = reading.site
        if reading.path.root != "Steps" or (site.placed and reading.path.name == site.placed.step.name):
            continue
        found = properties.read(subject, reading.path)
        if isinstance(found, properties.Dead):
            severity = Severity.WARNING if found.doubtful else None
            yield Fault(f"{site.at}/Get", found.message, found.help, site.placed, severity=severity)


@rule("R307", "foreach-reference-outside", Severity.ERROR, source="official SDK 3.27 for_each_step")
def foreach_reference_outside(subject: Subject) -> Iterator[Fault]:
    """ForEach.CurrentItem outside of a ForEach's body, or IterationOutput outside of its Selector.

    Bad:  {"Get": "ForEach.CurrentItem.name"} in a top-level step
    Good: the same in a step of ForEachBody
    """
    for reading in subject.readings:
        site, path = reading.site, reading.path
        at = f"{site.at}/Get"
        if path.root == "ForEach":
            inside = site.placed and any(member == "ForEachBody" for _, member in site.placed.branches)
            if path.name != "CurrentItem":
                yield Fault(at, f"there is no ForEach.{path.name}", "write ForEach.CurrentItem", site.placed)
            elif not inside:
                yield Fault(
                    at,
                    "there is no current item outside of a ForEach's body",
                    "move the step into its body",
                    site.placed,
                )
        elif path.root == "IterationOutput":
            if site.placed is None or not site.at.startswith(f"{site.placed.pointer}/Arguments/Selector/"):
                yield Fault(at, "IterationOutput has a meaning only in a ForEach's Selector", None, site.placed)
                continue
            found = properties.body_property(subject, site.placed, path.name, path.segments)
            if isinstance(found, properties.Dead):
                yield Fault(at, found.message, found.help, site.placed)


@rule(
    "R308",
    "expression-in-plain-member",
    Severity.ERROR,
    source="the official SDK never writes one there; the published schema has plain strings",
)
def expression_in_plain_member(subject: Subject) -> Iterator[Fault]:
    """An expression where the service reads plain JSON only: names, DependsOn, caches, retries, property files,
    outputs. Where a public pipeline does it, this is a warning.

    Bad:  "FunctionArn": {"Get": "Parameters.Function"}
    Good: "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:score"
    """
    for site in subject.sites:
        if site.placed is None or isinstance(site.expression, Unknown):
            continue
        member = site.at[len(site.placed.pointer) + 1 :].partition("/")[0]
        if member in _PLAIN_MEMBERS and not _nested(site):
            severity = Severity.WARNING if member in _PERHAPS_PLAIN else None
            message = f"{member} takes no expression"
            yield Fault(site.at, message, "write the value itself", site.placed, severity=severity)


_MANY = ("structure", "list", "map")


def _nested(site: Site) -> bool:
    return "/Std:Join/" in site.at or "/Std:JsonGet/" in site.at


_EXPRESSION_TEXT = re.compile(r'\s*\{\s*"(Get|Std:Join|Std:JsonGet)"\s*:')


@rule("R309", "expression-as-text", Severity.WARNING, source="seen where json.dumps is called on an expression")
def expression_as_text(subject: Subject) -> Iterator[Fault]:
    """A text that holds the JSON of an expression. The service passes it on as it is.

    Bad:  "LABEL": "{\\"Get\\": \\"Parameters.Label\\"}"
    Good: "LABEL": {"Get": "Parameters.Label"}
    """
    for at, text, placed in subject.texts:
        if '"' in text and _EXPRESSION_TEXT.match(text):
            yield Fault(
                at,
                "this is an expression in quotes, which is taken as plain text",
                "write the object without quotes",
                placed,
            )


@rule("R310", "join-of-object", Severity.ERROR, source="the service joins texts; seen in the published schema")
def join_of_object(subject: Subject) -> Iterator[Fault]:
    """Std:Join of an object, a list or null, or of a reference to one. Only texts and numbers can be joined.

    Bad:  {"Std:Join": {"On": "/", "Values": ["s3://b", {"a": 1}]}}
    Good: {"Std:Join": {"On": "/", "Values": ["s3://b", "a"]}}
    """
    for site in subject.sites:
        if not isinstance(site.expression, Join):
            continue
        if not site.expression.values:
            yield Fault(f"{site.at}/Std:Join/Values", "Std:Join of nothing", "add what to join", site.placed)
        for index, value in enumerate(site.expression.values):
            at = f"{site.at}/Std:Join/Values/{index}"
            if value is None:
                yield Fault(at, "null in a Std:Join", "leave it out", site.placed, severity=Severity.WARNING)
            elif isinstance(value, tuple) or (isinstance(value, Mapping) and not is_expression_attempt(value)):
                yield Fault(at, "an object or a list cannot be joined", "join texts", site.placed)
            elif isinstance(value, Ref) and (kind := expressions.kind_of(subject, value)) in _MANY:
                help_text = "name one of its members" if kind == "structure" else "pick one of its items"
                yield Fault(f"{at}/Get", f"{value.expression} is a {kind}, which has no text", help_text, site.placed)


_BY_DOT = re.compile(r"\.OutputParameters\.(?P<name>\w+)")


@rule(
    "R341",
    "output-by-dot",
    Severity.WARNING,
    source="official SDK's properties: OutputParameters['name'] alone is written",
)
def output_by_dot(subject: Subject) -> Iterator[Fault]:
    """An output of a Lambda or Callback step is read by a dot; outputs are a map, read by a quoted key in brackets.

    Bad:  {"Get": "Steps.Score.OutputParameters.score"}
    Good: {"Get": "Steps.Score.OutputParameters['score']"}
    """
    for reading in subject.readings:
        site = reading.site
        found = _BY_DOT.search(site.expression.expression) if isinstance(site.expression, Ref) else None
        if found is not None:
            message = f"output {found['name']!r} is read by a dot"
            yield Fault(f"{site.at}/Get", message, f"write OutputParameters['{found['name']}']", site.placed)
