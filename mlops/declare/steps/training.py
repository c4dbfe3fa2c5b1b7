"""Training: fit a model in script mode or with an image's own algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.misuse import misuse
from mlops.declare.references import DataReference, ModelReference, PropertyReference, StringReference, lower
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import (
    VOLUME_GB,
    Count,
    Environment,
    Image,
    Text,
    strings,
    tags,
    usable_names,
    vpc,
)
from mlops.ir import StepType, Unknown, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="Training",
    request="CreateTrainingJobRequest",
    omits=frozenset({"TrainingJobName"}),
    response="DescribeTrainingJobResponse",
    keyed={"FinalMetricDataList": "MetricName"},
    producers={"FinalMetricDataList": "AlgorithmSpecification.MetricDefinitions.Name"},
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    states_resource="arn:aws:states:::sagemaker:createTrainingJob.sync",
    action="training",
)

MAX_RUNTIME_SECONDS = 3600
"""A request must have a limit; this is the official SDK's where the author says nothing."""

SOURCE_ARCHIVE = "sourcedir.tar.gz"

Source: TypeAlias = DataReference | StringReference | str


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with more to say than where its data come from; a model may be one, to train further."""

    source: Source | ModelReference
    content_type: str | None = None
    distribution: Literal["FullyReplicated", "ShardedByS3Key"] = "FullyReplicated"
    mode: Literal["File", "FastFile", "Pipe"] = "File"


class Training(Step):
    """Runs ``code`` (a script, or a folder with ``entry`` in it) in script mode; without code, the image's algorithm.

    The script finds channel ``x`` in ``$SM_CHANNEL_X``, gets hyperparameters as ``--name value``, and leaves the model
    in ``$SM_MODEL_DIR``. ``metrics`` maps a name to the regular expression that finds it in the log. ``volume`` is in
    GB, ``max_runtime`` in seconds.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        image: Image,
        code: str | None = None,
        entry: str | None = None,
        channels: Mapping[str, Source | Channel] | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        metrics: Mapping[str, str] | None = None,
        environment: Environment | None = None,
        instance: Text | None = None,
        count: Count = 1,
        volume: Count = VOLUME_GB,
        max_runtime: Count = MAX_RUNTIME_SECONDS,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.image = image
        self.code = code
        self.entry = entry
        self.channels = dict(channels or {})
        usable_names(name, "channel", list(self.channels))
        self.hyperparameters = dict(hyperparameters or {})
        self.metrics = dict(metrics or {})
        self.environment = dict(environment or {})
        self.instance = instance
        self.count = count
        self.volume = volume
        self.max_runtime = max_runtime

    @property
    def model(self) -> ModelReference:
        """The S3 URI of ``model.tar.gz``."""
        return ModelReference(self.name, "ModelArtifacts.S3ModelArtifacts")

    def metric(self, name: str) -> PropertyReference:
        """The last value of one of ``metrics``."""
        if name not in self.metrics:
            misuse(
                "D032",
                f"step {self.name} has no metric {name!r}",
                help=f"its metrics are {', '.join(self.metrics) or 'none'}",
                step=self.name,
            )
        return self.property(f"FinalMetricDataList['{name}'].Value")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        environment = lowering.environment
        instance = lowering.instance(self.instance)
        hyperparameters = {**strings(self.hyperparameters), **self._script(lowering)}
        metrics: Sequence[Value] = [{"Name": name, "Regex": regex} for name, regex in self.metrics.items()]
        channels = tuple(self._channel(lowering, name, given) for name, given in self.channels.items())
        return without_none(
            {
                "AlgorithmSpecification": without_none(
                    {
                        "TrainingImage": lowering.image(self.image, scope="training", instance=instance, step=self),
                        "TrainingInputMode": "File",
                        "MetricDefinitions": tuple(metrics) or None,
                    }
                ),
                "HyperParameters": hyperparameters or None,
                "InputDataConfig": channels or None,
                "OutputDataConfig": without_none(
                    {
                        "S3OutputPath": environment.uri(lowering.pipeline, self.name),
                        "CompressionType": "GZIP",
                        "KmsKeyId": environment.kms_key,
                    }
                ),
                "ResourceConfig": without_none(
                    {
                        "InstanceType": instance,
                        "InstanceCount": lower(self.count),
                        "VolumeSizeInGB": lower(self.volume),
                        "VolumeKmsKeyId": environment.kms_key,
                    }
                ),
                "RoleArn": environment.role,
                "StoppingCondition": {"MaxRuntimeInSeconds": lower(self.max_runtime)},
                "Environment": {key: lower(value) for key, value in self.environment.items()} or None,
                "VpcConfig": vpc(lowering),
                "Tags": tags(lowering),
            }
        )

    def _script(self, lowering: Lowering) -> dict[str, Value]:
        """The reserved hyperparameters by which the training toolkit finds the script."""
        if self.code is None:
            return {}
        source = lowering.source(self.code, step=self, what="code")
        asset = source and lowering.asset(source, step=self, archive=SOURCE_ARCHIVE)
        if not source or not asset:
            return {"sagemaker_program": Unknown()}
        if source.is_dir() and not self.entry:
            message = f"{self.name}: code is a folder, so entry= has to say which file in it starts"
            misuse("D061", message, step=self.name, where=self.where)
            return {"sagemaker_program": Unknown()}
        entry = self.entry if source.is_dir() and self.entry else source.name
        if entry not in dict(asset.files):
            message = f"{self.name}: there is no {entry!r} in {self.code}"
            misuse("D052", message, step=self.name, where=self.where)
        return {"sagemaker_program": entry, "sagemaker_submit_directory": asset.uri}

    def _channel(self, lowering: Lowering, name: str, given: Source | Channel) -> Value:
        settings = given if isinstance(given, Channel) else Channel(given)
        return without_none(
            {
                "ChannelName": name,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": lowering.data(settings.source, step=self),
                        "S3DataDistributionType": settings.distribution,
                    }
                },
                "ContentType": settings.content_type,
                "InputMode": settings.mode,
            }
        )
