"""RegisterModel: put a trained model into the registry as a new version of a group."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import Unpack

from mlops.declare.containers import ARCHIVE, CONTAINER, ENVIRONMENT, FILES, IMAGE, Artifact, Container, container
from mlops.declare.members import record_of
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import (
    DataReference,
    PropertyReference,
    ReportReference,
    StringReference,
    lower,
    lower_word,
)
from mlops.declare.steps.base import STEP_FAULTS, Step
from mlops.declare.steps.shared_arguments import Count, Environment, Image, Tagged, Text
from mlops.ir import Awaited, StepType, Unknown, Value
from mlops.ir.fields import (
    COUNT,
    LINK,
    MAP,
    PLAIN,
    REQUIRED,
    STRING,
    TAGS,
    TEXT,
    TEXT_MAP,
    TEXTS,
    By,
    Constructor,
    Field,
    Given,
    Kind,
    Of,
    Record,
    Spoken,
    Yielded,
    by_name,
    choice,
    each,
    hidden,
    made,
    nothing,
    objects,
    said_at,
)
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
    awaited=Awaited(
        "describeModelPackage",
        "ModelPackageName",
        "ModelPackageStatus",
        ("Completed",),
        ("Pending", "InProgress"),
        told="ModelPackageArn",
    ),
    action="register_model",
    made="ModelPackageName",
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


def _report(name: str, path: str) -> Field:
    """A report as a MetricsSource; its content type is that of all."""

    def to(given: Metrics | DriftBaselines, *_: object) -> Value:
        report = getattr(given, name)
        return None if report is None else {"ContentType": lower(given.content_type), "S3Uri": lower(report)}

    return Field(name, path, LINK, to=to, said=said_at(f"{path}.S3Uri", LINK))


def _said_content_type(given: Given) -> Spoken | None:
    """What the first report is; they are alike nearly always."""
    for group in given.step.arguments.values() if isinstance(given.step.arguments, Mapping) else ():
        for report in group.values() if isinstance(group, Mapping) else ():
            if isinstance(report, Mapping) and "ContentType" in report:
                kind = report["ContentType"]
                return None if kind == "application/json" else Of(TEXT, kind)
    return None


_CONTENT_TYPE = Field("content_type", "", TEXT, "application/json", to=nothing, said=_said_content_type)
METRICS = Record(
    Metrics,
    (
        _report("quality", "ModelQuality.Statistics"),
        _report("quality_constraints", "ModelQuality.Constraints"),
        _report("data_quality", "ModelDataQuality.Statistics"),
        _report("data_constraints", "ModelDataQuality.Constraints"),
        _report("bias", "Bias.Report"),
        _report("bias_before_training", "Bias.PreTrainingReport"),
        _report("bias_after_training", "Bias.PostTrainingReport"),
        _report("explainability", "Explainability.Report"),
        _CONTENT_TYPE,
    ),
    positional=0,
)
DRIFT_BASELINES = Record(
    DriftBaselines,
    (
        _report("bias_config", "Bias.ConfigFile"),
        _report("bias_before_training", "Bias.PreTrainingConstraints"),
        _report("bias_after_training", "Bias.PostTrainingConstraints"),
        _report("explainability", "Explainability.Constraints"),
        _report("explainability_config", "Explainability.ConfigFile"),
        _report("quality", "ModelQuality.Statistics"),
        _report("quality_constraints", "ModelQuality.Constraints"),
        _report("data_quality", "ModelDataQuality.Statistics"),
        _report("data_constraints", "ModelDataQuality.Constraints"),
        _CONTENT_TYPE,
    ),
    positional=0,
)


def _content(given: ModelCard, *_: object) -> Value:
    content = lower(given.content)
    if not isinstance(given.content, Mapping):
        return content
    if any(True for _ in expressions(content)):
        misuse("D004", "a model card is one JSON text, so no reference can stand inside of it")
        return Unknown()
    return json.dumps(to_json(content), sort_keys=True)


_STATUS = choice("Draft", "PendingReview", "Approved", "Archived")
MODEL_CARD = Record(
    ModelCard,
    (
        Field("content", "ModelCardContent", TEXT, REQUIRED, to=_content),
        Field("status", "ModelCardStatus", _STATUS, "Draft"),
    ),
)
LIFE_CYCLE = Record(
    LifeCycle,
    (
        Field("stage", "Stage", TEXT, REQUIRED),
        Field("status", "StageStatus", TEXT, REQUIRED),
        Field("description", "StageDescription", TEXT),
    ),
)
ORIGIN = Record(
    Origin,
    (
        Field("commit", "CommitId", TEXT),
        Field("repository", "Repository", TEXT),
        Field("generated_by", "GeneratedBy", TEXT),
        Field("project", "ProjectId", TEXT),
    ),
    positional=0,
)


def _sample_environment(given: Validation, *_: object) -> Value:
    return None if given.environment is None else {key: lower_word(item) for key, item in given.environment.items()}


_TRANSFORM = "TransformJobDefinition"
_IN, _OUT = f"{_TRANSFORM}.TransformInput", f"{_TRANSFORM}.TransformOutput"
VALIDATION = Record(
    Validation,
    (
        Field("", f"{_IN}.DataSource.S3DataSource.S3DataType", PLAIN, "S3Prefix"),
        Field("data", f"{_IN}.DataSource.S3DataSource.S3Uri", LINK, REQUIRED),
        Field("content_type", f"{_IN}.ContentType", TEXT),
        Field("split", f"{_IN}.SplitType", choice("None", "Line", "RecordIO", "TFRecord")),
        Field("to", f"{_OUT}.S3OutputPath", TEXT, REQUIRED),
        Field("accept", f"{_OUT}.Accept", TEXT),
        Field("assemble", f"{_OUT}.AssembleWith", choice("None", "Line")),
        Field("", f"{_OUT}.KmsKeyId", TEXT, otherwise="kms_key"),
        Field("instance", f"{_TRANSFORM}.TransformResources.InstanceType", TEXT, REQUIRED),
        Field("count", f"{_TRANSFORM}.TransformResources.InstanceCount", COUNT, 1),
        Field("strategy", f"{_TRANSFORM}.BatchStrategy", choice("SingleRecord", "MultiRecord")),
        Field("max_payload", f"{_TRANSFORM}.MaxPayloadInMB", COUNT),
        Field("max_concurrent", f"{_TRANSFORM}.MaxConcurrentTransforms", COUNT),
        Field("environment", f"{_TRANSFORM}.Environment", MAP, keeps="empty", to=_sample_environment),
    ),
)


def _further_containers(given: Inference, lowering: Lowering, step: Step) -> Value:
    instance = lower(given.instances[0]) if given.instances else None
    return tuple(container(lowering, step, item, instance) for item in given.containers)


INFERENCE = Record(
    Inference,
    (
        Field("description", "Description", TEXT),
        Field("containers", "Containers", each(CONTAINER), REQUIRED, to=_further_containers),
        Field("content_types", "SupportedContentTypes", TEXTS, ()),
        Field("response_types", "SupportedResponseMIMETypes", TEXTS, ()),
        Field("instances", "SupportedRealtimeInferenceInstanceTypes", TEXTS, ()),
        Field("transform_instances", "SupportedTransformInstanceTypes", TEXTS, ()),
    ),
    positional=0,
)

_SPECIFICATION = "InferenceSpecification"
_METRICS = made(METRICS, short=LINK.accepts)
_DRIFT = made(DRIFT_BASELINES)


def _containers(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    instance = lower(step.instances[0]) if step.instances else None
    return tuple(container(lowering, step, item, instance) for item in step.containers or (step.container,))


def _lone(given: Given) -> Mapping[str, Value] | None:
    """The one container that the step's own arguments can say."""
    listed = objects(given.at(f"{_SPECIFICATION}.Containers"))
    known = {"Image", "ModelDataUrl", "Environment"}
    return listed[0] if len(listed) == 1 and "Image" in listed[0] and set(listed[0]) <= known else None


def _of_the_lone(field: Field) -> Field:
    def said(given: Given) -> Spoken | None:
        found = _lone(given)
        return None if found is None else By(field, found)

    return field._replace(path=f"{_SPECIFICATION}.Containers.0.{field.path}", to=nothing, said=said)


def _said_containers(given: Given) -> Spoken | None:
    listed = objects(given.at(f"{_SPECIFICATION}.Containers"))
    return [Of(made(CONTAINER), item) for item in listed] if listed and _lone(given) is None else None


def _metrics(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    if step.metrics is None:
        return None
    given = step.metrics if isinstance(step.metrics, Metrics) else Metrics(step.metrics)
    return record_of(given, METRICS, lowering, step) or None


def _drift_baselines(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    if step.drift_baselines is None:
        return None
    return record_of(step.drift_baselines, DRIFT_BASELINES, lowering, step) or None


def _said_reports(path: str, kind: Kind) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        groups = given.at(path)
        listed = [*groups.values()] if isinstance(groups, Mapping) else []
        reports = [report for group in listed if isinstance(group, Mapping) for report in group.values()]
        found = any(isinstance(report, Mapping) and "S3Uri" in report for report in reports)
        return Of(kind, groups) if found and isinstance(groups, Mapping) else None

    return said


def _sample(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    if step.sample is None or step.sample.startswith("s3://"):
        return step.sample
    source = lowering.source(step.sample, step=step, what="sample")
    asset = source and lowering.asset(source, step=step, archive=SAMPLE_ARCHIVE)
    return asset.uri if asset else Unknown()


def _said_sample(given: Given) -> Spoken | None:
    uri = given.at("SamplePayloadUrl")
    return Of(PLAIN, uri) if isinstance(uri, str) and uri.startswith("s3://") else None


def _validation_role(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    if not step.validation:
        return None
    return lowering.environment.role if step.validation_role is None else lower(step.validation_role)


def _card(step: RegisterModel, lowering: Lowering, _: Step) -> Value:
    """The one that is given, else what mlops.toml declares of the group where it is to be carried."""
    if step.card is not None:
        return record_of(step.card, MODEL_CARD, lowering, step)
    group = lower(step.group)
    declared = lowering.declared_card(group) if isinstance(group, str) else None
    if declared is None or not declared.register:
        return None
    from mlops.knowledge.model_cards import for_package  # few versions have one

    content = for_package(declared.content())
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return {"ModelCardContent": text, "ModelCardStatus": declared.status} if content else None


def _own_tags(step: Any, *_: object) -> Value:
    """The environment's tags are for the group: the service refuses tags on a version of a group."""
    return tuple({"Key": key, "Value": lower(value)} for key, value in sorted((step.tags or {}).items())) or None


_MACHINES = ("ml.m5.large",)
_VALIDATION = "ValidationSpecification"
_APPROVAL = choice("PendingManualApproval", "Approved", "Rejected", reference=True)

FIELDS = (
    Field("group", "ModelPackageGroupName", TEXT, REQUIRED),
    Field("version_description", "ModelPackageDescription", TEXT),
    *map(_of_the_lone, (ARCHIVE, FILES, IMAGE, ENVIRONMENT)),
    hidden("inference_code"),
    Field("containers", f"{_SPECIFICATION}.Containers", each(CONTAINER), (), to=_containers, said=_said_containers),
    Field("content_types", f"{_SPECIFICATION}.SupportedContentTypes", TEXTS, ("text/csv",), keeps="empty"),
    Field("response_types", f"{_SPECIFICATION}.SupportedResponseMIMETypes", TEXTS, ("text/csv",), keeps="empty"),
    Field("instances", f"{_SPECIFICATION}.SupportedRealtimeInferenceInstanceTypes", TEXTS, _MACHINES, absent="[]"),
    Field("transform_instances", f"{_SPECIFICATION}.SupportedTransformInstanceTypes", TEXTS, _MACHINES, absent="[]"),
    Field("further", "AdditionalInferenceSpecifications", by_name("Name", INFERENCE)),
    Field("approval", "ModelApprovalStatus", _APPROVAL, "PendingManualApproval"),
    # They own nothing: groups without a report, as the official SDK writes them, are said beside them.
    Field("metrics", "ModelMetrics", _METRICS, to=_metrics, said=_said_reports("ModelMetrics", _METRICS), owns=""),
    Field(
        "drift_baselines",
        "DriftCheckBaselines",
        _DRIFT,
        to=_drift_baselines,
        said=_said_reports("DriftCheckBaselines", _DRIFT),
        owns="",
    ),
    Field("sample", "SamplePayloadUrl", PLAIN, to=_sample, said=_said_sample),
    Field("metadata", "CustomerMetadataProperties", TEXT_MAP),
    Field("origin", "MetadataProperties", made(ORIGIN)),
    Field("domain", "Domain", TEXT),
    Field("task", "Task", TEXT),
    Field("source", "SourceUri", TEXT),
    Field("validation_role", f"{_VALIDATION}.ValidationRole", TEXT, otherwise="role", to=_validation_role),
    Field("validation", f"{_VALIDATION}.ValidationProfiles", by_name("ProfileName", VALIDATION)),
    Field("skip_validation", "SkipModelValidation", choice("All", "None", reference=True)),
    Field("card", "ModelCard", made(MODEL_CARD), to=_card),
    Field("life_cycle", "ModelLifeCycle", made(LIFE_CYCLE)),
    Field("kms_key", "SecurityConfig.KmsKeyId", TEXT),
    Field("tags", "Tags", TAGS, to=_own_tags),
)


class RegisterModel(Step):
    """``metrics`` is a report (``evaluate.reports["quality"]``), the output that holds one, or ``Metrics``. ``sample``
    is a local file with a request that the model must answer; it travels with the version and is sent when it is
    promoted. ``containers`` stand for ``model``, ``image`` and what belongs to them where a request passes several.
    """

    step_type = STEP_TYPE
    constructor = Constructor(FIELDS, yields={"ModelPackageArn": Yielded("package", STRING)})
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
