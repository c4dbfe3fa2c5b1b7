"""What the service's documentation says of members that exclude, need or decide each other, where no other rule is
about them: tables, so that a sentence is a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.jobs import TRAINING, TUNING
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS

_SOURCE = "botocore's documentation of the members"


@dataclass(frozen=True, slots=True)
class _When:
    """``member`` beside ``decider`` of one of ``values``: is wanted then, or has a meaning then alone."""

    member: str
    decider: str
    values: tuple[str, ...]
    wanted: bool = False


_EXCLUSIONS: Mapping[str, tuple[str, ...]] = {
    "InstancePreferences": ("InstanceType", "InstanceGroups", "InstancePlacementConfig"),
    "ShapBaseline": ("ShapBaselineUri",),
}
_ANSWERED = ("SelectedInstanceType", "SelectedInstanceCount")
"""Read-only: the service tells them and refuses them."""
_VALUES: Mapping[str, tuple[int, ...]] = {
    "MetricPublishFrequencyInSeconds": (10, 30, 60, 120, 180, 240, 300),
    "UtilizationPerformanceIndex": (1, 25, 50, 75, 100),
    "BlockDurationMinutes": (60, 120, 180, 240, 300, 360),
}
"""What the documentation lists as the valid values of a number, where the shape has not even limits."""
_BASELINE = "ShapBaselineConfig"
_PLACEMENT, _ULTRA = "InstancePlacementConfig", ("ml.p6e-gb200.", "ml.u-")
_HUB, _MODEL_DATA = "HubContentArn", "ModelDataSource"
_CONDITIONS = (_When("EvaluationType", "JobType", ("Evaluation",), wanted=True),)
_RETAINED, _EXCEPT = "RetainAllVariantProperties", "ExcludeRetainedVariantProperties"
_TRIGGERS = frozenset(
    {_EXCEPT, _BASELINE, _PLACEMENT, _HUB, _MODEL_DATA, *_EXCLUSIONS, *_ANSWERED, *_VALUES}
    | {name for when in _CONDITIONS for name in (when.member, when.decider)}
)


@rule("X930", "documented-members", Severity.ERROR, source=_SOURCE)
def documented_members(subject: Subject) -> Iterator[Fault]:
    """Members that exclude each other, one that another one's value asks for, one that has a meaning only beside
    another one's value, or one that the service answers and does not take; a number that is none of those listed.

    Bad:  {"InstanceType": "ml.m5.xlarge", "InstancePreferences": [...]}
    Good: {"InstancePreferences": [...]}
    """
    for at, value, placed in subject.objects:
        if _TRIGGERS.isdisjoint(value):
            continue
        for member, others in _EXCLUSIONS.items():
            for other in others:
                if value.get(member) is not None and value.get(other) is not None:
                    message = f"{member} and {other} exclude each other"
                    yield Fault(f"{at}/{other}", message, "keep one of them", placed)
        if value.get(_EXCEPT) and literal(subject, value.get(_RETAINED)) in (None, False):
            message = f"{_EXCEPT} are exceptions of {_RETAINED}, which is not set"
            yield Fault(f"{at}/{_EXCEPT}", message, f"set {_RETAINED}", placed, severity=Severity.WARNING)
        yield from _of_their_own(subject, at, value, placed)
        for when in _CONDITIONS:
            decided = value.get(when.decider)
            if not isinstance(decided, str):
                continue
            if when.wanted and decided in when.values and value.get(when.member) is None:
                message = f"{when.decider} {decided} wants {when.member}"
                yield Fault(f"{at}/{when.member}", message, "add it", placed)
            elif not when.wanted and decided not in when.values and value.get(when.member) is not None:
                message = f"{when.member} goes with {when.decider} {' or '.join(when.values)}, and this is {decided}"
                yield Fault(f"{at}/{when.member}", message, "remove it", placed)


def _of_their_own(subject: Subject, at: str, value: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    for name in _ANSWERED:
        if value.get(name) is not None:
            message = f"{name} is told by the service, a request cannot have it"
            yield Fault(f"{at}/{name}", message, f"remove it, or write {name.removeprefix('Selected')}", placed)
    for name, listed in _VALUES.items():
        number = literal(subject, value.get(name))
        if isinstance(number, int) and number not in listed:
            message = f"{name} is {shown(number)}, which is none of those that it can be"
            yield Fault(f"{at}/{name}", message, f"one of {', '.join(map(str, listed))}", placed)
    baseline = value.get(_BASELINE)
    if isinstance(baseline, Mapping) and baseline.get("ShapBaseline") is None is baseline.get("ShapBaselineUri"):
        message = "the SHAP baseline has neither ShapBaseline nor ShapBaselineUri"
        yield Fault(f"{at}/{_BASELINE}/ShapBaseline", message, "add one of them", placed)
    if value.get(_MODEL_DATA) == {}:
        yield Fault(f"{at}/{_MODEL_DATA}", f"{_MODEL_DATA} names no source", "add S3DataSource", placed)
    kind = literal(subject, value.get("InstanceType"))
    if value.get(_PLACEMENT) is not None and isinstance(kind, str) and not kind.startswith(_ULTRA):
        message = f"only UltraServers can be placed, and {kind} is none"
        yield Fault(f"{at}/{_PLACEMENT}", message, "remove it", placed)
    content = literal(subject, value.get(_HUB))
    if isinstance(content, str) and ":hub-content/" in content and "/ModelReference/" not in content:
        message = "the hub content of a private hub is a ModelReference, and this is none"
        help_text = "arn:aws:sagemaker:<region>:<account>:hub-content/<hub>/ModelReference/<name>/<version>"
        yield Fault(f"{at}/{_HUB}", message, help_text, placed, severity=Severity.WARNING)


@rule("X931", "instance-preferences", Severity.ERROR, source=_SOURCE)
def instance_preferences(subject: Subject) -> Iterator[Fault]:
    """Preferences of instances say their number both for each and for all, for some of them alone or nowhere, or name
    one type twice; or the job is to run on spot instances, of which there are none for preferences.

    Bad:  "InstanceCount": 2 beside preferences of which each has an "InstanceCount"
    Good: "InstanceCount" in each preference alone
    """
    for machine in subject.machines:
        listed = [item for _, item in entries(machine.settings, "InstancePreferences")]
        counted = [item.get("InstanceCount") is not None for item in listed]
        types = [literal(subject, item.get("InstanceType")) for item in listed]
        twice = next((index for index, kind in enumerate(types) if kind is not None and kind in types[:index]), None)
        if twice is not None:
            at = f"{machine.at}/InstancePreferences/{twice}/InstanceType"
            yield Fault(at, f"{shown(types[twice])} is preferred twice", "keep one of both", machine.placed)
        if any(counted) and machine.settings.get("InstanceCount") is not None:
            message = "the number of instances stands beside the preferences and in them"
            yield Fault(f"{machine.at}/InstanceCount", message, "keep one of both", machine.placed)
        elif any(counted) and not all(counted):
            at = f"{machine.at}/InstancePreferences/{counted.index(False)}/InstanceCount"
            yield Fault(
                at, "some preferences have an InstanceCount, this one has none", "give one to all", machine.placed
            )
        elif counted and not any(counted) and machine.settings.get("InstanceCount") is None:
            message = "the number of instances stands neither beside the preferences nor in them"
            yield Fault(f"{machine.at}/InstanceCount", message, "add it", machine.placed)
    for at, job, placed in subject.jobs[TRAINING]:
        if get(job, "ResourceConfig", "InstancePreferences") and job.get("EnableManagedSpotTraining") is True:
            message = "preferences of instances and spot training exclude each other"
            yield Fault(f"{at}/EnableManagedSpotTraining", message, "keep one of them", placed)
        plans = [item.get("TrainingPlanArns") for _, item in entries(job, "ResourceConfig", "InstancePreferences")]
        if any(plans) and get(job, "ResourceConfig", "TrainingPlanArn") is not None:
            message = "training plans stand beside the preferences and in them"
            yield Fault(f"{at}/ResourceConfig/TrainingPlanArn", message, "keep one of both", placed)


@rule("X932", "unversioned-registration", Severity.ERROR, source=f"{_SOURCE}: InferenceSpecification")
def unversioned_registration(subject: Subject) -> Iterator[Fault]:
    """A registration without a group does not say on which instances it may be deployed, which only versions of a group
    may leave out; or two of its additional specifications have one name.

    Bad:  a RegisterModel without ModelPackageGroupName and without SupportedRealtimeInferenceInstanceTypes
    Good: the same with "ModelPackageGroupName": "churn"
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        at, specification = f"{placed.pointer}/Arguments", arguments.get("InferenceSpecification")
        unversioned = arguments.get("ModelPackageGroupName") is None and isinstance(specification, Mapping)
        for name in _INSTANCES if unversioned else ():
            if get(specification, name) is None:
                message = f"a model package without a group wants {name}"
                yield Fault(f"{at}/InferenceSpecification/{name}", message, "add it, or ModelPackageGroupName", placed)
        listed = list(entries(arguments, "AdditionalInferenceSpecifications"))
        counts = Counter(called for _, item in listed if isinstance(called := item.get("Name"), str))
        for where, item in listed[1:]:
            if counts.get(str(item.get("Name")), 0) > 1:
                message = f"two specifications are named {shown(item['Name'])}"
                yield Fault(f"{at}{where}/Name", message, "rename one of them", placed)
                break


_INSTANCES = ("SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes")


@rule("X933", "eula-not-accepted", Severity.WARNING, source=f"{_SOURCE}: AcceptEula")
def eula_not_accepted(subject: Subject) -> Iterator[Fault]:
    """A model's licence is declined, so the model is not given out.

    Bad:  "AcceptEula": false
    Good: "AcceptEula": true
    """
    for at, value, placed in subject.objects:
        if "AcceptEula" in value and literal(subject, value["AcceptEula"]) is False:
            yield Fault(f"{at}/AcceptEula", "the licence is not accepted", "read it, and write true", placed)


@rule(
    "X934",
    "environments-together",
    Severity.ERROR,
    source=f"{_SOURCE}: HyperParameterTrainingJobDefinition.Environment",
)
def environments_together(subject: Subject) -> Iterator[Fault]:
    """All training jobs that a tuning job defines have more variables of the environment together than one may have.

    Bad:  30 variables in each of two TrainingJobDefinitions
    Good: 20 variables in each of them
    """
    for tuning in subject.jobs[TUNING]:
        count = 0
        for where, item in entries(tuning.request, "TrainingJobDefinitions"):
            values = item.get("Environment")
            own = len(values) if isinstance(values, Mapping) else 0
            count += own
            if count > _VARIABLES >= own:
                message = f"{count} variables in all definitions together, at most {_VARIABLES} are allowed"
                yield Fault(f"{tuning.at}{where}/Environment", message, "remove some", tuning.placed)
                break


_VARIABLES = 48


@rule(
    "X935", "manifest-that-is-a-folder", Severity.ERROR, source=f"{_SOURCE}: S3DataType, 'S3Uri identifies an object'"
)
def manifest_that_is_a_folder(subject: Subject) -> Iterator[Fault]:
    """A manifest or an augmented manifest is looked for at a place that is a folder: it is one object.

    Bad:  "S3DataType": "ManifestFile", "S3Uri": "s3://acme/train/"
    Good: "S3DataType": "ManifestFile", "S3Uri": "s3://acme/train.manifest"
    """
    for at, value, placed in subject.objects:
        if value.get("S3DataType") in ("ManifestFile", "AugmentedManifestFile"):
            uri = literal(subject, value.get("S3Uri"))
            if isinstance(uri, str) and uri.endswith("/"):
                message = f"{shown(uri)} is a folder, the manifest itself is wanted"
                yield Fault(f"{at}/S3Uri", message, "name the object, or use S3Prefix", placed)


@rule(
    "X936",
    "algorithm-model-without-data",
    Severity.ERROR,
    source=f"{_SOURCE}: ContainerDefinition.ModelDataUrl, 'requires that you provide a S3 path to the model artifacts'",
)
def algorithm_model_without_data(subject: Subject) -> Iterator[Fault]:
    """A model of a built-in algorithm has no model data, so there is nothing that the algorithm could serve.

    Bad:  {"Image": ".../kmeans:1"}
    Good: {"Image": ".../kmeans:1", "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
    """
    for container in subject.serving:
        image = named_image(subject, container.image)
        if image is None or image.account not in ALGORITHM_ACCOUNTS:
            continue
        from mlops.knowledge.algorithms import algorithm  # most definitions serve none

        settings, values = container.settings, container.settings.get("Environment")
        scripted = isinstance(values, Mapping) and "SAGEMAKER_PROGRAM" in values
        data = any(settings.get(name) is not None for name in ("ModelDataUrl", "ModelDataSource", "ModelPackageName"))
        if algorithm(image.repository) is not None and not data and not scripted:
            message = f"{image.repository} serves a model, and there is no ModelDataUrl"
            yield Fault(
                f"{container.at}/ModelDataUrl", message, "give the archive of the trained model", container.placed
            )
