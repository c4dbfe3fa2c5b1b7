"""RegisterModel: put a trained model into the registry as a new version of a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from typing_extensions import Unpack

from mlops.declare.references import (
    DataReference,
    ModelReference,
    PropertyReference,
    ReportReference,
    StringReference,
    lower,
)
from mlops.declare.steps.base import Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Environment, Image, Text, inference_environment, quality_metrics
from mlops.ir import StepType, Unknown, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="RegisterModel",
    request="CreateModelPackageInput",
    omits=frozenset({"ModelPackageName", "CertifyForMarketplace"}),
    response="DescribeModelPackageOutput",
    envelope=frozenset({"RetryPolicies"}),
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createModelPackage",
    action="register_model",
)

SAMPLE_ARCHIVE = "payload.tar.gz"


class RegisterModel(Step):
    """``metrics`` is a report (``evaluate.reports["quality"]``) or the output that holds one. ``sample`` is a local
    file with a request that the model must answer; it travels with the version and is sent when it is promoted.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        model: ModelReference | StringReference | str,
        image: Image,
        group: Text,
        inference_code: str | None = None,
        environment: Environment | None = None,
        metrics: ReportReference | DataReference | StringReference | str | None = None,
        content_types: Sequence[str] = ("text/csv",),
        response_types: Sequence[str] = ("text/csv",),
        instances: Sequence[str] = ("ml.m5.large",),
        transform_instances: Sequence[str] = ("ml.m5.large",),
        approval: Literal["PendingManualApproval", "Approved", "Rejected"] | StringReference = "PendingManualApproval",
        sample: str | None = None,
        metadata: Mapping[str, Text] | None = None,
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.model = model
        self.image = image
        self.group = group
        self.inference_code = inference_code
        self.environment = dict(environment or {})
        self.metrics = metrics
        self.content_types = tuple(content_types)
        self.response_types = tuple(response_types)
        self.instances = tuple(instances)
        self.transform_instances = tuple(transform_instances)
        self.approval = approval
        self.sample = sample
        self.metadata = dict(metadata or {})

    @property
    def package(self) -> PropertyReference:
        """The ARN of the new version."""
        return self.property("ModelPackageArn")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        environment = inference_environment(lowering, self.inference_code, self.environment)
        instance = self.instances[0] if self.instances else None
        container = without_none(
            {
                "Image": lowering.image(self.image, scope="inference", instance=instance, step=self),
                "Environment": environment or None,
                "ModelDataUrl": lower(self.model),
            }
        )
        return without_none(
            {
                "ModelPackageGroupName": lower(self.group),
                "InferenceSpecification": without_none(
                    {
                        "Containers": (container,),
                        "SupportedContentTypes": self.content_types,
                        "SupportedResponseMIMETypes": self.response_types,
                        "SupportedRealtimeInferenceInstanceTypes": self.instances or None,
                        "SupportedTransformInstanceTypes": self.transform_instances or None,
                    }
                ),
                "ModelApprovalStatus": lower(self.approval),
                "ModelMetrics": None if self.metrics is None else quality_metrics(self.metrics),
                "SamplePayloadUrl": self._sample(lowering),
                "CustomerMetadataProperties": {key: lower(value) for key, value in self.metadata.items()} or None,
            }
        )

    def _sample(self, lowering: Lowering) -> Value:
        if self.sample is None:
            return None
        source = lowering.source(self.sample, step=self, what="sample")
        asset = source and lowering.asset(source, step=self, archive=SAMPLE_ARCHIVE)
        return asset.uri if asset else Unknown()
