"""What QualityCheck and ClarifyCheck have in common: a processing job, a baseline, and what comes of a violation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import Unpack

from mlops.declare.members import execution_folder, without_none
from mlops.declare.references import DataReference, StringProperty, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import VOLUME_GB, Count, Data, Environment, Flag, Image, JobSettings, Text
from mlops.declare.steps.shared_arguments import Job as JobArguments
from mlops.ir import Value
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


class Check(Step):
    """A check with a baseline. ``framework`` is the name of the container in the SDK's data."""

    shared_arguments = BaselineSettings

    check_type: ClassVar[str]
    framework: ClassVar[str]
    output: ClassVar[str]
    """The name of the job's only output."""

    def __init__(self, name: str, **settings: Unpack[BaselineSettings]) -> None:
        self.share(name, settings)
        self.job = JobSettings.of(settings)
        self.skip = settings.get("skip", False)
        self.fail_on_violation = settings.get("fail_on_violation", True)
        self.register_baseline = settings.get("register_baseline", False)
        self.group = settings.get("group")
        self.baseline_constraints = settings.get("baseline_constraints")
        self.image = settings.get("image") or ImageRequest(self.framework)
        self.environment = dict(settings.get("environment") or {})
        self.to = settings.get("to")
        self.instance = settings.get("instance")
        self.count = settings.get("count", 1)
        self.volume = settings.get("volume", VOLUME_GB)
        self.max_runtime = settings.get("max_runtime")
        self.app_managed = settings.get("app_managed")

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        instance = lowering.instance(self.instance)
        target = execution_folder(lowering, self.name, "output") if self.to is None else lower(self.to)
        variables = {**{key: lower(value) for key, value in self.environment.items()}, **self.variables(lowering)}
        return without_none(
            {
                "ProcessingResources": {
                    "ClusterConfig": without_none(
                        {
                            "InstanceType": instance,
                            "InstanceCount": lower(self.count),
                            "VolumeSizeInGB": lower(self.volume),
                            "VolumeKmsKeyId": self.job.volume_kms_key(lowering),
                        }
                    )
                },
                "AppSpecification": {
                    "ImageUri": lowering.image(self.image, scope="monitoring", instance=instance, step=self)
                },
                "RoleArn": self.job.role(lowering),
                "ProcessingInputs": self.inputs(lowering),
                "ProcessingOutputConfig": without_none(
                    {
                        "Outputs": (
                            {
                                "OutputName": self.output,
                                **self.management(),
                                "S3Output": {
                                    "S3Uri": target,
                                    "LocalPath": OUTPUT_FOLDER,
                                    "S3UploadMode": "EndOfJob",
                                },
                            },
                        ),
                        "KmsKeyId": self.job.kms_key(lowering),
                    }
                ),
                "Environment": variables or None,
                "StoppingCondition": (
                    None if self.max_runtime is None else {"MaxRuntimeInSeconds": lower(self.max_runtime)}
                ),
                "NetworkConfig": self.job.network_config(lowering),
                "Tags": self.job.tags(lowering),
            }
        )

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        # The official SDK writes null for what is not given.
        return {
            "CheckType": self.check_type,
            "ModelPackageGroupName": lower(self.group),
            "SkipCheck": lower(self.skip),
            "FailOnViolation": lower(self.fail_on_violation),
            "RegisterNewBaseline": lower(self.register_baseline),
            "SuppliedBaselineConstraints": lower(self.baseline_constraints),
        }


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
