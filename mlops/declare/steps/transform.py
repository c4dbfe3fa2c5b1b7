"""Transform: send stored data through a model and store the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelNameReference, StringReference, lower
from mlops.declare.steps.base import Step, without_none
from mlops.declare.steps.shared_arguments import (
    Count,
    Data,
    Environment,
    Flag,
    Tagged,
    Text,
    environment,
    execution_folder,
    tags,
)
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="Transform",
    request="CreateTransformJobRequest",
    omits=frozenset({"TransformJobName"}),
    response="DescribeTransformJobResponse",
    envelope=frozenset({"CacheConfig", "RetryPolicies"}),
    cache_keys=("DataProcessing", "Environment", "ModelName", "TransformInput"),
    states_resource="arn:aws:states:::sagemaker:createTransformJob.sync",
    action="transform",
)


@record
class DataCapture:
    """Keep requests and answers below ``to``; ``inference_ids`` adds an id and a time to each."""

    to: Text
    kms_key: Text | None = None
    inference_ids: Flag | None = None


class Transform(Step):
    """One answer file ``<input>.out`` per input file. ``split`` cuts inputs into records, ``strategy`` sends one or
    many at a time, ``assemble`` puts answers together. ``input_filter`` and ``output_filter`` are JSONPaths.
    ``max_payload`` is in MB, ``timeout`` in seconds; ``attempts`` are for one request.
    """

    step_type = STEP_TYPE
    shared_arguments = Tagged

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

    def request(self, lowering: Lowering) -> dict[str, Value]:
        default_key = lowering.environment.kms_key
        target = execution_folder(lowering, self.name)
        filters = without_none(
            {
                "InputFilter": lower(self.input_filter),
                "OutputFilter": lower(self.output_filter),
                "JoinSource": self.join_source,
            }
        )
        client = without_none(
            {"InvocationsTimeoutInSeconds": lower(self.timeout), "InvocationsMaxRetries": lower(self.attempts)}
        )
        return without_none(
            {
                "ModelName": lower(self.model),
                "TransformInput": without_none(
                    {
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": self.kind,
                                "S3Uri": lowering.data(self.data, step=self),
                            }
                        },
                        "ContentType": lower(self.content_type),
                        "CompressionType": self.compression,
                        "SplitType": self.split,
                    }
                ),
                "TransformOutput": without_none(
                    {
                        "S3OutputPath": target if self.to is None else lower(self.to),
                        "Accept": lower(self.accept),
                        "AssembleWith": self.assemble,
                        "KmsKeyId": default_key if self.kms_key is None else lower(self.kms_key),
                    }
                ),
                "TransformResources": without_none(
                    {
                        "InstanceType": lowering.instance(self.instance),
                        "InstanceCount": lower(self.count),
                        "VolumeKmsKeyId": lower(self.volume_kms_key),
                    }
                ),
                "BatchStrategy": self.strategy,
                "MaxPayloadInMB": lower(self.max_payload),
                "MaxConcurrentTransforms": lower(self.max_concurrent),
                "ModelClientConfig": client or None,
                "DataProcessing": filters or None,
                "DataCaptureConfig": self._capture(),
                "Environment": environment(self.environment),
                "Tags": tags(lowering, self.tags),
            }
        )

    def _capture(self) -> Value:
        if self.data_capture is None:
            return None
        return without_none(
            {
                "DestinationS3Uri": lower(self.data_capture.to),
                "KmsKeyId": lower(self.data_capture.kms_key),
                "GenerateInferenceId": lower(self.data_capture.inference_ids),
            }
        )
