"""Transform: send stored data through a model and store the answers."""

from __future__ import annotations

from typing import Literal

from typing_extensions import Unpack

from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelNameReference, StringReference
from mlops.declare.steps.base import Step
from mlops.declare.steps.shared_arguments import Count, Data, Environment, Flag, Tagged, Text
from mlops.ir import JobKind, S3Place, StepType
from mlops.ir.fields import (
    COUNT,
    DATA,
    FLAG,
    MAP,
    REQUIRED,
    SOURCE,
    TAGS,
    TEXT,
    Constructor,
    Field,
    Record,
    Yielded,
    choice,
    made,
)
from mlops.ir.permissions import LOGS

__all__ = ["DataCapture", "Transform"]

STEP_TYPE = StepType(
    type="Transform",
    request="CreateTransformJobRequest",
    omits=frozenset({"TransformJobName"}),
    response="DescribeTransformJobResponse",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=("DataProcessing", "Environment", "ModelName", "TransformInput"),
    states_resource="arn:aws:states:::sagemaker:createTransformJob.sync",
    action="transform",
    job=JobKind(
        "TransformJob",
        "transform-job",
        destination="TransformOutput",
        inputs=(S3Place(("TransformInput", "DataSource", "S3DataSource", "S3Uri"), "input"),),
        outputs=(S3Place(("TransformOutput", "S3OutputPath"), "output", recorded="transform"),),
        quota="transform job",
        log_group="/aws/sagemaker/TransformJobs",
        newest_first=True,
        opens=False,
    ),
    permissions=(
        "sagemaker:AddTags",
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
        *LOGS,
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    ),
)


@record
class DataCapture:
    """Keep requests and answers below ``to``; ``inference_ids`` adds an id and a time to each."""

    to: Text
    kms_key: Text | None = None
    inference_ids: Flag | None = None


DATA_CAPTURE = Record(
    DataCapture,
    (
        Field("to", "DestinationS3Uri", TEXT, REQUIRED),
        Field("kms_key", "KmsKeyId", TEXT),
        Field("inference_ids", "GenerateInferenceId", FLAG),
    ),
)

_DATA = "TransformInput.DataSource.S3DataSource"
_KINDS = choice("S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse")

FIELDS = (
    Field("model", "ModelName", TEXT, REQUIRED),
    Field(
        "kind",
        f"{_DATA}.S3DataType",
        choice("S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"),
        "S3Prefix",
    ),
    Field("data", f"{_DATA}.S3Uri", SOURCE, REQUIRED),
    Field("content_type", "TransformInput.ContentType", TEXT, "text/csv", absent="None"),
    Field("compression", "TransformInput.CompressionType", choice("None", "Gzip")),
    Field("split", "TransformInput.SplitType", choice("None", "Line", "RecordIO", "TFRecord"), "Line", absent="None"),
    Field("to", "TransformOutput.S3OutputPath", TEXT, otherwise="execution folder"),
    Field("accept", "TransformOutput.Accept", TEXT),
    Field("assemble", "TransformOutput.AssembleWith", choice("None", "Line"), "Line", absent="None"),
    Field("kms_key", "TransformOutput.KmsKeyId", TEXT, otherwise="kms_key"),
    Field("instance", "TransformResources.InstanceType", TEXT, otherwise="instance"),
    Field("count", "TransformResources.InstanceCount", COUNT, 1),
    Field("volume_kms_key", "TransformResources.VolumeKmsKeyId", TEXT),
    Field("strategy", "BatchStrategy", choice("SingleRecord", "MultiRecord")),
    Field("max_payload", "MaxPayloadInMB", COUNT),
    Field("max_concurrent", "MaxConcurrentTransforms", COUNT),
    Field("timeout", "ModelClientConfig.InvocationsTimeoutInSeconds", COUNT),
    Field("attempts", "ModelClientConfig.InvocationsMaxRetries", COUNT),
    Field("input_filter", "DataProcessing.InputFilter", TEXT),
    Field("output_filter", "DataProcessing.OutputFilter", TEXT),
    Field("join_source", "DataProcessing.JoinSource", choice("Input", "None")),
    Field("data_capture", "DataCaptureConfig", made(DATA_CAPTURE)),
    Field("environment", "Environment", MAP),
    Field("tags", "Tags", TAGS),
)


class Transform(Step):
    """One answer file ``<input>.out`` per input file. ``split`` cuts inputs into records, ``strategy`` sends one or
    many at a time, ``assemble`` puts answers together. ``input_filter`` and ``output_filter`` are JSONPaths.
    ``max_payload`` is in MB, ``timeout`` in seconds; ``attempts`` are for one request.
    """

    step_type = STEP_TYPE
    shared_arguments = Tagged
    constructor = Constructor(FIELDS, yields={"TransformOutput.S3OutputPath": Yielded("output", DATA)})

    def __init__(
        self,
        name: str,
        *,
        model: ModelNameReference | StringReference | str,
        data: Data,
        kind: Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"] = "S3Prefix",
        content_type: Text | None = "text/csv",
        compression: Literal["None", "Gzip"] | None = None,
        accept: Text | None = None,
        split: Literal["None", "Line", "RecordIO", "TFRecord"] | None = "Line",
        assemble: Literal["None", "Line"] | None = "Line",
        strategy: Literal["SingleRecord", "MultiRecord"] | None = None,
        input_filter: Text | None = None,
        output_filter: Text | None = None,
        join_source: Literal["Input", "None"] | None = None,
        max_payload: Count | None = None,
        max_concurrent: Count | None = None,
        timeout: Count | None = None,
        attempts: Count | None = None,
        environment: Environment | None = None,
        data_capture: DataCapture | None = None,
        to: Text | None = None,
        kms_key: Text | None = None,
        volume_kms_key: Text | None = None,
        instance: Text | None = None,
        count: Count = 1,
        **shared: Unpack[Tagged],
    ) -> None:
        self.share(name, shared)
        self.model = model
        self.data = data
        self.kind = kind
        self.content_type = content_type
        self.compression = compression
        self.accept = accept
        self.split = split
        self.assemble = assemble
        self.strategy = strategy
        self.input_filter = input_filter
        self.output_filter = output_filter
        self.join_source = join_source
        self.max_payload = max_payload
        self.max_concurrent = max_concurrent
        self.timeout = timeout
        self.attempts = attempts
        self.environment = dict(environment or {})
        self.data_capture = data_capture
        self.to = to
        self.kms_key = kms_key
        self.volume_kms_key = volume_kms_key
        self.instance = instance
        self.count = count
        self.tags = shared.get("tags")

    @property
    def output(self) -> DataReference:
        """The S3 URI below which the answers lie."""
        return DataReference(self.name, "TransformOutput.S3OutputPath")
