"""Arguments compared with the request that they become."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.nearest import nearest
from mlops.check.rule import Fault, rule
from mlops.check.shapes import Mismatch
from mlops.check.subject import Subject
from mlops.ir import Severity

_MODEL = "botocore's service model of the request"


def _of(subject: Subject, kind: Mismatch) -> Iterator[Fault]:
    for placed, misfit in subject.misfits:
        if misfit.kind is kind:
            severity = Severity.WARNING if misfit.doubtful else None
            yield Fault(misfit.at, misfit.message, misfit.help, placed, severity=severity)


@rule("S201", "unknown-argument", Severity.ERROR, source=f"{_MODEL}; 'Unknown Argument member' (sdk#4994)")
def unknown_argument(subject: Subject) -> Iterator[Fault]:
    """Arguments have a member that the request does not know. The service refuses the whole definition.

    Bad:  {"ResourceConfg": {...}}
    Good: {"ResourceConfig": {...}}
    """
    return _of(subject, Mismatch.UNKNOWN_MEMBER)


@rule("S202", "missing-argument", Severity.ERROR, source=_MODEL)
def missing_argument(subject: Subject) -> Iterator[Fault]:
    """A member that the request requires is not there.

    Bad:  a Training step without RoleArn
    Good: {"RoleArn": "arn:aws:iam::111122223333:role/pipelines", ...}
    """
    return _of(subject, Mismatch.MISSING_MEMBER)


@rule("S203", "argument-type", Severity.ERROR, source=f"{_MODEL}; 'Expecting start of Json Array' (sdk#2345)")
def argument_type(subject: Subject) -> Iterator[Fault]:
    """A value has another JSON type than the request wants.

    Bad:  "InstanceCount": "1"
    Good: "InstanceCount": 1
    """
    return _of(subject, Mismatch.TYPE)


@rule("S204", "argument-choice", Severity.ERROR, source=f"{_MODEL}; 'failed to satisfy enum value set'")
def argument_choice(subject: Subject) -> Iterator[Fault]:
    """A value is none of those that the request allows.

    Bad:  "InstanceType": "ml.m5.huge"
    Good: "InstanceType": "ml.m5.xlarge"
    """
    return _of(subject, Mismatch.ENUM)


@rule("S205", "argument-pattern", Severity.ERROR, source=_MODEL)
def argument_pattern(subject: Subject) -> Iterator[Fault]:
    """A text does not have the form that the request wants. Where the pattern itself is in doubt this is a warning.

    Bad:  "RoleArn": "SageMakerExecutionRole"
    Good: "RoleArn": "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
    """
    return _of(subject, Mismatch.PATTERN)


@rule(
    "S206",
    "argument-length",
    Severity.ERROR,
    source=f"{_MODEL}; 'with length=260 cannot be greater than 256' (sdk#314)",
)
def argument_length(subject: Subject) -> Iterator[Fault]:
    """A text is longer or shorter than the request allows.

    Bad:  a hyperparameter of 3,000 characters
    Good: a file in S3, and its URI as the hyperparameter
    """
    return _of(subject, Mismatch.LENGTH)


@rule("S207", "argument-range", Severity.ERROR, source=_MODEL)
def argument_range(subject: Subject) -> Iterator[Fault]:
    """A number is larger or smaller than the request allows.

    Bad:  "VolumeSizeInGB": 0
    Good: "VolumeSizeInGB": 30
    """
    return _of(subject, Mismatch.RANGE)


@rule(
    "S208",
    "argument-count",
    Severity.ERROR,
    source=f"{_MODEL}; 'Member must have length less than or equal to 10' (sdk#2554)",
)
def argument_count(subject: Subject) -> Iterator[Fault]:
    """A list or a map has more or fewer entries than the request allows.

    Bad:  eleven ProcessingInputs
    Good: at most ten, e.g. one input for a whole prefix
    """
    return _of(subject, Mismatch.COUNT)


@rule("S209", "null-argument", Severity.WARNING, source="service behaviour unknown; absent is always right")
def null_argument(subject: Subject) -> Iterator[Fault]:
    """An optional member is null.

    Bad:  "KmsKeyId": null
    Good: no KmsKeyId at all
    """
    return _of(subject, Mismatch.NULL)


@rule(
    "S210",
    "unknown-step-type",
    Severity.ERROR,
    source="botocore's PipelineExecutionStepMetadata and the official SDK's step classes",
)
def unknown_step_type(subject: Subject) -> Iterator[Fault]:
    """A step has a Type that nobody knows. Where it is near to a known one it is an error, else a note: the service
    gets new types before we do.

    Bad:  "Type": "Train"
    Good: "Type": "Training"
    """
    for placed in subject.placed:
        name = placed.step.type
        if not name or name in subject.types:
            continue
        known = dict.fromkeys((*subject.types, *_SEEN))
        guess = None if name in known else nearest(name, known)
        if guess is None and name not in known:
            guess = next((other for other in known if _begins(other, name)), None)
        at = f"{placed.pointer}/Type"
        if guess is not None:
            yield Fault(at, f"{name!r} is no step type", f"did you mean {guess!r}?", placed)
        else:
            message = f"step type {name!r} is not known here; its Arguments are not checked"
            yield Fault(at, message, None, placed, severity=Severity.INFO)


_SEEN = (
    "AutoML", "BedrockCustomModel", "BedrockCustomModelDeployment", "BedrockModelImport",
    "BedrockProvisionedModelThroughput", "Callback", "ClarifyCheck", "Cleanup", "Condition", "EMR", "EMRServerless",
    "Endpoint", "EndpointConfig", "Fail", "ForEach", "InferenceComponent", "Job", "Lambda", "Lineage", "Model",
    "Processing", "QualityCheck", "RegisterModel", "Training", "Transform", "Tuning",
)  # fmt: skip
"""Types that the official SDK writes, so that one of them is never taken for a slip of another."""


def _begins(known: str, name: str) -> bool:
    return len(name) >= 4 and (known.lower().startswith(name.lower()) or name.lower().startswith(known.lower()))
