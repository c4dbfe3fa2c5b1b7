"""What QualityCheck and ClarifyCheck have in common: a processing job, a baseline, and what comes of a violation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import Unpack

from mlops.declare.members import execution_folder
from mlops.declare.references import DataReference, StringProperty, lower, lower_word
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    OWN_TAGS,
    ROLE,
    VOLUME_GB,
    Count,
    Data,
    Environment,
    Flag,
    Image,
    Text,
    network,
)
from mlops.declare.steps.shared_arguments import Job as JobArguments
from mlops.ir import Step as StepRecord
from mlops.ir import Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    LINK,
    MAP,
    PLAIN,
    STRING,
    TEXT,
    Field,
    Given,
    Kind,
    Missing,
    Of,
    Said,
    Spoken,
    Yielded,
    nothing,
    objects,
)
from mlops.project.images import ImageRequest

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

OUTPUT_FOLDER = "/opt/ml/processing/output"


class BaselineSettings(JobArguments, total=False):
    """Arguments of every check. The check compares with ``baseline_constraints`` (an S3 URI), else with the baseline
    of the latest approved model of ``group``; ``skip`` it, or let a violation pass (``fail_on_violation=False``).
    ``register_baseline`` makes what was calculated the baseline for the model that is registered next. ``to`` is where
    the results go; ``volume`` is in GB, ``max_runtime`` in seconds. ``app_managed`` is written on the job's inputs and
    output where it is given, as version 2 of the official SDK does.
    """

    skip: Flag
    fail_on_violation: Flag
    register_baseline: Flag
    group: Text | None
    baseline_constraints: DataReference | Text | None
    image: Image | None
    environment: Environment | None
    to: Text | None
    instance: Text | None
    count: Count
    volume: Count
    max_runtime: Count | None
    app_managed: Flag | None


def _image(step: Check, lowering: Lowering, _: Step) -> Value:
    instance = lowering.instance(step.instance)
    return lowering.image(step.image, scope="monitoring", instance=instance, step=step)


def _outputs(step: Check, lowering: Lowering, _: Step) -> Value:
    target = execution_folder(lowering, step.name, "output") if step.to is None else lower(step.to)
    place = {"S3Uri": target, "LocalPath": OUTPUT_FOLDER, "S3UploadMode": "EndOfJob"}
    return ({"OutputName": step.output, **step.management(), "S3Output": place},)


def _environment(step: Check, lowering: Lowering, _: Step) -> Value:
    return {**{key: lower_word(value) for key, value in step.environment.items()}, **step.variables(lowering)} or None


def _said_environment(own: Sequence[str]) -> Callable[[Given], Spoken | None]:
    """Without what the check itself sets."""

    def said(given: Given) -> Spoken | None:
        listed = given.at("Environment")
        items = listed.items() if isinstance(listed, Mapping) else ()
        left = {key: value for key, value in items if key not in own}
        return Of(MAP, left) if left else None

    return said


def _said_management(given: Given) -> Spoken | None:
    managed = given.at(f"{_OUTPUTS}.0.AppManaged")
    return Said(managed) if isinstance(managed, bool) else None


def input_argument(name: str, input_name: str, kind: Kind, default: object = None) -> Field:
    """The S3 URI of an input; owns nothing, since all inputs are one list."""

    def said(given: Given) -> Spoken | None:
        for item in objects(given.at(_INPUTS)):
            if item.get("InputName") == input_name:
                uri = given.inside(item).at("S3Input.S3Uri")
                plain = isinstance(uri, str) and "://" in uri
                return None if isinstance(uri, Missing) or (kind is PLAIN and not plain) else Of(kind, uri)
        return None

    return Field(name, _INPUTS, kind, default, to=nothing, said=said, owns="")


_CLUSTER, _INPUTS, _OUTPUTS = "ProcessingResources.ClusterConfig", "ProcessingInputs", "ProcessingOutputConfig.Outputs"


def check_fields(inputs: Sequence[Field], settings: Sequence[Field], variables: Sequence[str]) -> tuple[Field, ...]:
    """Those of a check with these inputs and members of its own; ``variables`` are what it sets in the environment."""
    return (
        Field("instance", f"{_CLUSTER}.InstanceType", TEXT, otherwise="instance"),
        Field("count", f"{_CLUSTER}.InstanceCount", COUNT, 1),
        Field("volume", f"{_CLUSTER}.VolumeSizeInGB", COUNT, VOLUME_GB, sdk=("volume_size",)),
        Field("volume_kms_key", f"{_CLUSTER}.VolumeKmsKeyId", TEXT, otherwise="kms_key"),
        Field("image", "AppSpecification.ImageUri", TEXT, to=_image),
        ROLE,
        Field("", _INPUTS, MAP, to=lambda step, lowering, _: step.inputs(lowering)),
        *inputs,
        Field("", _OUTPUTS, MAP, to=_outputs),
        Field("to", f"{_OUTPUTS}.0.S3Output.S3Uri", TEXT, to=nothing),
        # Owns nothing: it is said of inputs and outputs alike.
        Field("app_managed", f"{_OUTPUTS}.0.AppManaged", FLAG, to=nothing, said=_said_management, owns=""),
        Field("kms_key", "ProcessingOutputConfig.KmsKeyId", TEXT, otherwise="kms_key"),
        Field("environment", "Environment", MAP, to=_environment, said=_said_environment(variables), owns=""),
        Field("max_runtime", "StoppingCondition.MaxRuntimeInSeconds", COUNT),
        network("NetworkConfig"),
        OWN_TAGS,
        # The official SDK writes null for what is not given.
        Field("", "/CheckType", PLAIN, to=lambda step, *_: step.check_type),
        Field("group", "/ModelPackageGroupName", TEXT, keeps="null"),
        Field("skip", "/SkipCheck", FLAG, False),
        Field("fail_on_violation", "/FailOnViolation", FLAG, True),
        Field("register_baseline", "/RegisterNewBaseline", FLAG, False),
        Field("baseline_constraints", "/SuppliedBaselineConstraints", LINK, keeps="null"),
        *settings,
    )


CONSTRAINTS = {
    "CalculatedBaselineConstraints": Yielded("constraints", STRING),
    "BaselineUsedForDriftCheckConstraints": Yielded("constraints_for_drift", STRING),
}


def is_check(kind: str) -> Callable[[StepRecord], bool]:
    return lambda step: step.members.get("CheckType") == kind


class Check(Step):
    """A check with a baseline. ``framework`` is the name of the container in the SDK's data."""

    shared_arguments = BaselineSettings

    check_type: ClassVar[str]
    framework: ClassVar[str]
    output: ClassVar[str]
    """The name of the job's only output."""

    image: Image
    instance: Text | None
    environment: Environment
    to: Text | None
    app_managed: Flag | None

    def __init__(self, name: str, **settings: Unpack[BaselineSettings]) -> None:
        self.share(name, settings)
        self.image = settings.get("image") or ImageRequest(self.framework)
        self.environment = dict(settings.get("environment") or {})

    @property
    def constraints(self) -> StringProperty:
        """The S3 URI of the constraints that were calculated here."""
        return StringProperty(self.name, "CalculatedBaselineConstraints")

    @property
    def constraints_for_drift(self) -> StringProperty:
        """The S3 URI of the constraints to compare with from now on; RegisterModel wants them."""
        return StringProperty(self.name, "BaselineUsedForDriftCheckConstraints")

    def inputs(self, lowering: Lowering) -> tuple[Value, ...]:
        """The job's ProcessingInputs."""
        raise AssertionError(f"{type(self).__name__} has no inputs")

    def variables(self, lowering: Lowering) -> Mapping[str, Value]:
        """The environment that the container reads its settings from."""
        return {}

    def management(self) -> dict[str, Value]:
        """What inputs and outputs carry besides their name and place."""
        return {} if self.app_managed is None else {"AppManaged": lower(self.app_managed)}


def s3_input(lowering: Lowering, name: str, data: Data, folder: str, step: Check) -> Value:
    """A ProcessingInput of ``data``, which may be local."""
    return {
        "InputName": name,
        **step.management(),
        "S3Input": {
            "S3Uri": lowering.data(data, step=step),
            "LocalPath": folder,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }
