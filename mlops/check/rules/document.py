"""The document around parameters and steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Ref, Severity, Unknown, Value
from mlops.ir.document import compact
from mlops.ir.values import expressions, pointer

VERSION = "2020-12-01"
_MEMBERS = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps")
_METADATA_KEY = re.compile(r"[A-Za-z0-9\-_]{1,128}")
_EXPERIMENT_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}")
MAX_CHARACTERS = 1_048_576
MAX_STEPS = 50


def _scalar_or_expression(value: Value) -> bool:
    return isinstance(value, str | Ref | Join | JsonGet | Unknown)


@rule(
    "E501",
    "unknown-document-member",
    Severity.ERROR,
    source="the service's parser is strict (sdk#2746); members of the official SDK",
)
def unknown_document_member(subject: Subject) -> Iterator[Fault]:
    """The document has a member that the service does not know.

    Bad:  {"version": "2020-12-01", "steps": []}
    Good: {"Version": "2020-12-01", "Steps": [...]}
    """
    for name in subject.definition.members:
        if name not in _MEMBERS:
            yield Fault(pointer(name), f"a definition has no member {name!r}", did_you_mean(name, _MEMBERS))


@rule("E502", "document-version", Severity.ERROR, source="published schema and official SDK: only 2020-12-01")
def document_version(subject: Subject) -> Iterator[Fault]:
    """Version is another text than "2020-12-01", the only one that exists.

    Bad:  "Version": "2021-01-01"
    Good: "Version": "2020-12-01"
    """
    version = subject.definition.members.get("Version", VERSION)
    if version != VERSION and not isinstance(version, Unknown):
        yield Fault("/Version", f"{shown(version)} is no known version", f'write "{VERSION}"')


@rule("E503", "no-steps", Severity.ERROR, source="published schema: Steps is required")
def no_steps(subject: Subject) -> Iterator[Fault]:
    """The pipeline has no steps.

    Bad:  "Steps": []
    Good: at least one step
    """
    # A Steps of another type stays among the members, and was reported by the reader.
    if not subject.definition.steps and "Steps" not in subject.definition.members:
        yield Fault("/Steps", "the pipeline has no steps", "add one")


@rule("E504", "metadata", Severity.ERROR, source="published schema")
def metadata(subject: Subject) -> Iterator[Fault]:
    """Metadata is an object whose values are texts of at most 1,024 characters; keys have letters, digits, - and _.
    A key of another form is a warning.

    Bad:  "Metadata": {"the owner": {"name": "me"}}
    Good: "Metadata": {"owner": "me"}
    """
    found = subject.definition.members.get("Metadata")
    if found is None or isinstance(found, Unknown):
        return
    if not isinstance(found, Mapping):
        yield Fault("/Metadata", f"Metadata is {shown(found)}, an object is wanted")
        return
    for key, value in found.items():
        at = "/Metadata" + pointer(key)
        if not _METADATA_KEY.fullmatch(key):
            help_text = "use letters, digits, - and _"
            yield Fault(at, f"{shown(key)} is no metadata key", help_text, severity=Severity.WARNING)
        if not isinstance(value, str):
            yield Fault(at, f"metadata {key!r} is {shown(value)}, a text is wanted")
        elif len(value) > 1024:
            yield Fault(at, f"metadata {key!r} has {len(value)} characters, at most 1024 are allowed")


@rule("E505", "experiment-config", Severity.ERROR, source="botocore ExperimentEntityName; official SDK")
def experiment_config(subject: Subject) -> Iterator[Fault]:
    """PipelineExperimentConfig is null or {ExperimentName, TrialName}; a literal name has letters, digits and -,
    an expression reads parameters and execution variables.

    Bad:  {"ExperimentName": "my_experiment"}
    Good: {"ExperimentName": "my-experiment", "TrialName": {"Get": "Execution.PipelineExecutionId"}}
    """
    found = subject.definition.members.get("PipelineExperimentConfig")
    if found is None or isinstance(found, Unknown):
        return
    here = "/PipelineExperimentConfig"
    if not isinstance(found, Mapping):
        yield Fault(here, f"PipelineExperimentConfig is {shown(found)}, an object or null is wanted")
        return
    for key, value in found.items():
        at = here + pointer(key)
        if key not in ("ExperimentName", "TrialName"):
            help_text = did_you_mean(key, ("ExperimentName", "TrialName"))
            yield Fault(at, f"PipelineExperimentConfig has no member {key!r}", help_text)
        elif not _scalar_or_expression(value):
            yield Fault(at, f"{key} is {shown(value)}, a text is wanted")
        elif isinstance(value, str) and not _EXPERIMENT_NAME.fullmatch(value):
            yield Fault(at, f"{shown(value)} is no {key}", "use letters, digits and -, at most 120")
    for reading in subject.readings:
        if reading.site.at.startswith(f"{here}/") and reading.path.root not in ("Parameters", "Execution"):
            message = f"the experiment is there before the first step, and {reading.path.root} is not known then"
            yield Fault(f"{reading.site.at}/Get", message, "read a parameter or an execution variable")


@rule(
    "E506",
    "mlflow-config",
    Severity.ERROR,
    source="official SDK 3.27 pipeline; botocore spells the answer MLflowConfig",
)
def mlflow_config(subject: Subject) -> Iterator[Fault]:
    """MlflowConfig is null or {MlflowResourceArn, MlflowExperimentName}, the ARN being a tracking server's or an app's.

    Bad:  {"MlflowExperimentName": "nightly"}
    Good: {"MlflowResourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:mlflow-tracking-server/team"}
    """
    found = subject.definition.members.get("MlflowConfig")
    if found is None or isinstance(found, Unknown):
        return
    here = "/MlflowConfig"
    if not isinstance(found, Mapping):
        yield Fault(here, f"MlflowConfig is {shown(found)}, an object or null is wanted")
        return
    known = ("MlflowResourceArn", "MlflowExperimentName")
    for key, value in found.items():
        if key not in known:
            yield Fault(here + pointer(key), f"MlflowConfig has no member {key!r}", did_you_mean(key, known))
        elif not _scalar_or_expression(value):
            yield Fault(here + pointer(key), f"{key} is {shown(value)}, a text is wanted")
        elif isinstance(value, str) and not 0 < len(value) <= 256 and key == "MlflowExperimentName":
            yield Fault(here + pointer(key), f"{key} has {len(value)} characters, 1 to 256 are wanted", "e.g. nightly")
    arn = found.get("MlflowResourceArn")
    if "MlflowResourceArn" not in found:
        yield Fault(f"{here}/MlflowResourceArn", "MlflowConfig has no MlflowResourceArn", "add it")
    elif isinstance(arn, str) and not re.fullmatch(r"arn:aws[a-z\-]*:sagemaker:[^:]+:\d{12}:mlflow-.+", arn):
        yield Fault(f"{here}/MlflowResourceArn", f"{shown(arn)} is no MLflow server or app", "give its ARN")


@rule("E507", "definition-size", Severity.WARNING, source="botocore PipelineDefinition: at most 1,048,576 characters")
def definition_size(subject: Subject) -> Iterator[Fault]:
    """The definition is larger than what CreatePipeline takes inline, all of it counted, without white space.

    Bad:  a document of two mebibytes
    Good: large tables in S3, and their URIs in the document
    """
    if subject.definition.of_resources:
        return
    # To write it is slow; with its keys and marks it is hardly ever more than four times as long as these.
    least = sum(len(text) + len(at) - at.rfind("/") + 6 for at, text, _ in subject.texts)
    if 4 * least <= MAX_CHARACTERS or _has_unknown(subject):
        return
    size = len(compact(subject.definition))
    if size > MAX_CHARACTERS:
        message = f"the definition has {size:,} characters, at most {MAX_CHARACTERS:,} fit"
        yield Fault("", message, "move data to S3")


def _has_unknown(subject: Subject) -> bool:
    """A value with a mistake of its own, which is told, cannot be written."""
    of_parameters = (parameter.members for parameter in subject.definition.parameters)
    return any(isinstance(site.expression, Unknown) for site in subject.sites) or any(
        isinstance(item, Unknown) for members in of_parameters for _, item in expressions(members)
    )


@rule(
    "E508", "many-steps", Severity.WARNING, source="quota not public; 50 is SelectedSteps' limit and the docs' example"
)
def many_steps(subject: Subject) -> Iterator[Fault]:
    """More steps than the default quota probably allows. It is adjustable, and not documented where we could read it.

    Bad:  60 Training steps written out
    Good: one Tuning step, a ForEach, or two pipelines
    """
    count = len(subject.placed)
    # What a file declares beside pipelines are no steps of one.
    if count > MAX_STEPS and not subject.definition.of_resources:
        help_text = "ask Service Quotas for your account's limit"
        yield Fault("/Steps", f"{count} steps, the default limit is probably {MAX_STEPS}", help_text)
