"""Transform: send stored data through a model and store the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.references import DataReference, ModelNameReference, StringReference, lower
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Count, Environment, Text, execution_folder, tags
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


class Transform(Step):
    """One answer file ``<input>.out`` per input file. ``split`` cuts inputs into records, ``strategy`` sends one or
    many at a time, ``assemble`` puts answers together. ``input_filter`` and ``output_filter`` are JSONPaths.
    ``max_payload`` is in MB.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        model: ModelNameReference | StringReference | str,
        data: DataReference | StringReference | str,
        content_type: Text | None = "text/csv",
        accept: Text | None = None,
        split: Literal["None", "Line", "RecordIO", "TFRecord"] | None = "Line",
        assemble: Literal["None", "Line"] | None = "Line",
        strategy: Literal["SingleRecord", "MultiRecord"] | None = None,
        input_filter: Text | None = None,
        output_filter: Text | None = None,
        join_source: Literal["Input", "None"] | None = None,
        max_payload: Count | None = None,
        max_concurrent: Count | None = None,
        environment: Environment | None = None,
        to: Text | None = None,
        instance: Text | None = None,
        count: Count = 1,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.model = model
        self.data = data
        self.content_type = content_type
        self.accept = accept
        self.split = split
        self.assemble = assemble
        self.strategy = strategy
        self.input_filter = input_filter
        self.output_filter = output_filter
        self.join_source = join_source
        self.max_payload = max_payload
        self.max_concurrent = max_concurrent
        self.environment = dict(environment or {})
        self.to = to
        self.instance = instance
        self.count = count

    @property
    def output(self) -> DataReference:
        """The S3 URI below which the answers lie."""
        return DataReference(self.name, "TransformOutput.S3OutputPath")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        environment = lowering.environment
        target = execution_folder(lowering, self.name)
        filters = without_none(
            {
                "InputFilter": lower(self.input_filter),
                "OutputFilter": lower(self.output_filter),
                "JoinSource": self.join_source,
            }
        )
        return without_none(
            {
                "ModelName": lower(self.model),
                "TransformInput": without_none(
                    {
                        "DataSource": {
                            "S3DataSource": {
                                "S3DataType": "S3Prefix",
                                "S3Uri": lowering.data(self.data, step=self),
                            }
                        },
                        "ContentType": lower(self.content_type),
                        "SplitType": self.split,
                    }
                ),
                "TransformOutput": without_none(
                    {
                        "S3OutputPath": target if self.to is None else lower(self.to),
                        "Accept": lower(self.accept),
                        "AssembleWith": self.assemble,
                        "KmsKeyId": environment.kms_key,
                    }
                ),
                "TransformResources": {
                    "InstanceType": lowering.instance(self.instance),
                    "InstanceCount": lower(self.count),
                },
                "BatchStrategy": self.strategy,
                "MaxPayloadInMB": lower(self.max_payload),
                "MaxConcurrentTransforms": lower(self.max_concurrent),
                "DataProcessing": filters or None,
                "Environment": {key: lower(value) for key, value in self.environment.items()} or None,
                "Tags": tags(lowering),
            }
        )
