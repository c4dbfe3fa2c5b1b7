"""AutoML: let SageMaker find a model of tabular data by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.members import record_of
from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelReference, PropertyReference, StringReference, lower
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import (
    ENCRYPTION,
    OWN_TAGS,
    ROLE,
    VPC,
    Count,
    Data,
    Job,
    Number,
    Text,
    network,
)
from mlops.ir import Awaited, JobKind, StepType, Value
from mlops.ir.fields import (
    COUNT,
    DATA,
    MODEL,
    NUMBER,
    PLAIN,
    REQUIRED,
    SOURCE,
    STRING,
    TEXT,
    TEXTS,
    Constructor,
    Field,
    Given,
    Made,
    Of,
    Record,
    Said,
    Spoken,
    Yielded,
    choice,
    made,
    nothing,
    objects,
)
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
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createAutoMLJob",
    awaited=Awaited(
        "describeAutoMLJob", "AutoMLJobName", "AutoMLJobStatus", ("Completed",), ("InProgress", "Stopping")
    ),
    cache_keys=(
        "AutoMLJobConfig.CompletionCriteria",
        "AutoMLJobConfig.CandidateGenerationConfig",
        "AutoMLJobConfig.DataSplitConfig",
        "AutoMLJobConfig.Mode",
        "AutoMLJobObjective",
        "InputDataConfig",
        "ProblemType",
    ),
    job=JobKind(
        "AutoMLJob", "automl-job", describe="DescribeAutoMLJobV2", destination="OutputDataConfig", name_limit=32
    ),
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


TABLE = Record(
    Table,
    (
        Field("kind", "DataSource.S3DataSource.S3DataType", choice("S3Prefix", "ManifestFile"), "S3Prefix"),
        Field("source", "DataSource.S3DataSource.S3Uri", SOURCE, REQUIRED),
        Field("", "TargetAttributeName", TEXT, to=lambda _, __, step: lower(step.target)),
        Field("content_type", "ContentType", TEXT),
        Field("compression", "CompressionType", choice("None", "Gzip")),
        Field("weights", "SampleWeightAttributeName", TEXT),
    ),
)
_TABLE = made(TABLE, short=SOURCE.accepts)
_INPUT = "InputDataConfig"
_CONFIG = "AutoMLJobConfig"
_LIMITS, _CANDIDATES = f"{_CONFIG}.CompletionCriteria", f"{_CONFIG}.CandidateGenerationConfig"
_SECURITY = f"{_CONFIG}.SecurityConfig"


def _inputs(step: AutoML, lowering: Lowering, _: Step) -> Value:
    tables = [
        item if isinstance(item, Table) else Table(item) for item in (step.train, step.validation) if item is not None
    ]
    written = [record_of(table, TABLE, lowering, step) for table in tables]
    if len(written) == 1:
        return tuple(written)
    return tuple({**item, "ChannelType": kind} for item, kind in zip(written, ("training", "validation"), strict=True))


def _said_table(kind: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        for item in objects(given.at(_INPUT)):
            if item.get("ChannelType", "training") == kind:
                own = ("ChannelType", "TargetAttributeName")
                return Of(_TABLE, {key: value for key, value in item.items() if key not in own})
        return None

    return said


def _algorithms(step: AutoML, *_: object) -> Value:
    return ({"AutoMLAlgorithms": lower(step.algorithms)},) if step.algorithms else None


def _said_algorithms(given: Given) -> Spoken | None:
    listed = given.at(f"{_CANDIDATES}.AlgorithmsConfig.0.AutoMLAlgorithms")
    return Made("", [Said(item, TEXT.accepts) for item in listed]) if isinstance(listed, tuple) and listed else None


FIELDS = (
    # They own nothing: what they cannot say of the list is said in its place.
    Field("train", _INPUT, _TABLE, REQUIRED, to=_inputs, said=_said_table("training"), owns=""),
    Field("validation", _INPUT, _TABLE, to=nothing, said=_said_table("validation"), owns=""),
    Field("target", f"{_INPUT}.0.TargetAttributeName", TEXT, REQUIRED, to=nothing, owns=""),
    Field("to", "OutputDataConfig.S3OutputPath", TEXT, otherwise="folder"),
    Field("kms_key", "OutputDataConfig.KmsKeyId", TEXT, otherwise="kms_key"),
    Field("problem", "ProblemType", choice("BinaryClassification", "MulticlassClassification", "Regression")),
    Field("metric", "AutoMLJobObjective.MetricName", TEXT),
    Field("", f"{_CONFIG}.Mode", PLAIN, "ENSEMBLING"),
    Field("max_candidates", f"{_LIMITS}.MaxCandidates", COUNT),
    Field("max_runtime", f"{_LIMITS}.MaxAutoMLJobRuntimeInSeconds", COUNT),
    Field("max_runtime_per_job", f"{_LIMITS}.MaxRuntimePerTrainingJobInSeconds", COUNT),
    Field("features", f"{_CANDIDATES}.FeatureSpecificationS3Uri", TEXT),
    Field("algorithms", f"{_CANDIDATES}.AlgorithmsConfig", TEXTS, (), to=_algorithms, said=_said_algorithms),
    Field("validation_fraction", f"{_CONFIG}.DataSplitConfig.ValidationFraction", NUMBER),
    Field("volume_kms_key", f"{_SECURITY}.VolumeKmsKeyId", TEXT, otherwise="kms_key"),
    network(_SECURITY, ENCRYPTION, VPC),
    ROLE,
    OWN_TAGS,
)


class AutoML(Step):
    """Tries algorithms and preprocessings on ``train`` until the best predicts the column ``target`` well.

    ``problem`` and ``metric`` go together; without them SageMaker chooses. ``max_runtime`` is for all together,
    ``max_runtime_per_job`` for one training, in seconds.
    """

    step_type = STEP_TYPE
    shared_arguments = Job
    constructor = Constructor(
        FIELDS,
        yields={
            f"{BEST}.ModelDataUrl": Yielded("best_model", MODEL),
            f"{BEST}.Image": Yielded("best_image", STRING),
            "BestCandidateProperties.ModelInsightsJsonReportPath": Yielded("insights", DATA),
            "BestCandidateProperties.ExplainabilityJsonReportPath": Yielded("explanation", DATA),
            **{f"{BEST}.Environment['{key}']": Yielded("best_environment", STRING, key) for key in ENVIRONMENT},
        },
    )

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
