"""AutoML: let SageMaker find a model of tabular data by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.members import without_none
from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelReference, PropertyReference, StringReference, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import Count, Data, Job, JobSettings, Number, Text
from mlops.ir import JobKind, StepType, Value
from mlops.ir.permissions import ANY_JOB

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["AutoML", "Table"]

STEP_TYPE = StepType(
    type="AutoML",
    request="CreateAutoMLJobRequest",
    omits=frozenset({"AutoMLJobName", "GenerateCandidateDefinitionsOnly", "ModelDeployConfig"}),
    response="DescribeAutoMLJobResponse",
    extra_response={
        "BestCandidateProperties.ModelInsightsJsonReportPath": None,
        "BestCandidateProperties.ExplainabilityJsonReportPath": None,
    },
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=(
        "AutoMLJobConfig.CompletionCriteria",
        "AutoMLJobConfig.CandidateGenerationConfig",
        "AutoMLJobConfig.DataSplitConfig",
        "AutoMLJobConfig.Mode",
        "AutoMLJobObjective",
        "InputDataConfig",
        "ProblemType",
    ),
    job=JobKind("AutoMLJob", "automl-job", describe="DescribeAutoMLJobV2", destination="OutputDataConfig"),
    permissions=(
        "sagemaker:AddTags",
        "sagemaker:CreateAutoMLJobV2",
        "sagemaker:DescribeAutoMLJobV2",
        "sagemaker:StopAutoMLJob",
        "iam:PassRole",
        *ANY_JOB,
    ),
)

BEST = "BestCandidate.InferenceContainers[0]"
"""ENSEMBLING, the only mode that a pipeline may use, makes one container."""

ENVIRONMENT = (
    "MODEL_NAME",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_INFERENCE_SUPPORTED",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_SUBMIT_DIRECTORY",
)
"""What the official SDK copies from the best candidate's container."""


@record
class Table:
    """Data with more to say than where they lie. ``weights`` names the column with the weight of each row."""

    source: Data
    kind: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    content_type: Text | None = None
    compression: Literal["None", "Gzip"] | None = None
    weights: Text | None = None


class AutoML(Step):
    """Tries algorithms and preprocessings on ``train`` until the best predicts the column ``target`` well.

    ``problem`` and ``metric`` go together; without them SageMaker chooses. ``max_runtime`` is for all together,
    ``max_runtime_per_job`` for one training, in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job

    def __init__(
        self,
        name: str,
        *,
        train: Data | Table,
        target: Text,
        validation: Data | Table | None = None,
        validation_fraction: Number | None = None,
        problem: Literal["BinaryClassification", "MulticlassClassification", "Regression"] | None = None,
        metric: Text | None = None,
        algorithms: tuple[Text, ...] = (),
        features: Text | None = None,
        max_candidates: Count | None = None,
        max_runtime: Count | None = None,
        max_runtime_per_job: Count | None = None,
        to: Text | None = None,
        **shared: Unpack[Job],
    ) -> None:
        self.share(name, shared)
        self.job = JobSettings.of(shared)
        self.train = train
        self.target = target
        self.validation = validation
        self.validation_fraction = validation_fraction
        self.problem = problem
        self.metric = metric
        self.algorithms = algorithms
        self.features = features
        self.max_candidates = max_candidates
        self.max_runtime = max_runtime
        self.max_runtime_per_job = max_runtime_per_job
        self.to = to

    @property
    def best_model(self) -> ModelReference:
        """The S3 URI of the best candidate's ``model.tar.gz``."""
        return ModelReference(self.name, f"{BEST}.ModelDataUrl")

    @property
    def best_image(self) -> StringReference:
        """The image that serves the best candidate."""
        return PropertyReference(self.name, f"{BEST}.Image")

    @property
    def best_environment(self) -> Mapping[str, StringReference]:
        """The variables that the best candidate's container needs."""
        return {key: PropertyReference(self.name, f"{BEST}.Environment['{key}']") for key in ENVIRONMENT}

    @property
    def insights(self) -> DataReference:
        """The S3 URI of the best candidate's report on its quality."""
        return DataReference(self.name, "BestCandidateProperties.ModelInsightsJsonReportPath")

    @property
    def explanation(self) -> DataReference:
        """The S3 URI of the best candidate's report on what each column contributes."""
        return DataReference(self.name, "BestCandidateProperties.ExplainabilityJsonReportPath")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        limits = without_none(
            {
                "MaxCandidates": lower(self.max_candidates),
                "MaxAutoMLJobRuntimeInSeconds": lower(self.max_runtime),
                "MaxRuntimePerTrainingJobInSeconds": lower(self.max_runtime_per_job),
            }
        )
        candidates = without_none(
            {
                "FeatureSpecificationS3Uri": lower(self.features),
                "AlgorithmsConfig": ({"AutoMLAlgorithms": lower(self.algorithms)},) if self.algorithms else None,
            }
        )
        security = without_none(
            {
                "VolumeKmsKeyId": self.job.volume_kms_key(lowering),
                "EnableInterContainerTrafficEncryption": self.job.network.encryption(lowering),
                "VpcConfig": self.job.network.vpc(lowering),
            }
        )
        target = lowering.environment.uri(lowering.pipeline, self.name) if self.to is None else lower(self.to)
        fraction = self.validation_fraction
        return without_none(
            {
                "InputDataConfig": self._inputs(lowering),
                "OutputDataConfig": without_none({"S3OutputPath": target, "KmsKeyId": self.job.kms_key(lowering)}),
                "ProblemType": self.problem,
                "AutoMLJobObjective": None if self.metric is None else {"MetricName": lower(self.metric)},
                "AutoMLJobConfig": without_none(
                    {
                        "Mode": "ENSEMBLING",
                        "CompletionCriteria": limits or None,
                        "CandidateGenerationConfig": candidates or None,
                        "DataSplitConfig": None if fraction is None else {"ValidationFraction": lower(fraction)},
                        "SecurityConfig": security or None,
                    }
                ),
                "RoleArn": self.job.role(lowering),
                "Tags": self.job.tags(lowering),
            }
        )

    def _inputs(self, lowering: Lowering) -> Value:
        channels: dict[str, Data | Table] = {"training": self.train}
        if self.validation is not None:
            channels["validation"] = self.validation
        return tuple(
            self._channel(lowering, None if len(channels) == 1 else kind, given) for kind, given in channels.items()
        )

    def _channel(self, lowering: Lowering, kind: str | None, given: Data | Table) -> Value:
        table = given if isinstance(given, Table) else Table(given)
        uri = lowering.data(table.source, step=self)
        return without_none(
            {
                "DataSource": {"S3DataSource": {"S3DataType": table.kind, "S3Uri": uri}},
                "TargetAttributeName": lower(self.target),
                "ContentType": lower(table.content_type),
                "CompressionType": table.compression,
                "SampleWeightAttributeName": lower(table.weights),
                "ChannelType": kind,
            }
        )
