"""What the constructors of endpoints, EMR, AutoML, Bedrock, jobs and cleanup take, and from where it comes.

As in :mod:`mlops.emit.python.constructors`, nothing here has to be complete: the program is compiled and compared.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.python.arguments import (
    Argument,
    Constructor,
    Facts,
    choice,
    count,
    data,
    member_at,
    number,
    objects,
    record,
    s3_source,
    text,
)
from mlops.emit.python.expressions import DATA, MODEL, STRING
from mlops.emit.python.job_arguments import TAGS, network, role
from mlops.emit.python.source import Items, Node
from mlops.emit.python.telling import one

# AutoML.

_CONFIG = "AutoMLJobConfig"
_SECURITY = f"{_CONFIG}.SecurityConfig"
_URI = "DataSource.S3DataSource.S3Uri"
_TABLE = (
    data("source", _URI),
    choice("kind", "DataSource.S3DataSource.S3DataType", ("ManifestFile",), "S3Prefix"),
    text("content_type", "ContentType"),
    choice("compression", "CompressionType", ("None", "Gzip")),
    text("weights", "SampleWeightAttributeName"),
)


def _table(kind: str) -> Argument:
    def writer(facts: Facts) -> Node | None:
        for item in objects(facts.at("InputDataConfig")):
            if item.get("ChannelType", "training") == kind:
                rest = {key: item[key] for key in item if key not in ("ChannelType", "TargetAttributeName")}
                node = record("Table", rest, facts, _TABLE)
                if isinstance(node, Items) and len(node.items) == 1:
                    return s3_source(member_at(item, _URI), facts, (DATA, STRING))
                return node
        return None

    # Own nothing: what they cannot say of the list is said in its place.
    return Argument("train" if kind == "training" else kind, writer, "")


def _algorithms(facts: Facts) -> Node | None:
    listed = facts.at(f"{_CONFIG}.CandidateGenerationConfig.AlgorithmsConfig.0.AutoMLAlgorithms")
    if not isinstance(listed, tuple) or not listed:
        return None
    items = [one(item, facts.scope, (STRING,)) for item in listed]
    return None if None in items else Items("(", tuple(("", node) for node in items if node is not None), ")")


_BEST = "BestCandidate.InferenceContainers[0]"
_BEST_VARIABLES = (
    "MODEL_NAME",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_INFERENCE_OUTPUT",
    "SAGEMAKER_INFERENCE_SUPPORTED",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_SUBMIT_DIRECTORY",
)


SERVICE_CONSTRUCTORS: Mapping[str, Constructor] = {
    "AutoML": Constructor(
        "AutoML",
        required=("train", "target"),
        arguments=(
            _table("training"),
            Argument("target", text("target", "InputDataConfig.0.TargetAttributeName").writer, ""),
            _table("validation"),
            number("validation_fraction", f"{_CONFIG}.DataSplitConfig.ValidationFraction"),
            choice("problem", "ProblemType", ("BinaryClassification", "MulticlassClassification", "Regression")),
            text("metric", "AutoMLJobObjective.MetricName"),
            Argument("algorithms", _algorithms, f"{_CONFIG}.CandidateGenerationConfig.AlgorithmsConfig"),
            text("features", f"{_CONFIG}.CandidateGenerationConfig.FeatureSpecificationS3Uri"),
            count("max_candidates", f"{_CONFIG}.CompletionCriteria.MaxCandidates"),
            count("max_runtime", f"{_CONFIG}.CompletionCriteria.MaxAutoMLJobRuntimeInSeconds"),
            count("max_runtime_per_job", f"{_CONFIG}.CompletionCriteria.MaxRuntimePerTrainingJobInSeconds"),
            text("to", "OutputDataConfig.S3OutputPath"),
            role(),
            network(f"{_SECURITY}."),
            text("kms_key", "OutputDataConfig.KmsKeyId"),
            text("volume_kms_key", f"{_SECURITY}.VolumeKmsKeyId"),
            TAGS,
        ),
        properties={
            f"{_BEST}.ModelDataUrl": ("best_model", MODEL),
            f"{_BEST}.Image": ("best_image", STRING),
            "BestCandidateProperties.ModelInsightsJsonReportPath": ("insights", DATA),
            "BestCandidateProperties.ExplainabilityJsonReportPath": ("explanation", DATA),
            **{f"{_BEST}.Environment['{key}']": (f'best_environment["{key}"]', STRING) for key in _BEST_VARIABLES},
        },
    ),
}
