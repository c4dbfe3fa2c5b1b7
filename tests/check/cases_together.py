"""Rows on what is taken each and not together: values and machines of an algorithm, items of a loop and the places that
they fill, copies and the room of an instance, and what stands twice."""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from typing import Any

from cases_containers import CLARIFIED, COMMAND, MONITORED, SPARKED
from rule_cases import ALGORITHMS, BOOSTED, FOREST, RANGES, SEVERAL, SPOT, WARNING, Case
from sound_definition import GONE, get

FIT, NEEDS = "Segments:", "Component:Specification/ComputeResourceRequirements"
KIND = f"{FIT}ResourceConfig/InstanceType"
SHARDS = f"{FIT}InputDataConfig/0/DataSource/S3DataSource/S3DataDistributionType"
PIPED = f"{FIT}AlgorithmSpecification/TrainingInputMode"
CONTENT = f"{FIT}InputDataConfig/0/ContentType"
KEEP = "Train:ResourceConfig/KeepAlivePeriodInSeconds"
EARLY = "Tune:HyperParameterTuningJobConfig/TrainingJobEarlyStoppingType"
TWO = {**SEVERAL, "Tune:HyperParameterTuningJobConfig/ParameterRanges": RANGES}
GROUPS = {
    "Train:ResourceConfig": {
        "VolumeSizeInGB": 30,
        "KeepAlivePeriodInSeconds": 600,
        "InstanceGroups": [{"InstanceGroupName": "fit", "InstanceType": "ml.m5.xlarge", "InstanceCount": 1}],
    }
}
ROWS = "Batch:TransformInput/DataSource/S3DataSource/S3Uri"
ALGORITHM = "Register:SourceAlgorithmSpecification"
ALARMS = "Live:DeploymentConfig/AutoRollbackConfiguration/Alarms"
CONF = {"InputName": "conf", "S3Input": {"S3Uri": "s3://acme/spark/spark.json", "S3DataType": "S3Prefix",
        "S3InputMode": "File", "LocalPath": "/opt/ml/processing/input/conf"}}  # fmt: skip


def algorithm(name: str, **values: str) -> dict[str, Any]:
    return {f"{FIT}AlgorithmSpecification/TrainingImage": f"{ALGORITHMS}/{name}:1", f"{FIT}HyperParameters": values}


def loop(*items: Any) -> dict[str, Any]:
    """It trains on machines of those kinds."""
    return {"Regions:IterableItems": list(items), "Fit:region": get("ForEach.CurrentItem"),
            "Regions:ForEachBody/-": BODY}  # fmt: skip


BODY = {
    "Name": "Cluster",
    "Type": "Training",
    "Arguments": {
        "AlgorithmSpecification": {"TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/fit:1",
                                   "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::111122223333:role/pipelines",
        "OutputDataConfig": {"S3OutputPath": "s3://acme/clusters"},
        "ResourceConfig": {"InstanceType": get("ForEach.CurrentItem"), "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    },
}  # fmt: skip
LINEAR = {"predictor_type": "regressor"}
NEAR = {"feature_dim": "8", "k": "4", "predictor_type": "classifier", "sample_size": "100"}
ROUNDS = {"num_round": "5"}
WORDS_ = {"mode": "skipgram"}

CASES = [
    Case("a loss of classes", "X850", algorithm("linear-learner", **LINEAR, loss="logistic"), f"{FIT}HyperParameters/loss",
         algorithm("linear-learner", **LINEAR, loss="huber_loss")),
    Case("a distance that an index lacks", "X850", algorithm("knn", **NEAR, index_type="faiss.IVFPQ", index_metric="COSINE"),
         f"{FIT}HyperParameters/index_metric", algorithm("knn", **NEAR, index_type="faiss.Flat", index_metric="COSINE")),
    Case("reduced to more than there are", "X850",
         algorithm("knn", **NEAR, dimension_reduction_type="sign", dimension_reduction_target="9"),
         f"{FIT}HyperParameters/dimension_reduction_target",
         algorithm("knn", **NEAR, dimension_reduction_type="sign", dimension_reduction_target="4")),
    Case("AUC of a regression", "X850", {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "eval_metric": "rmse,auc"}},
         f"{FIT}HyperParameters/eval_metric",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "objective": "binary:logistic", "eval_metric": "auc"}}),
    Case("a tree's updater of a linear booster", "X850",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "booster": "gblinear", "updater": "grow_colmaker"}},
         f"{FIT}HyperParameters/updater",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "booster": "gblinear", "updater": "shotgun"}}),
    Case("quantiles beyond all", "X850",
         algorithm("forecasting-deepar", context_length="9", epochs="5", prediction_length="3", time_freq="D", test_quantiles="[0.5, 1.5]")
         | {CONTENT: "json"}, f"{FIT}HyperParameters/test_quantiles",
         algorithm("forecasting-deepar", context_length="9", epochs="5", prediction_length="3", time_freq="D", test_quantiles="[0.5, 0.9]",
                   likelihood="student-t") | {CONTENT: "json.gz"}),
    Case("words on two machines", "X856", {**algorithm("blazingtext", **WORDS_), f"{FIT}ResourceConfig/InstanceCount": 2},
         f"{FIT}ResourceConfig/InstanceCount",
         {**algorithm("blazingtext", mode="batch_skipgram"), f"{FIT}ResourceConfig/InstanceCount": 2}),
    Case("words in batches on a GPU", "X856", {**algorithm("blazingtext", mode="batch_skipgram"), KIND: "ml.p3.2xlarge"},
         KIND, {**algorithm("blazingtext", **WORDS_), KIND: "ml.p3.2xlarge"}),
    Case("Dask without a GPU", "X856",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "use_dask_gpu_training": "true", "tree_method": "hist"}}, KIND,
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "use_dask_gpu_training": "true", "tree_method": "hist"}, KIND: "ml.g5.xlarge"}),
    Case("a forest of all the data", "X851", {**FOREST, SHARDS: "FullyReplicated"}, SHARDS, FOREST),
    Case("libsvm that is piped", "X851", {**BOOSTED, f"{FIT}HyperParameters": ROUNDS, CONTENT: "text/libsvm", PIPED: "Pipe"}, CONTENT,
         {**BOOSTED, f"{FIT}HyperParameters": ROUNDS, CONTENT: "text/csv", PIPED: "Pipe"}),
    Case("nothing to stop early by", "X851", algorithm("blazingtext", mode="supervised", early_stopping="True"),
         f"{FIT}InputDataConfig", algorithm("blazingtext", mode="supervised")),
    Case("a warm pool of groups", "X752", GROUPS, KEEP, {KEEP: 600}),
    Case("a warm pool of perhaps spare machines", "X752",
         {**SPOT, KEEP: 600, "Train:EnableManagedSpotTraining": get("Parameters.Skip"), "/Parameters/5/DefaultValue": True},
         "Train:EnableManagedSpotTraining", severity=WARNING),
    Case("an item of no kind of machine", "R337", loop("ml.m5.large", "ml.m5.huge"), "Regions:IterableItems/1",
         loop("ml.m5.large", "ml.m5.xlarge")),
    Case("a copy that no instance holds", "X907", {f"{NEEDS}/MinMemoryRequiredInMb": 9000, f"{NEEDS}/MaxMemoryRequiredInMb": GONE},
         f"{NEEDS}/MinMemoryRequiredInMb", {f"{NEEDS}/MinMemoryRequiredInMb": 8000, f"{NEEDS}/MaxMemoryRequiredInMb": GONE}),
    Case("more cores than there are", "X907", {f"{NEEDS}/NumberOfCpuCoresRequired": 3}, f"{NEEDS}/NumberOfCpuCoresRequired",
         {f"{NEEDS}/NumberOfCpuCoresRequired": 2}),
    Case("early stopping of two", "X987", {**TWO, EARLY: "Auto"}, EARLY, {**TWO, EARLY: "Off"}, WARNING),
    Case("an alarm twice", "X938", {ALARMS: [{"AlarmName": "a"}, {"AlarmName": "a"}]}, f"{ALARMS}/1",
         {ALARMS: [{"AlarmName": "a"}, {"AlarmName": "b"}]}, WARNING),
    Case("a problem of no kind", "X880", {**MONITORED, "Drift:Environment/problem_type": "Classification"},
         "Drift:Environment/problem_type", {**MONITORED, "Drift:Environment/problem_type": "Regression"}),
    Case("another analysis than the check", "X880", {**MONITORED, "Drift:Environment/analysis_type": "MODEL_QUALITY",
         "Drift:Environment/problem_type": "Regression"}, "Drift:Environment/analysis_type",
         {**MONITORED, "Drift:Environment/analysis_type": "DATA_QUALITY"}, WARNING),
    Case("Clarify without a network", "X881", {**CLARIFIED, "Bias:NetworkConfig": {"EnableNetworkIsolation": True}},
         "Bias:NetworkConfig/EnableNetworkIsolation", {**CLARIFIED, "Bias:NetworkConfig": {"EnableNetworkIsolation": False}}),
    Case("Clarify's results bit by bit", "X881", {**CLARIFIED, "Bias:ProcessingOutputConfig/Outputs/0/S3Output/S3UploadMode": "Continuous"},
         "Bias:ProcessingOutputConfig/Outputs/0/S3Output/S3UploadMode", CLARIFIED, WARNING),
    Case("Spark's configuration by another name", "X881", {**SPARKED, "Prepare:ProcessingInputs/-": CONF}, "Prepare:ProcessingInputs/2/S3Input/S3Uri",
         {**SPARKED, "Prepare:ProcessingInputs/-": {**CONF, "S3Input": {**CONF["S3Input"], "S3Uri": "s3://acme/spark/configuration.json"}}}, WARNING),
    Case("options and no application", "X882", {**SPARKED, COMMAND: ["smspark-submit"], "Prepare:AppSpecification/ContainerArguments": ["--verbose"]},
         COMMAND, {**SPARKED, "Prepare:AppSpecification/ContainerArguments": ["--days", "30"]}, WARNING),
    Case("an expression's text where a number belongs", "X891",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "max_depth": "{'Get': 'Parameters.Depth'}"}}, f"{FIT}HyperParameters/max_depth",
         {**BOOSTED, f"{FIT}HyperParameters": {**ROUNDS, "max_depth": get("Parameters.Depth")}}),
    Case("a model as rows", "X939", {ROWS: get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}, f"{ROWS}/Get",
         {ROWS: get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")}, WARNING),
    Case("a model as rows, by its name", "X939", {ROWS: "s3://raw/m/model.tar.gz"}, ROWS, {ROWS: "s3://raw/m/rows.csv"}, WARNING),
    Case("a version of two kinds", "X853", {ALGORITHM: {"SourceAlgorithms": [{"AlgorithmName": "mine"}]}}, ALGORITHM, severity=WARNING),
    Case("more answers than a message brings", "X704", {"Ask.OutputParameters": [{"OutputName": f"o{n}", "OutputType": "String"} for n in range(51)]},
         "Ask.OutputParameters", {"Ask.OutputParameters": [{"OutputName": f"o{n}", "OutputType": "String"} for n in range(50)]}),
    Case("objects by a text", "R330", {"Train:InputDataConfig": get("Parameters.Stage")}, "Train:InputDataConfig/Get",
         {"Batch:Environment": {"STAGE": get("Parameters.Stage")}}),
]  # fmt: skip
WORDS = frozenset({"R337", "X752", "X938", "X939", "X987"})
ELSEWHERE = frozenset({"X937"})
