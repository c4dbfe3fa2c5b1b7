"""Rows of rules on what the service's documentation says of members beside each other."""

from __future__ import annotations

from typing import Any

from rule_cases import SEVERAL, WARNING, Case
from sound_definition import GONE, KMEANS, LAMBDA, REGISTRY, get

CONFIG = "Segments:ResourceConfig"
PREFERENCE = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
PREFERRED = {
    CONFIG: {"VolumeSizeInGB": 30, "InstancePreferences": [PREFERENCE, {**PREFERENCE, "InstanceType": "ml.m5.large"}]}
}
EVALUATED = {
    "BaseModelArn": "arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/a/1.0.0",
    "JobType": "Evaluation",
    "AcceptEula": True,
}
SERVING = "Register:InferenceSpecification"
LISTED = {
    f"{SERVING}/SupportedTransformInstanceTypes": ["ml.m5.large"],
    f"{SERVING}/SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
}
OTHER = {"Name": "other", "Containers": [{"Image": f"{REGISTRY}/serve:1"}]}
SOURCE = {"S3Uri": "s3://acme/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
SOURCED = {
    "Model:PrimaryContainer": {"Image": f"{REGISTRY}/serve:1", "ModelDataSource": {"S3DataSource": SOURCE}},
}
ACCEPTED = "Model:PrimaryContainer/ModelDataSource/S3DataSource/ModelAccessConfig"
MANY = {f"K{number}": "v" for number in range(30)}
CLUSTER = "Prepare:ProcessingResources/ClusterConfig"
S3_SOURCE = "Segments:InputDataConfig/0/DataSource/S3DataSource"
BATCH = "Batch:TransformInput/DataSource/S3DataSource"
HUB = "arn:aws:sagemaker:eu-west-1:111122223333:hub-content/Ours"
SEARCHED = {"ContinuousParameterRanges": [{"Name": "lr", "MinValue": "0.001", "MaxValue": "0.1"}]}
EXPLAINER = "Variants:ExplainerConfig/ClarifyExplainerConfig/ShapConfig/ShapBaselineConfig"


def explained(**baseline: str) -> dict[str, Any]:
    return {"Variants:ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": baseline}}}}


METRICS, LOSS = "Segments:AlgorithmSpecification/MetricDefinitions", [{"Name": "loss", "Regex": "loss=(.*)"}]

CASES = [
    Case(
        "preferences beside a type",
        "X930",
        {**PREFERRED, f"{CONFIG}/InstanceType": "ml.m5.xlarge"},
        f"{CONFIG}/InstanceType",
        PREFERRED,
    ),
    Case(
        "an evaluation of no type",
        "X930",
        {"Train:ServerlessJobConfig": EVALUATED},
        "Train:ServerlessJobConfig/EvaluationType",
        {"Train:ServerlessJobConfig": {**EVALUATED, "EvaluationType": "BenchmarkEvaluation"}},
    ),
    Case(
        "a number for each and for all",
        "X931",
        {**PREFERRED, f"{CONFIG}/InstanceCount": 1},
        f"{CONFIG}/InstanceCount",
        PREFERRED,
    ),
    Case(
        "a number for some",
        "X931",
        {**PREFERRED, f"{CONFIG}/InstancePreferences/1": {"InstanceType": "ml.m5.xlarge"}},
        f"{CONFIG}/InstancePreferences/1/InstanceCount",
    ),
    Case(
        "preferences of spot instances",
        "X931",
        {
            **PREFERRED,
            "Segments:EnableManagedSpotTraining": True,
            "Segments:StoppingCondition/MaxWaitTimeInSeconds": 7200,
        },
        "Segments:EnableManagedSpotTraining",
    ),
    Case(
        "a package without a group and without instances",
        "X932",
        {"Register:ModelPackageGroupName": GONE, "Register:DriftCheckBaselines": GONE},
        f"{SERVING}/SupportedTransformInstanceTypes",
        {"Register:ModelPackageGroupName": GONE, "Register:DriftCheckBaselines": GONE, **LISTED},
    ),
    Case(
        "two specifications of one name",
        "X932",
        {"Register:AdditionalInferenceSpecifications": [OTHER, OTHER]},
        "Register:AdditionalInferenceSpecifications/1/Name",
        {"Register:AdditionalInferenceSpecifications": [OTHER]},
    ),
    Case(
        "a licence that is declined",
        "X933",
        {**SOURCED, ACCEPTED: {"AcceptEula": False}},
        f"{ACCEPTED}/AcceptEula",
        {**SOURCED, ACCEPTED: {"AcceptEula": True}},
        WARNING,
    ),
    Case(
        "too many variables together",
        "X934",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions": [
                {**item, "Environment": MANY} for item in SEVERAL["Tune:TrainingJobDefinitions"]
            ],  # type: ignore[union-attr]
        },
        "Tune:TrainingJobDefinitions/1/Environment",
        SEVERAL,
    ),
    Case(
        "the number of instances that was chosen",
        "X930",
        {f"{CONFIG}/SelectedInstanceCount": 1},
        f"{CONFIG}/SelectedInstanceCount",
    ),
    Case(
        "the type of instances of a processing job that was chosen",
        "X930",
        {f"{CLUSTER}/SelectedInstanceType": "ml.m5.xlarge"},
        f"{CLUSTER}/SelectedInstanceType",
    ),
    Case(
        "a frequency between two of those that are",
        "X930",
        {"Variants:MetricsConfig": {"MetricPublishFrequencyInSeconds": 45}},
        "Variants:MetricsConfig/MetricPublishFrequencyInSeconds",
        {"Variants:MetricsConfig": {"MetricPublishFrequencyInSeconds": 60}},
    ),
    Case(
        "two baselines of an explainer",
        "X930",
        explained(ShapBaseline="1,2", ShapBaselineUri="s3://acme/baseline.csv"),
        f"{EXPLAINER}/ShapBaselineUri",
        explained(ShapBaseline="1,2"),
    ),
    Case(
        "an explainer without a baseline",
        "X930",
        explained(MimeType="text/csv"),
        f"{EXPLAINER}/ShapBaseline",
        explained(ShapBaselineUri="s3://acme/baseline.csv"),
    ),
    Case(
        "places of UltraServers for other instances",
        "X930",
        {f"{CONFIG}/InstancePlacementConfig": {"EnableMultipleJobs": True}},
        f"{CONFIG}/InstancePlacementConfig",
    ),
    Case(
        "a model of a private hub that is no reference",
        "X930",
        {f"{S3_SOURCE}/HubAccessConfig": {"HubContentArn": f"{HUB}/Model/a/1.0.0"}},
        f"{S3_SOURCE}/HubAccessConfig/HubContentArn",
        {f"{S3_SOURCE}/HubAccessConfig": {"HubContentArn": f"{HUB}/ModelReference/a/1.0.0"}},
        WARNING,
    ),
    Case(
        "a manifest that is a folder",
        "X935",
        {f"{S3_SOURCE}/S3DataType": "ManifestFile", f"{S3_SOURCE}/S3Uri": "s3://acme/train/"},
        f"{S3_SOURCE}/S3Uri",
        {f"{S3_SOURCE}/S3DataType": "ManifestFile", f"{S3_SOURCE}/S3Uri": "s3://acme/train.manifest"},
    ),
    Case(
        "a manifest of a transform that is a folder",
        "X935",
        {f"{BATCH}/S3DataType": "ManifestFile", f"{BATCH}/S3Uri": "s3://acme/train/"},
        f"{BATCH}/S3Uri",
    ),
    Case(
        "clusters without their centres",
        "X936",
        {"Model:PrimaryContainer": {"Image": KMEANS}},
        "Model:PrimaryContainer/ModelDataUrl",
        {"Model:PrimaryContainer": {"Image": KMEANS, "ModelDataUrl": "s3://acme/kmeans/model.tar.gz"}},
    ),
    Case(
        "an experiment that a step names",
        "E505",
        {"/PipelineExperimentConfig": {"ExperimentName": get("Steps.Train.TrainingJobName")}},
        "/PipelineExperimentConfig/ExperimentName/Get",
        {"/PipelineExperimentConfig": {"ExperimentName": get("Execution.PipelineName")}},
    ),
    Case(
        "no ranges for one of several definitions",
        "X777",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions/0/HyperParameterRanges": SEARCHED,
            "Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE,
        },
        "Tune:TrainingJobDefinitions/1/HyperParameterRanges",
        {
            **SEVERAL,
            "Tune:TrainingJobDefinitions/0/HyperParameterRanges": SEARCHED,
            "Tune:TrainingJobDefinitions/1/HyperParameterRanges": SEARCHED,
            "Tune:HyperParameterTuningJobConfig/ParameterRanges": GONE,
        },
    ),
    Case(
        "a part of no package",
        "X741",
        {"Model:PrimaryContainer/InferenceSpecificationName": "compiled"},
        "Model:PrimaryContainer/InferenceSpecificationName",
    ),
    Case(
        "one container chosen by callers",
        "X742",
        {"Model:InferenceExecutionConfig": {"Mode": "Direct"}},
        "Model:InferenceExecutionConfig/Mode",
    ),
    Case(
        "a registration of nothing",
        "X853",
        {"Register:InferenceSpecification": GONE},
        "Register:InferenceSpecification",
    ),
    Case(
        "a check of no outputs",
        "X715",
        {"Drift:ProcessingOutputConfig/Outputs": [], "Drift:Environment/output_path": "/opt/ml/processing/output"},
        "Drift:Environment/output_path",
    ),
    Case(
        "augmented manifests for AutoML",
        "X894",
        {"Auto:InputDataConfig/0/DataSource/S3DataSource/S3DataType": "AugmentedManifestFile"},
        "Auto:InputDataConfig/0/DataSource/S3DataSource/S3DataType",
    ),
    Case(
        "a type beside pools",
        "X800",
        {"Variants:ProductionVariants/0/InstancePools": [{"InstanceType": "ml.m5.large", "Priority": 1}]},
        "Variants:ProductionVariants/0/InstanceType",
    ),
    Case(
        "a component of a model and a container",
        "X803",
        {"Component:Specification/Container": {"Image": f"{REGISTRY}/serve:1"}},
        "Component:Specification/Container",
    ),
    Case(
        "a list for a function",
        "X703",
        {"Score:model": get("Steps.Prepare.ProcessingOutputConfig.Outputs")},
        "Score:model/Get",
        {"Score:model": get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")},
    ),
    Case(
        "a function of another region",
        "X810",
        {"Score.FunctionArn": LAMBDA.replace("eu-west-1", "us-west-2") + "score"},
        "Score.FunctionArn",
    ),
    Case(
        "a bucket with a blank",
        "X820",
        {"Segments:OutputDataConfig/S3OutputPath": "s3://acme ml/models"},
        "Segments:OutputDataConfig/S3OutputPath",
    ),
    Case(
        "a bucket that a variable without a value named",
        "X820",
        {"Segments:OutputDataConfig/S3OutputPath": "s3://None/models"},
        "Segments:OutputDataConfig/S3OutputPath",
    ),
    Case(
        "a component of a container without an image",
        "X803",
        {
            "Component:Specification/ModelName": GONE,
            "Component:Specification/Container": {"ArtifactUrl": "s3://acme/m.tar.gz"},
        },
        "Component:Specification/Container/Image",
    ),
    Case(
        "a cluster of no groups",
        "X730",
        {"Spark:ClusterConfig/Instances/InstanceGroups": []},
        "Spark:ClusterConfig/Instances/InstanceGroups",
    ),
    Case(
        "an association with a bucket",
        "X732",
        {"Record:Associations/0/Source": {"Arn": "arn:aws:s3:::acme"}},
        "Record:Associations/0/Source/Arn",
        {"Record:Associations/0/Source": {"Arn": "arn:aws:sagemaker:eu-west-1:111122223333:artifact/0a1b"}},
    ),
    Case(
        "writes below what it reads",
        "X831",
        {"Batch:TransformOutput/S3OutputPath": "s3://raw/batch/scores"},
        "Batch:TransformOutput/S3OutputPath",
        {"Batch:TransformOutput/S3OutputPath": "s3://raw/batches"},
        WARNING,
    ),
    Case(
        "a loop over an empty text",
        "X721",
        {"Items.DefaultValue": ""},
        "Items.DefaultValue",
        severity=WARNING,
    ),
    Case(
        "a loop over nothing",
        "X721",
        {"Items.DefaultValue": "[]"},
        "Items.DefaultValue",
        severity=WARNING,
    ),
    Case(
        "a metric that an algorithm may bring",
        "R306",
        {METRICS: LOSS, "Score:x": get("Steps.Segments.FinalMetricDataList['test:msd'].Value")},
        "Score:x/Get",
        {METRICS: LOSS, "Score:x": get("Steps.Segments.FinalMetricDataList['loss'].Value")},
        WARNING,
    ),
    Case(
        "a component of nothing",
        "X803",
        {"Component:Specification/ModelName": GONE},
        "Component:Specification/ModelName",
        {"Component:Specification/ModelName": GONE, "Component:Specification/Container": {"Image": f"{REGISTRY}/s:1"}},
    ),
]

WORDS = frozenset({"X930", "X933", "X935", "X936"})
FOLLOW = {"X931": {"X859"}, "X932": {"X853"}, "X853": {"X932"}, "X933": {"X900", "X911"}, "X742": {"X911"}}
