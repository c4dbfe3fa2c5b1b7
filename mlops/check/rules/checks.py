"""QualityCheck and ClarifyCheck steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check import expressions
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import is_expression_attempt, scalar, shape, shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Ref, Severity, Unknown, Value
from mlops.ir.members import get

_TYPES = {
    "QualityCheck": ("DATA_QUALITY", "MODEL_QUALITY"),
    "ClarifyCheck": ("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"),
}
_FLAGS = ("SkipCheck", "FailOnViolation", "RegisterNewBaseline")
_BASELINES = ("SuppliedBaselineConstraints", "SuppliedBaselineStatistics")


def _dynamic(value: Value) -> bool:
    return isinstance(value, Ref | Join | JsonGet | Unknown)


@rule("X710", "check-type", Severity.ERROR, source="official SDK's quality_check_step and clarify_check_step")
def check_type(subject: Subject) -> Iterator[Fault]:
    """CheckType is none of those that the step has.

    Bad:  "CheckType": "data_quality"
    Good: "CheckType": "DATA_QUALITY"
    """
    for kind, known in _TYPES.items():
        for placed, _ in subject.of_type(kind):
            found = placed.step.members.get("CheckType")
            at = f"{placed.pointer}/CheckType"
            if "CheckType" not in placed.step.members:
                yield Fault(at, "the step has no CheckType", f"one of {', '.join(known)}", placed)
            elif found not in known and not _dynamic(found):
                yield Fault(at, f"{shown(found)} is no check of a {kind} step", did_you_mean(str(found), known), placed)


@rule("X711", "check-flag", Severity.ERROR, source="official SDK's quality_check_step: booleans or expressions")
def check_flag(subject: Subject) -> Iterator[Fault]:
    """SkipCheck, FailOnViolation or RegisterNewBaseline is no truth value.

    Bad:  "SkipCheck": "true"
    Good: "SkipCheck": true
    """
    for placed, _ in subject.of_type(*_TYPES):
        for name in _FLAGS:
            value = placed.step.members.get(name)
            at = f"{placed.pointer}/{name}"
            if isinstance(value, Ref | Join):
                kind = expressions.kind_of(subject, value)
                if kind not in (None, "Boolean"):
                    where = f"{at}/Get" if isinstance(value, Ref) else at
                    yield Fault(where, f"{name} wants a Boolean, this is of type {kind}", None, placed)
            elif value is not None and not isinstance(value, bool | JsonGet | Unknown):
                yield Fault(at, f"{name} is {shown(value)}, true or false is wanted", None, placed)


@rule("X712", "supplied-baseline", Severity.ERROR, source="AWS docs: baselines are files in S3")
def supplied_baseline(subject: Subject) -> Iterator[Fault]:
    """A supplied baseline is no S3 URI. A plain word, which may stand for one, is a warning.

    Bad:  "SuppliedBaselineConstraints": "baseline/constraints.json"
    Good: "SuppliedBaselineConstraints": "s3://acme/baseline/constraints.json"
    """
    for placed, _ in subject.of_type(*_TYPES):
        for name in _BASELINES:
            value = placed.step.members.get(name)
            if isinstance(value, str) and not value.startswith(("s3://", "https://")):
                severity = None if "/" in value or "." in value or not value else Severity.WARNING
                message, at = f"{shown(value)} is no S3 URI", f"{placed.pointer}/{name}"
                yield Fault(at, message, "upload the file", placed, severity=severity)


@rule("X713", "check-without-model", Severity.ERROR, source="official SDK's clarify_check_step")
def check_without_model(subject: Subject) -> Iterator[Fault]:
    """A bias or explainability check of a model has no ModelName.

    Bad:  {"CheckType": "MODEL_EXPLAINABILITY"}
    Good: {"CheckType": "MODEL_EXPLAINABILITY", "ModelName": {"Get": "Steps.Model.ModelName"}}
    """
    for placed, _ in subject.of_type("ClarifyCheck"):
        kind = placed.step.members.get("CheckType")
        if kind in ("MODEL_BIAS", "MODEL_EXPLAINABILITY") and placed.step.members.get("ModelName") is None:
            yield Fault(f"{placed.pointer}/ModelName", f"{kind} wants a ModelName", "add it", placed)


@rule("X714", "no-baseline", Severity.ERROR, source="AWS docs: the previous baseline must be available")
def no_baseline(subject: Subject) -> Iterator[Fault]:
    """A check compares with a baseline, but neither supplies one, nor names a model package group to take it from.
    Where it compares by the default of a parameter, that is a warning.

    Bad:  {"SkipCheck": false, "RegisterNewBaseline": false}
    Good: the same with "ModelPackageGroupName": "churn"
    """
    for placed, _ in subject.of_type(*_TYPES):
        members = placed.step.members
        supplied = any(members.get(name) is not None for name in (*_BASELINES, "ModelPackageGroupName"))
        flags = [members.get(name) for name in ("SkipCheck", "RegisterNewBaseline")]
        if not supplied and all(expressions.literal(subject, flag) is False for flag in flags):
            message = "the check has no baseline to compare with"
            help_text = "add ModelPackageGroupName or SuppliedBaselineConstraints"
            severity = None if flags == [False, False] else Severity.WARNING
            yield Fault(placed.pointer, message, help_text, placed, severity=severity)


@rule(
    "X715",
    "check-output-elsewhere",
    Severity.WARNING,
    source="model monitor container: results are uploaded from the declared output",
)
def check_output_elsewhere(subject: Subject) -> Iterator[Fault]:
    """The monitor container writes to a directory that no output of the job uploads; or (an error) reads one that no
    input fills, or has no output at all, so that the check has no result to read.

    Bad:  output_path "/opt/ml/processing/results" with one output at "/opt/ml/processing/output"
    Good: both the same
    """
    for placed, arguments in subject.of_type("QualityCheck"):
        path = get(arguments, "Environment", "output_path")
        outputs = get(arguments, "ProcessingOutputConfig", "Outputs")
        if not isinstance(path, str) or not isinstance(outputs, tuple):
            continue
        locals_ = [get(item, "S3Output", "LocalPath") for item in outputs]
        texts = [item for item in locals_ if isinstance(item, str)]
        if len(texts) == len(locals_) and not any(_within(path, item) for item in texts):
            at = f"{placed.pointer}/Arguments/Environment/output_path"
            severity = None if outputs else Severity.ERROR
            message = f"{path} is in no output of the job"
            yield Fault(at, message, "use the output's LocalPath", placed, severity=severity)
    for placed, arguments in subject.of_type("QualityCheck"):
        path = get(arguments, "Environment", "dataset_source")
        inputs = [item for _, item in entries(arguments, "ProcessingInputs")]
        sources = ("S3Input", "DatasetDefinition")
        filled = [get(item, source, "LocalPath") for item in inputs for source in sources if source in item]
        known = [item for item in filled if isinstance(item, str)]
        if isinstance(path, str) and len(known) == len(filled) and not any(_within(path, item) for item in known):
            at = f"{placed.pointer}/Arguments/Environment/dataset_source"
            message = f"{path} is in no input of the job"
            yield Fault(at, message, "use the input's LocalPath", placed, severity=Severity.ERROR)


def _within(path: str, root: str) -> bool:
    return path.rstrip("/") == root.rstrip("/") or path.startswith(root.rstrip("/") + "/")


_NAMES = {"ModelPackageGroupName": "ArnOrName", "ModelName": "ModelName"}


@rule("X716", "check-name", Severity.ERROR, source="official SDK's check steps; botocore ArnOrName and ModelName")
def check_name(subject: Subject) -> Iterator[Fault]:
    """A check's ModelPackageGroupName, ModelName or supplied baseline is no text, has not the form of such a name, or
    reads another thing of a step.

    Bad:  "ModelPackageGroupName": "my_group"
    Good: "ModelPackageGroupName": "my-group"
    """
    for placed, _ in subject.of_type(*_TYPES):
        for name in (*_NAMES, *_BASELINES):
            value = placed.step.members.get(name)
            at = f"{placed.pointer}/{name}"
            if isinstance(value, Join) and name in _NAMES:
                value = expressions.fold(subject, value)
            if value is None or isinstance(value, JsonGet | Join | Unknown):
                continue
            if isinstance(value, Ref):
                kind = expressions.kind_of(subject, value)
                if kind not in (None, "String"):
                    yield Fault(f"{at}/Get", f"{name} wants a text, this is of type {kind}", None, placed)
                elif name == "ModelName" and (last := _other_name(value)) is not None:
                    message = f"{value.expression} is {last}, and the name of a model is wanted"
                    yield Fault(f"{at}/Get", message, "read ModelName of a Model step", placed)
            elif isinstance(value, Mapping) and is_expression_attempt(value):
                continue  # another rule speaks about it
            elif not isinstance(value, str):
                yield Fault(at, f"{name} is {shown(value)}, a text is wanted", None, placed)
            elif name in _NAMES:
                against = shape("sagemaker", _NAMES[name])
                for misfit in scalar(value, against, at) if against else ():
                    # Test suites of the SDK write model_name there, which no test there ever sends.
                    severity = Severity.WARNING if name == "ModelName" else None
                    yield Fault(at, misfit.message, "use letters, digits and -", placed, severity=severity)


def _other_name(value: Ref) -> str | None:
    """The member that is read of a step, where it is the name or the ARN of something else than a model."""
    path = value.path
    last = path.segments[-1] if path is not None and path.root == "Steps" and path.segments else None
    is_other = isinstance(last, str) and last != "ModelName" and last.endswith(("Name", "Arn", "S3ModelArtifacts"))
    return last if is_other and isinstance(last, str) else None
