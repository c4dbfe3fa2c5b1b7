"""RegisterModel: put a trained model into the registry as a new version of a group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.containers import Artifact, Container, container
from mlops.declare.members import without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import DataReference, PropertyReference, ReportReference, StringReference, lower
from mlops.declare.steps.base import STEP_FAULTS, Step
from mlops.declare.steps.shared_arguments import Count, Environment, Image, Tagged, Text, quality_metrics
from mlops.ir import StepType, Unknown, Value
from mlops.ir.values import expressions, to_json

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["DriftBaselines", "Inference", "LifeCycle", "Metrics", "ModelCard", "Origin", "RegisterModel", "Validation"]

STEP_TYPE = StepType(
    type="RegisterModel",
    request="CreateModelPackageInput",
    omits=frozenset({"ModelPackageName", "CertifyForMarketplace"}),
    response="DescribeModelPackageOutput",
    envelope=frozenset({"RetryPolicies"}),
    states_resource="arn:aws:states:::aws-sdk:sagemaker:createModelPackage",
    action="register_model",
    permissions=(
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "s3:GetObject",
    ),
)

SAMPLE_ARCHIVE = "payload.tar.gz"

Report: TypeAlias = ReportReference | DataReference | StringReference | str


@record
class Metrics:
    """Reports that describe a version: statistics and constraints of its quality and of its data's, bias and
    explainability. Each is a report of a step, an output that holds one, or an S3 URI."""

    quality: Report | None = None
    quality_constraints: Report | None = None
    data_quality: Report | None = None
    data_constraints: Report | None = None
    bias: Report | None = None
    bias_before_training: Report | None = None
    bias_after_training: Report | None = None
    explainability: Report | None = None
    content_type: Text = "application/json"


@record
class DriftBaselines:
    """What later checks compare with. The two ``…_config`` are configuration files of Clarify."""

    quality: Report | None = None
    quality_constraints: Report | None = None
    data_quality: Report | None = None
    data_constraints: Report | None = None
    bias_before_training: Report | None = None
    bias_after_training: Report | None = None
    bias_config: Report | None = None
    explainability: Report | None = None
    explainability_config: Report | None = None
    content_type: Text = "application/json"


@record
class ModelCard:
    """A model card's content, a dictionary or its JSON text, and where it stands in its review."""

    content: Mapping[str, Any] | Text
    status: Literal["Draft", "PendingReview", "Approved", "Archived"] = "Draft"


@record
class LifeCycle:
    """The stage that a version is in, and how it stands there."""

    stage: Text
    status: Text
    description: Text | None = None


@record
class Origin:
    """Where a version comes from (MetadataProperties)."""

    commit: Text | None = None
    repository: Text | None = None
    generated_by: Text | None = None
    project: Text | None = None


@record
class Validation:
    """Before the version is registered, SageMaker sends ``data`` through it by a transform that writes to ``to``."""

    data: Text | DataReference
    to: Text
    instance: Text
    count: Count = 1
    content_type: Text | None = None
    accept: Text | None = None
    split: Literal["None", "Line", "RecordIO", "TFRecord"] | None = None
    assemble: Literal["None", "Line"] | None = None
    strategy: Literal["SingleRecord", "MultiRecord"] | None = None
    max_payload: Count | None = None
    max_concurrent: Count | None = None
    environment: Environment | None = None


@record
class Inference:
    """A further way to serve a version, under a name of its own."""

    containers: Sequence[Container]
    content_types: Sequence[Text] = ()
    response_types: Sequence[Text] = ()
    instances: Sequence[Text] = ()
    transform_instances: Sequence[Text] = ()
    description: Text | None = None


class RegisterModel(Step):
    """``metrics`` is a report (``evaluate.reports["quality"]``), the output that holds one, or ``Metrics``. ``sample``
    is a local file with a request that the model must answer; it travels with the version and is sent when it is
    promoted. ``containers`` stand for ``model``, ``image`` and what belongs to them where a request passes several.
    """

    step_type = STEP_TYPE
    shared_arguments = Tagged
    faults = STEP_FAULTS

    def __init__(
        self,
        name: str,
        *,
        group: Text,
        model: Artifact | None = None,
        image: Image | None = None,
        inference_code: str | None = None,
        environment: Environment | None = None,
        containers: Sequence[Container] = (),
        metrics: Report | Metrics | None = None,
        drift_baselines: DriftBaselines | None = None,
        content_types: Sequence[Text] = ("text/csv",),
        response_types: Sequence[Text] = ("text/csv",),
        instances: Sequence[Text] = ("ml.m5.large",),
        transform_instances: Sequence[Text] = ("ml.m5.large",),
        further: Mapping[str, Inference] | None = None,
        approval: Literal["PendingManualApproval", "Approved", "Rejected"] | StringReference = "PendingManualApproval",
        sample: str | None = None,
        metadata: Mapping[str, Text] | None = None,
        version_description: Text | None = None,
        domain: Text | None = None,
        task: Text | None = None,
        source: Text | None = None,
        origin: Origin | None = None,
        validation: Mapping[str, Validation] | None = None,
        validation_role: Text | None = None,
        skip_validation: Literal["All", "None"] | StringReference | None = None,
        card: ModelCard | None = None,
        life_cycle: LifeCycle | None = None,
        kms_key: Text | None = None,
        **shared: Unpack[Tagged],
    ) -> None:
        self.share(name, shared)
        self.group = group
        self.container = Container(image=image, model=model, inference_code=inference_code, environment=environment)
        self.containers = tuple(containers)
        self.metrics = metrics
        self.drift_baselines = drift_baselines
        self.content_types = tuple(content_types)
        self.response_types = tuple(response_types)
        self.instances = tuple(instances)
        self.transform_instances = tuple(transform_instances)
        self.further = dict(further or {})
        self.approval = approval
        self.sample = sample
        self.metadata = dict(metadata or {})
        self.version_description = version_description
        self.domain = domain
        self.task = task
        self.source = source
        self.origin = origin
        self.validation = dict(validation or {})
        self.validation_role = validation_role
        self.skip_validation = skip_validation
        self.card = card
        self.life_cycle = life_cycle
        self.kms_key = kms_key
        self.tags = dict(shared.get("tags") or {})
        if not containers and image is None:
            message = f"RegisterModel {name}: the argument image is missing"
            misuse("D041", message, help="give image= and model=, or containers=", step=name)
            self.poisoned = True
        elif containers and (image is not None or model is not None):
            message = f"RegisterModel {name}: containers= stands for image= and model=, both are given"
            misuse("D064", message, step=name)

    @property
    def package(self) -> PropertyReference:
        """The ARN of the new version."""
        return self.property("ModelPackageArn")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        return without_none(
            {
                "ModelPackageGroupName": lower(self.group),
                "ModelPackageDescription": lower(self.version_description),
                "InferenceSpecification": self._inference(lowering),
                "AdditionalInferenceSpecifications": tuple(
                    {"Name": name, **self._further(lowering, item)} for name, item in self.further.items()
                )
                or None,
                "ModelApprovalStatus": lower(self.approval),
                "ModelMetrics": self._metrics(),
                "DriftCheckBaselines": _drift_baselines(self.drift_baselines),
                "SamplePayloadUrl": self._sample(lowering),
                "CustomerMetadataProperties": {key: lower(value) for key, value in self.metadata.items()} or None,
                "MetadataProperties": _origin(self.origin),
                "Domain": lower(self.domain),
                "Task": lower(self.task),
                "SourceUri": lower(self.source),
                "ValidationSpecification": self._validation(lowering),
                "SkipModelValidation": lower(self.skip_validation),
                "ModelCard": _card(self.card),
                "ModelLifeCycle": _life_cycle(self.life_cycle),
                "SecurityConfig": None if self.kms_key is None else {"KmsKeyId": lower(self.kms_key)},
                # The environment's tags are for the group: the service refuses tags on a version of a group.
                "Tags": tuple({"Key": key, "Value": lower(value)} for key, value in sorted(self.tags.items())) or None,
            }
        )

    def _inference(self, lowering: Lowering) -> Value:
        instance = lower(self.instances[0]) if self.instances else None
        listed = self.containers or (self.container,)
        return without_none(
            {
                "Containers": tuple(container(lowering, self, item, instance) for item in listed),
                "SupportedContentTypes": lower(self.content_types),
                "SupportedResponseMIMETypes": lower(self.response_types),
                "SupportedRealtimeInferenceInstanceTypes": lower(self.instances) or None,
                "SupportedTransformInstanceTypes": lower(self.transform_instances) or None,
            }
        )

    def _further(self, lowering: Lowering, given: Inference) -> dict[str, Value]:
        instance = lower(given.instances[0]) if given.instances else None
        return without_none(
            {
                "Description": lower(given.description),
                "Containers": tuple(container(lowering, self, item, instance) for item in given.containers),
                "SupportedContentTypes": lower(tuple(given.content_types)) or None,
                "SupportedResponseMIMETypes": lower(tuple(given.response_types)) or None,
                "SupportedRealtimeInferenceInstanceTypes": lower(tuple(given.instances)) or None,
                "SupportedTransformInstanceTypes": lower(tuple(given.transform_instances)) or None,
            }
        )

    def _metrics(self) -> Value:
        given = self.metrics
        if given is None:
            return None
        if not isinstance(given, Metrics):
            return quality_metrics(given)
        return _grouped(
            {
                "ModelQuality": {"Statistics": given.quality, "Constraints": given.quality_constraints},
                "ModelDataQuality": {"Statistics": given.data_quality, "Constraints": given.data_constraints},
                "Bias": {
                    "Report": given.bias,
                    "PreTrainingReport": given.bias_before_training,
                    "PostTrainingReport": given.bias_after_training,
                },
                "Explainability": {"Report": given.explainability},
            },
            lower(given.content_type),
        )

    def _validation(self, lowering: Lowering) -> Value:
        if not self.validation:
            return None
        role = lowering.environment.role if self.validation_role is None else lower(self.validation_role)
        profiles = tuple(
            {"ProfileName": name, "TransformJobDefinition": self._profile(lowering, given)}
            for name, given in self.validation.items()
        )
        return {"ValidationRole": role, "ValidationProfiles": profiles}

    def _profile(self, lowering: Lowering, given: Validation) -> Value:
        return without_none(
            {
                "TransformInput": without_none(
                    {
                        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": lower(given.data)}},
                        "ContentType": lower(given.content_type),
                        "SplitType": given.split,
                    }
                ),
                "TransformOutput": without_none(
                    {
                        "S3OutputPath": lower(given.to),
                        "Accept": lower(given.accept),
                        "AssembleWith": given.assemble,
                        "KmsKeyId": lowering.environment.kms_key,
                    }
                ),
                "TransformResources": {"InstanceType": lower(given.instance), "InstanceCount": lower(given.count)},
                "BatchStrategy": given.strategy,
                "MaxPayloadInMB": lower(given.max_payload),
                "MaxConcurrentTransforms": lower(given.max_concurrent),
                "Environment": lower(given.environment),
            }
        )

    def _sample(self, lowering: Lowering) -> Value:
        if self.sample is None:
            return None
        if self.sample.startswith("s3://"):
            return self.sample
        source = lowering.source(self.sample, step=self, what="sample")
        asset = source and lowering.asset(source, step=self, archive=SAMPLE_ARCHIVE)
        return asset.uri if asset else Unknown()


def _grouped(groups: Mapping[str, Mapping[str, Report | None]], content_type: Value) -> Value:
    """Reports as MetricsSource, by group and member."""
    told = {
        group: {
            name: {"ContentType": content_type, "S3Uri": lower(report)}
            for name, report in members.items()
            if report is not None
        }
        for group, members in groups.items()
    }
    return {group: members for group, members in told.items() if members} or None


def _drift_baselines(given: DriftBaselines | None) -> Value:
    if given is None:
        return None
    return _grouped(
        {
            "Bias": {
                "ConfigFile": given.bias_config,
                "PreTrainingConstraints": given.bias_before_training,
                "PostTrainingConstraints": given.bias_after_training,
            },
            "Explainability": {"Constraints": given.explainability, "ConfigFile": given.explainability_config},
            "ModelQuality": {"Statistics": given.quality, "Constraints": given.quality_constraints},
            "ModelDataQuality": {"Statistics": given.data_quality, "Constraints": given.data_constraints},
        },
        lower(given.content_type),
    )


def _origin(given: Origin | None) -> Value:
    if given is None:
        return None
    return without_none(
        {
            "CommitId": lower(given.commit),
            "Repository": lower(given.repository),
            "GeneratedBy": lower(given.generated_by),
            "ProjectId": lower(given.project),
        }
    )


def _card(given: ModelCard | None) -> Value:
    if given is None:
        return None
    content = lower(given.content)
    if isinstance(given.content, Mapping):
        if any(True for _ in expressions(content)):
            misuse("D004", "a model card is one JSON text, so no reference can stand inside of it")
            return Unknown()
        content = json.dumps(to_json(content), sort_keys=True)
    return {"ModelCardContent": content, "ModelCardStatus": given.status}


def _life_cycle(given: LifeCycle | None) -> Value:
    if given is None:
        return None
    return without_none(
        {
            "Stage": lower(given.stage),
            "StageStatus": lower(given.status),
            "StageDescription": lower(given.description),
        }
    )
