"""What the constructors of models and of their registration take, and from where it comes."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    by_name,
    choice,
    count,
    data,
    mixed_list,
    named_records,
    nested,
    objects,
    record,
    string_map,
    text,
    texts,
    word,
)
from mlops.emit.python.expressions import DATA, STRING, literal
from mlops.emit.python.job_arguments import TAGS, network, role
from mlops.emit.python.source import Items, Node, dictionary, listing
from mlops.emit.python.telling import one
from mlops.ir import Value
from mlops.ir.fields import Missing

_MODEL_DATA = (
    data("source", "S3DataSource.S3Uri", model=True),
    choice("kind", "S3DataSource.S3DataType", ("S3Object",), "S3Prefix"),
    choice("compression", "S3DataSource.CompressionType", ("Gzip",), "None"),
)


def _artifact(prefix: str) -> Argument:
    """A ``model.tar.gz``, or what is no single one."""
    archive = data("model", f"{prefix}ModelDataUrl", model=True)
    files = nested("model", f"{prefix}ModelDataSource", "ModelData", _MODEL_DATA)
    return Argument("model", lambda facts: archive.writer(facts) or files.writer(facts), f"{prefix}ModelDataUrl")


def _multi_model(facts: Facts) -> Node | None:
    return literal(True) if facts.at("Mode") == "MultiModel" else None


_CONTAINER = (
    text("image", "Image"),
    _artifact(""),
    string_map("environment", "Environment", empty=True),
    text("hostname", "ContainerHostname"),
    text("package", "ModelPackageName"),
    Argument("multi_model", _multi_model, "Mode"),
    text("framework", "Framework"),
    text("framework_version", "FrameworkVersion"),
    text("nearest_model", "NearestModelName"),
    text("data_input", "ModelInput.DataInputConfig"),
    # Said by _artifact, which owns only one of the two.
    Argument("", lambda _: None, "ModelDataSource"),
)


def _all_containers(facts: Facts) -> Node | None:
    written = [
        record("Container", item, facts, _CONTAINER, positional=False, merged=True)
        for item in objects(facts.at("Containers"))
    ]
    return None if not written or None in written else listing(node for node in written if node is not None)


def _containers(path: str) -> Argument:
    """Containers that ``image`` and ``model`` alone cannot say."""

    def writer(facts: Facts) -> Node | None:
        listed = objects(facts.at(path))
        if len(listed) == 1 and set(listed[0]) <= {"Image", "ModelDataUrl", "Environment"} and "Image" in listed[0]:
            return None
        return _all_containers(facts.inside({"Containers": tuple(listed)}))

    return Argument("containers", writer, path)


_SPECIFICATION = "InferenceSpecification"
_REGISTERED = f"{_SPECIFICATION}.Containers"
_ALONE = _containers(_REGISTERED)


def _unless_containers(argument: Argument) -> Argument:
    return Argument(
        argument.name,
        lambda facts: None if _ALONE.writer(facts) is not None else argument.writer(facts),
        argument.owns,
    )


def _report(name: str, path: str) -> Argument:
    """A report by its S3 URI."""

    def writer(facts: Facts) -> Node | None:
        value = facts.at(f"{path}.S3Uri")
        return None if isinstance(value, Missing) else one(value, facts.scope, (DATA, STRING))

    return Argument(name, writer, path)


def _content_type(facts: Facts) -> Node | None:
    """What the first report is; they are alike nearly always."""
    for group in facts.step.arguments.values() if isinstance(facts.step.arguments, Mapping) else ():
        for report in group.values() if isinstance(group, Mapping) else ():
            if isinstance(report, Mapping) and "ContentType" in report:
                return text("content_type", "ContentType", "application/json").writer(facts.inside(report))
    return None


_CONTENT_TYPE = Argument("content_type", _content_type, "")
_METRICS = (
    _report("quality", "ModelQuality.Statistics"),
    _report("quality_constraints", "ModelQuality.Constraints"),
    _report("data_quality", "ModelDataQuality.Statistics"),
    _report("data_constraints", "ModelDataQuality.Constraints"),
    _report("bias", "Bias.Report"),
    _report("bias_before_training", "Bias.PreTrainingReport"),
    _report("bias_after_training", "Bias.PostTrainingReport"),
    _report("explainability", "Explainability.Report"),
    _CONTENT_TYPE,
)
_DRIFT = (
    _report("quality", "ModelQuality.Statistics"),
    _report("quality_constraints", "ModelQuality.Constraints"),
    _report("data_quality", "ModelDataQuality.Statistics"),
    _report("data_constraints", "ModelDataQuality.Constraints"),
    _report("bias_before_training", "Bias.PreTrainingConstraints"),
    _report("bias_after_training", "Bias.PostTrainingConstraints"),
    _report("bias_config", "Bias.ConfigFile"),
    _report("explainability", "Explainability.Constraints"),
    _report("explainability_config", "Explainability.ConfigFile"),
    _CONTENT_TYPE,
)


def _reports(name: str, path: str, record_name: str, arguments: tuple[Argument, ...]) -> Argument:
    """Owns nothing: groups without a report, as the SDK writes them, are said beside it."""

    def writer(facts: Facts) -> Node | None:
        given = facts.at(path)
        node = record(record_name, given, facts, arguments, positional=False)
        if not isinstance(node, Items) or not node.items:
            return None
        lone = len(node.items) == 1 and node.items[0][0] == "quality=" and record_name == "Metrics"
        return node.items[0][1] if lone else node

    return Argument(name, writer, "")


def _metadata(facts: Facts) -> Node | None:
    return record(
        "Origin",
        facts.at("MetadataProperties"),
        facts,
        (
            text("commit", "CommitId"),
            text("repository", "Repository"),
            text("generated_by", "GeneratedBy"),
            text("project", "ProjectId"),
        ),
        positional=False,
    )


_PROFILE = "TransformJobDefinition"
_VALIDATION = (
    data("data", f"{_PROFILE}.TransformInput.DataSource.S3DataSource.S3Uri"),
    text("to", f"{_PROFILE}.TransformOutput.S3OutputPath"),
    text("instance", f"{_PROFILE}.TransformResources.InstanceType"),
    count("count", f"{_PROFILE}.TransformResources.InstanceCount", 1),
    text("content_type", f"{_PROFILE}.TransformInput.ContentType"),
    text("accept", f"{_PROFILE}.TransformOutput.Accept"),
    choice("split", f"{_PROFILE}.TransformInput.SplitType", ("None", "Line", "RecordIO", "TFRecord")),
    choice("assemble", f"{_PROFILE}.TransformOutput.AssembleWith", ("None", "Line")),
    choice("strategy", f"{_PROFILE}.BatchStrategy", ("SingleRecord", "MultiRecord")),
    count("max_payload", f"{_PROFILE}.MaxPayloadInMB"),
    count("max_concurrent", f"{_PROFILE}.MaxConcurrentTransforms"),
    string_map("environment", f"{_PROFILE}.Environment"),
)
_SERVING = (
    mixed_list("content_types", "SupportedContentTypes"),
    mixed_list("response_types", "SupportedResponseMIMETypes"),
    mixed_list("instances", "SupportedRealtimeInferenceInstanceTypes"),
    mixed_list("transform_instances", "SupportedTransformInstanceTypes"),
)


_FURTHER = (
    Argument("containers", _all_containers, "Containers"),
    *_SERVING,
    text("description", "Description"),
)


def _further(facts: Facts) -> Node | None:
    named = by_name(objects(facts.at("AdditionalInferenceSpecifications")), "Name")
    written: dict[str, Node] = {}
    for name, item in (named or {}).items():
        rest: Mapping[str, Value] = {key: value for key, value in item.items() if key != "Name"}
        node = record("Inference", rest, facts, _FURTHER, positional=False)
        if node is None:
            return None
        written[name] = node
    return dictionary(written.items()) if written else None


MODEL = Constructor(
    "Model",
    arguments=(
        _artifact("PrimaryContainer."),
        text("image", "PrimaryContainer.Image"),
        string_map("environment", "PrimaryContainer.Environment", empty=True),
        Argument("containers", _all_containers, "Containers"),
        choice("execution", "InferenceExecutionConfig.Mode", ("Serial", "Direct")),
        role("ExecutionRoleArn"),
        network(""),
        TAGS,
    ),
    properties={"ModelName": ("model_name", STRING)},
)

REGISTER_MODEL = Constructor(
    "RegisterModel",
    required=("group",),
    arguments=(
        text("group", "ModelPackageGroupName"),
        _unless_containers(_artifact(f"{_REGISTERED}.0.")),
        _unless_containers(text("image", f"{_REGISTERED}.0.Image")),
        _unless_containers(string_map("environment", f"{_REGISTERED}.0.Environment", empty=True)),
        _ALONE,
        _reports("metrics", "ModelMetrics", "Metrics", _METRICS),
        _reports("drift_baselines", "DriftCheckBaselines", "DriftBaselines", _DRIFT),
        word("sample", "SamplePayloadUrl", only="s3://"),
        texts("content_types", f"{_SPECIFICATION}.SupportedContentTypes", ("text/csv",)),
        texts("response_types", f"{_SPECIFICATION}.SupportedResponseMIMETypes", ("text/csv",)),
        texts("instances", f"{_SPECIFICATION}.SupportedRealtimeInferenceInstanceTypes", ("ml.m5.large",), absent="[]"),
        texts(
            "transform_instances", f"{_SPECIFICATION}.SupportedTransformInstanceTypes", ("ml.m5.large",), absent="[]"
        ),
        Argument("further", _further, "AdditionalInferenceSpecifications"),
        choice("approval", "ModelApprovalStatus", ("Approved", "Rejected"), "PendingManualApproval", reference=True),
        string_map("metadata", "CustomerMetadataProperties"),
        text("version_description", "ModelPackageDescription"),
        text("domain", "Domain"),
        text("task", "Task"),
        text("source", "SourceUri"),
        Argument("origin", _metadata, "MetadataProperties"),
        named_records(
            "validation",
            "ValidationSpecification.ValidationProfiles",
            "ProfileName",
            "Validation",
            _VALIDATION,
        ),
        Argument("validation_role", role("ValidationSpecification.ValidationRole").writer, "ValidationSpecification"),
        choice("skip_validation", "SkipModelValidation", ("All", "None"), reference=True),
        nested(
            "card",
            "ModelCard",
            "ModelCard",
            (
                text("content", "ModelCardContent"),
                choice("status", "ModelCardStatus", ("PendingReview", "Approved", "Archived"), "Draft"),
            ),
        ),
        nested(
            "life_cycle",
            "ModelLifeCycle",
            "LifeCycle",
            (text("stage", "Stage"), text("status", "StageStatus"), text("description", "StageDescription")),
        ),
        text("kms_key", "SecurityConfig.KmsKeyId"),
        TAGS,
    ),
    properties={"ModelPackageArn": ("package", STRING)},
)
