"""Rows of rules on the form of what the execution brings, on caches that never serve, bounds, and serving images."""

from __future__ import annotations

from rule_cases import PREPARE_OUT, TRAIN_IMAGE, WARNING, XGBOOST, Case
from sound_definition import GONE, get, join

ALGORITHMS = "141502667606.dkr.ecr.eu-west-1.amazonaws.com"
SKLEARN = f"{ALGORITHMS}/sagemaker-scikit-learn:1.2-1-cpu-py3"
HUB = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-inference:2.1.0-transformers4.37.0-cpu-py310"
CONFIG_NAME = "Variants:EndpointConfigName"
STARTED = get("Execution.StartDateTime")
ARCHIVE = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
DATA = "Model:PrimaryContainer/ModelDataUrl"
PRIMARY = "Model:PrimaryContainer"
SCORED = get("Steps.Score.OutputParameters['score']")
SCRIPT = {"sagemaker_program": "t.py", "sagemaker_submit_directory": "s3://acme/code.tar.gz"}
FIT = "Segments:AlgorithmSpecification"
ROUNDS = {"num_round": "50"}
TUNED = "Tune:TrainingJobDefinition"
OBJECTIVE = "Tune:HyperParameterTuningJobConfig/HyperParameterTuningJobObjective"
RANGES = "Tune:HyperParameterTuningJobConfig/ParameterRanges"
ETA = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]}
FILE = "Prepare.PropertyFiles/0"
STORE = {"OutputName": "report", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "churn"}}
READING = "Train:HyperParameters/rows/Std:JsonGet/Path"


def of_xgboost(**hyperparameters: str) -> dict[str, object]:
    return {f"{FIT}/TrainingImage": XGBOOST, "Segments:HyperParameters": {**ROUNDS, **hyperparameters}}


def served(image: str, **environment: str) -> dict[str, object]:
    return {PRIMARY: {"Image": image, "Environment": environment}}


def starting(count: int, **scaling: object) -> dict[str, object]:
    variant = "Host:ProductionVariants/0"
    return {f"{variant}/InitialInstanceCount": count, f"{variant}/ManagedInstanceScaling": scaling}


def order(kind: str, limit: float) -> dict[str, object]:
    return {"Type": kind, "LeftValue": SCORED, "RightValue": limit}


def bounds(*listed: dict[str, object]) -> dict[str, object]:
    return {"Gate:Conditions": list(listed)}


TUNED_XGBOOST = {
    f"{TUNED}/AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
    f"{TUNED}/StaticHyperParameters": ROUNDS,
    RANGES: ETA,
    OBJECTIVE: {"Type": "Minimize", "MetricName": "validation:rmse"},
}


def fed(*names: str) -> dict[str, object]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://raw/churn"}}
    return {
        f"{TUNED}/InputDataConfig": [
            {"ChannelName": name, "ContentType": "text/csv", "DataSource": source} for name in names
        ]
    }


CASES = [
    Case(
        "a time in a name",
        "R338",
        {CONFIG_NAME: join("churn", STARTED, on="-")},
        CONFIG_NAME,
        {CONFIG_NAME: join("churn", get("Execution.PipelineExecutionId"), on="-")},
        severity=WARNING,
    ),
    Case(
        "an ARN in a name",
        "R338",
        {"Live:EndpointName": join("churn", get("Execution.PipelineExecutionArn"), on="-")},
        "Live:EndpointName",
        {"Live:EndpointName": join("churn", get("Execution.PipelineName"), on="-")},
    ),
    Case(
        "a URI in a name",
        "R338",
        {CONFIG_NAME: join("churn", ARCHIVE, on="-")},
        CONFIG_NAME,
        {CONFIG_NAME: join("churn", get("Steps.Train.TrainingJobName"), on="-")},
    ),
    Case(
        "an archive below an archive",
        "R339",
        {DATA: join(ARCHIVE, "model.tar.gz")},
        f"{DATA}/Std:Join/Values/0",
        {DATA: join("s3://acme/m", "model.tar.gz")},
    ),
    Case(
        "an output read by a dot",
        "R341",
        {"Announce:package": get("Steps.Score.OutputParameters.note")},
        "Announce:package/Get",
        {"Announce:package": get("Steps.Score.OutputParameters['note']")},
        severity=WARNING,
    ),
    Case(
        "a property file in a feature group",
        "R321",
        {f"{PREPARE_OUT}/1": STORE},
        f"{FILE}/OutputName",
        {f"{PREPARE_OUT}/0": {**STORE, "OutputName": "rows"}, "Train:InputDataConfig": GONE,
         "Segments:InputDataConfig/0/DataSource/S3DataSource/S3Uri": "s3://raw/churn"},
    ),
    Case(
        "a folder as a property file",
        "R322",
        {f"{FILE}/FilePath": "reports/"},
        f"{FILE}/FilePath",
        {f"{FILE}/FilePath": "reports/quality.json"},
        severity=WARNING,
    ),
    Case(
        "braces in a path",
        "R323",
        {READING: "metrics.{stage}"},
        READING,
        {READING: "metrics['{stage}']"},
        severity=WARNING,
    ),
    Case(
        "a file's number ordered by a text parameter",
        "C604",
        {
            "Gate:Conditions/1/LeftValue": {
                "Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "rows"}
            },
            "Gate:Conditions/1/RightValue": get("Parameters.Stage"),
        },
        "Gate:Conditions/1/RightValue/Get",
        {
            "Gate:Conditions/1/LeftValue": {
                "Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.quality"), "Path": "rows"}
            },
            "Gate:Conditions/1/RightValue": get("Parameters.Depth"),
        },
        severity=WARNING,
    ),
    *(
        Case(
            f"{first} {low:g} and {second} {high:g}",
            "C608",
            bounds(order(first, low), order(second, high)),
            "Gate:Conditions/1",
            bounds(order(first, low), order(second, sound)),
            severity=WARNING,
        )
        for first, low, second, high, sound in (
            ("LessThan", 6.0, "GreaterThan", 9.0, 1.0),
            ("GreaterThanOrEqualTo", 6.0, "LessThan", 6.0, 6.5),
            ("LessThanOrEqualTo", 6.0, "Equals", 7.0, 6.0),
            ("GreaterThan", 6.0, "LessThanOrEqualTo", 6.0, 7.0),
        )
    ),
    Case(
        "a cache that keeps nothing",
        "E532",
        {"Prepare.CacheConfig/ExpireAfter": "PT0S"},
        "Prepare.CacheConfig/ExpireAfter",
        {"Prepare.CacheConfig/ExpireAfter": "PT10M"},
        severity=WARNING,
    ),
    Case(
        "a cache over the time",
        "E532",
        {"Prepare:Environment/STARTED": STARTED},
        "Prepare:Environment/STARTED/Get",
        {"Prepare:Environment/STARTED": STARTED, "Prepare.CacheConfig/Enabled": False},
        severity=WARNING,
    ),
    Case(
        "a back-off that shortens",
        "E540",
        {"Prepare.RetryPolicies/0/BackoffRate": 0.5},
        "Prepare.RetryPolicies/0/BackoffRate",
        {"Prepare.RetryPolicies/0/BackoffRate": 1.0},
        severity=WARNING,
    ),
    Case(
        "a version that never was",
        "X864",
        of_xgboost() | {f"{FIT}/TrainingImage": XGBOOST.replace(":1.7-1", ":1.8-1")},
        f"{FIT}/TrainingImage",
        of_xgboost() | {f"{FIT}/TrainingImage": XGBOOST.replace(":1.7-1", ":1.5-1")},
    ),
    Case(
        "another build of a version",
        "X864",
        of_xgboost() | {f"{FIT}/TrainingImage": XGBOOST.replace(":1.7-1", ":1.7-2")},
        f"{FIT}/TrainingImage",
        of_xgboost() | {f"{FIT}/TrainingImage": XGBOOST.replace(":1.7-1", ":0.90-2")},
        WARNING,
    ),
    Case(
        "no version",
        "X864",
        served(SKLEARN.replace(":1.2-1-cpu-py3", ":latest")) | {f"{PRIMARY}/ModelDataUrl": ARCHIVE},
        f"{PRIMARY}/Image",
        served(SKLEARN.replace(":1.2-1", ":9.2-1")) | {f"{PRIMARY}/ModelDataUrl": ARCHIVE},
        severity=WARNING,
    ),
    Case(
        "scikit-learn on two machines",
        "X865",
        {TRAIN_IMAGE: SKLEARN, "Train:HyperParameters": SCRIPT, "Train:ResourceConfig/InstanceCount": 2},
        "Train:ResourceConfig/InstanceCount",
        {TRAIN_IMAGE: SKLEARN, "Train:HyperParameters": SCRIPT, "Train:ResourceConfig/InstanceCount": 1},
        severity=WARNING,
    ),
    Case(
        "x86 on Graviton",
        "X860",
        {
            **served(SKLEARN),
            f"{PRIMARY}/ModelDataUrl": ARCHIVE,
            "Variants:ProductionVariants/0/InstanceType": "ml.c7g.large",
        },
        "Variants:ProductionVariants/0/InstanceType",
        {
            **served(SKLEARN.replace("1.2-1-cpu", "1.0-1-arm64-cpu")),
            "Batch:ModelName": get("Steps.Chain.ModelName"),
            f"{PRIMARY}/ModelDataUrl": ARCHIVE,
            "Variants:ProductionVariants/0/InstanceType": "ml.c7g.large",
        },
    ),
    Case(
        "metrics of one's own for XGBoost",
        "X983",
        of_xgboost() | {f"{FIT}/MetricDefinitions": [{"Name": "mine", "Regex": "rmse=(.*)"}]},
        f"{FIT}/MetricDefinitions",
        of_xgboost(),
        severity=WARNING,
    ),
    Case(
        "a GPU's histogram on a CPU",
        "X856",
        of_xgboost(tree_method="gpu_hist"),
        "Segments:ResourceConfig/InstanceType",
        of_xgboost(tree_method="gpu_hist") | {"Segments:ResourceConfig/InstanceType": "ml.g5.xlarge"},
    ),
    Case(
        "early stopping on nothing",
        "X858",
        of_xgboost(early_stopping_rounds="5"),
        "Segments:HyperParameters/early_stopping_rounds",
        of_xgboost(early_stopping_rounds="5", _kfold="5"),
        severity=WARNING,
    ),
    Case(
        "a metric of no channel",
        "X857",
        TUNED_XGBOOST | fed("train"),
        f"{OBJECTIVE}/MetricName",
        TUNED_XGBOOST | fed("train", "validation"),
    ),
    Case(
        "the largest loss",
        "X988",
        {f"{OBJECTIVE}/Type": "Maximize"},
        f"{OBJECTIVE}/Type",
        {
            OBJECTIVE: {"Type": "Maximize", "MetricName": "neg_loss"},
            f"{TUNED}/AlgorithmSpecification/MetricDefinitions/0/Name": "neg_loss",
        },
        severity=WARNING,
    ),
    Case(
        "nothing to serve",
        "X915",
        served(SKLEARN),
        f"{PRIMARY}/ModelDataUrl",
        served(SKLEARN, SAGEMAKER_PROGRAM="serve.py", SAGEMAKER_SUBMIT_DIRECTORY="s3://acme/code.tar.gz"),
        severity=WARNING,
    ),
    Case(
        "a registration with nothing to serve",
        "X915",
        {"Register:InferenceSpecification/Containers/0": {"Image": SKLEARN}},
        "Register:InferenceSpecification/Containers/0/ModelDataUrl",
        {"Register:InferenceSpecification/Containers/0": {"Image": SKLEARN, "ModelDataUrl": ARCHIVE}},
        severity=WARNING,
    ),
    Case(
        "a task that there is not",
        "X916",
        served(HUB, HF_MODEL_ID="t5-small", HF_TASK="sentiment"),
        f"{PRIMARY}/Environment/HF_TASK",
        served(HUB, HF_MODEL_ID="t5-small", HF_TASK="translation_en_to_fr"),
        severity=WARNING,
    ),
    Case(
        "the hub without a network",
        "X916",
        served(HUB, HF_MODEL_ID="t5-small", HF_TASK="summarization") | {"Model:EnableNetworkIsolation": True},
        f"{PRIMARY}/Environment/HF_MODEL_ID",
        served(HUB, HF_MODEL_ID="t5-small", HF_TASK="summarization"),
        severity=WARNING,
    ),
    Case(
        "a start below the least",
        "X800",
        {
            "Host:ProductionVariants/0/ManagedInstanceScaling": {
                "Status": "ENABLED", "MinInstanceCount": 2, "MaxInstanceCount": 4,
            }
        },
        "Host:ProductionVariants/0/InitialInstanceCount",
        {
            "Host:ProductionVariants/0/ManagedInstanceScaling": {
                "Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 4,
            }
        },
        severity=WARNING,
    ),
    Case(
        "a start above the most, where no least is said",
        "X800",
        starting(2, Status="ENABLED", MaxInstanceCount=1),
        "Host:ProductionVariants/0/InitialInstanceCount",
        starting(2, Status="DISABLED", MaxInstanceCount=1),
        severity=WARNING,
    ),
    Case(
        "a check of a job's name",
        "X716",
        {"Bias.ModelName": get("Steps.Train.TrainingJobName")},
        "Bias.ModelName/Get",
        {"Bias.ModelName": get("Steps.Chain.ModelName")},
    ),
    Case(
        "an iteration that there is not",
        "X738",
        {"Best:first": get("Steps.Regions.IterationOutputs[9].Fit.OutputParameters['score']")},
        "Best:first/Get",
        {"Best:first": get("Steps.Regions.IterationOutputs[0].Fit.OutputParameters['score']")},
    ),
]  # fmt: skip

MERGED = {"E532": "Prepare"}
REPLACED = {"R339": DATA, "R341": "Announce:package"}
WORDS = frozenset({"X988", "X916", "X865"})
FOLLOW = {"R306": {"X983"}, "R341": {"R305"}, "X916": {"X900"}}
