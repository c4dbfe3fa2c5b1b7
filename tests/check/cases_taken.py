"""Rows of rules on what one step makes and another takes, on searches of nothing, and on how data are read."""

from __future__ import annotations

from cases_containers import ENV, MONITORED
from rule_cases import DLC, WARNING, XGBOOST, Case
from sound_definition import GONE, REGISTRY, get

OFFERED = "Register:InferenceSpecification/SupportedTransformInstanceTypes"
CAPTURE = "Variants:DataCaptureConfig"
CAPTURED = {
    "EnableCapture": True,
    "DestinationS3Uri": "s3://acme/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
ALGORITHMS = "685385470294.dkr.ecr.eu-west-1.amazonaws.com"
ARCHIVE = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
PRIMARY = "Model:PrimaryContainer"
UNPACKED = {"Train:OutputDataConfig/CompressionType": "NONE"}
FOLDER = {"S3DataSource": {"S3Uri": ARCHIVE, "S3DataType": "S3Prefix", "CompressionType": "None"}}
METRICS = "Register:ModelMetrics/ModelQuality/Statistics"
REGISTERED = "Register:InferenceSpecification/Containers/0"
BEST = "Steps.Tune.BestTrainingJob.TunedHyperParameters"
RANGE = "Tune:HyperParameterTuningJobConfig/ParameterRanges/ContinuousParameterRanges/0"
STAGE = "Gate:Conditions/2/Conditions/0"
FIT = {
    "Segments:AlgorithmSpecification/TrainingImage": XGBOOST,
    "Segments:HyperParameters": {"num_round": "50"},
}
SOURCE = "Segments:InputDataConfig/0/DataSource/S3DataSource/S3Uri"
ALARM = "Live:DeploymentConfig/AutoRollbackConfiguration/Alarms/0/AlarmName"
FOREIGN = "999988887777.dkr.ecr.eu-west-1.amazonaws.com/serve:1"
IMAGES = {
    "Segments:AlgorithmSpecification/TrainingImage": f"{ALGORITHMS}/image-classification:1",
    "Segments:HyperParameters": {"num_classes": "2", "num_training_samples": "100"},
    "Segments:ResourceConfig/InstanceType": "ml.p3.2xlarge",
}


def channels(kind: str, *names: str) -> dict[str, object]:
    return {
        "Segments:InputDataConfig": [
            {
                "ChannelName": name,
                "ContentType": kind,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://raw/{name}"}},
            }
            for name in names
        ]
    }


CASES = [
    Case(
        "a URI in the place of a bucket",
        "X820",
        {"Train:OutputDataConfig/S3OutputPath": "s3://s3://acme/models"},
        "Train:OutputDataConfig/S3OutputPath",
        {"Train:OutputDataConfig/S3OutputPath": "s3://acme/models/fit"},
    ),
    Case(
        "a script where data come",
        "X785",
        {"Prepare:AppSpecification/ContainerEntrypoint/1": "/opt/ml/processing/input/raw/prepare.py"},
        "Prepare:AppSpecification/ContainerEntrypoint/1",
        {
            "Prepare:AppSpecification/ContainerEntrypoint/1": "/opt/ml/processing/input/raw/prepare.py",
            "Prepare:ProcessingInputs/0/S3Input/S3Uri": "s3://raw/churn/",
        },
        severity=WARNING,
    ),
    Case(
        "Spark of nothing",
        "X734",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--deploy-mode", "cluster"]},
        "Spark:StepConfig/HadoopJarStep/Args",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--deploy-mode", "cluster", "s3://acme/f.py"]},
        severity=WARNING,
    ),
    Case(
        "Spark of nothing, told at length",
        "X734",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--verbose", "--conf", "spark.x=1"]},
        "Spark:StepConfig/HadoopJarStep/Args",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--master=yarn", "--verbose", "s3://acme/f.py"]},
        severity=WARNING,
    ),
    Case(
        "an option that says its value and an application behind it",
        "X734",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--deploy-mode=cluster"]},
        "Spark:StepConfig/HadoopJarStep/Args",
        {"Spark:StepConfig/HadoopJarStep/Args": ["spark-submit", "--deploy-mode=cluster", "s3://acme/f.py"]},
        severity=WARNING,
    ),
    Case(
        "a content type that is a word",
        "X853",
        {"Register:InferenceSpecification/SupportedContentTypes": ["csv"]},
        "Register:InferenceSpecification/SupportedContentTypes/0",
        {"Register:InferenceSpecification/SupportedContentTypes": ["application/x-npy"]},
        severity=WARNING,
    ),
    Case(
        "a GPU's image offered on CPUs",
        "X866",
        {f"{REGISTERED}/Image": f"{DLC}/pytorch-inference:2.3.0-gpu-py311", OFFERED: ["ml.g5.xlarge", "ml.m5.large"]},
        f"{OFFERED}/1",
        {f"{REGISTERED}/Image": f"{DLC}/pytorch-inference:2.3.0-gpu-py311", OFFERED: ["ml.g5.xlarge"]},
        severity=WARNING,
    ),
    Case(
        "capture of no request",
        "X807",
        {CAPTURE: {**CAPTURED, "InitialSamplingPercentage": 0}},
        f"{CAPTURE}/InitialSamplingPercentage",
        {CAPTURE: {**CAPTURED, "InitialSamplingPercentage": 10}},
        severity=WARNING,
    ),
    Case(
        "JSON that is said to be CSV",
        "X733",
        {METRICS: {"ContentType": "text/csv", "S3Uri": "s3://acme/report/evaluation.json"}},
        f"{METRICS}/ContentType",
        {METRICS: {"ContentType": "text/csv", "S3Uri": "s3://acme/report/evaluation.csv"}},
        severity=WARNING,
    ),
    Case(
        "a threshold above one",
        "X880",
        {**MONITORED, f"{ENV}/probability_threshold_attribute": "1.5"},
        f"{ENV}/probability_threshold_attribute",
        {**MONITORED, f"{ENV}/probability_threshold_attribute": "0.5"},
        severity=WARNING,
    ),
    Case(
        "a configuration by its name",
        "G113",
        {"Live:EndpointConfigName": "churn-1"},
        "Live:EndpointConfigName",
        {"Live:EndpointConfigName": "churn-1", "Live.DependsOn": ["Variants"]},
        severity=WARNING,
    ),
    Case(
        "an endpoint by its name",
        "G113",
        {"Component:EndpointName": "churn-hosted"},
        "Component:EndpointName",
        {"Component:EndpointName": "churn-hosted", "Component.DependsOn": ["Hosted"]},
        severity=WARNING,
    ),
    Case(
        "an unpacked model as an archive",
        "X917",
        {**UNPACKED, f"{PRIMARY}/ModelDataUrl": ARCHIVE, f"{REGISTERED}/ModelDataUrl": "s3://acme/m.tar.gz"},
        f"{PRIMARY}/ModelDataUrl",
        {f"{PRIMARY}/ModelDataUrl": ARCHIVE},
        severity=WARNING,
    ),
    Case(
        "an archive as a folder",
        "X917",
        {f"{REGISTERED}": {"Image": f"{REGISTRY}/serve:1", "ModelDataSource": FOLDER}},
        f"{REGISTERED}/ModelDataSource/S3DataSource/S3Uri",
        {**UNPACKED, f"{REGISTERED}": {"Image": f"{REGISTRY}/serve:1", "ModelDataSource": FOLDER}},
        severity=WARNING,
    ),
    Case(
        "a hyperparameter that is not tuned",
        "R342",
        {"Announce:best": get(f"{BEST}['learning_rate']")},
        "Announce:best/Get",
        {"Announce:best": get(f"{BEST}['lr']")},
    ),
    Case(
        "a hyperparameter that SageMaker may tune",
        "R342",
        {"Announce:best": get(f"{BEST}['learning_rate']"), "Tune:Autotune": {"Mode": "Enabled"}},
        "Announce:best/Get",
        severity=WARNING,
    ),
    Case(
        "a range of one value",
        "X989",
        {f"{RANGE}/MaxValue": "0.001"},
        f"{RANGE}/MaxValue",
        {f"{RANGE}/MaxValue": "0.002"},
        severity=WARNING,
    ),
    Case(
        "a parent twice",
        "X989",
        {
            "Tune:WarmStartConfig": {
                "WarmStartType": "TransferLearning",
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "a"}] * 2,
            }
        },
        "Tune:WarmStartConfig/ParentHyperParameterTuningJobs/1",
        {
            "Tune:WarmStartConfig": {
                "WarmStartType": "TransferLearning",
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name} for name in ("a", "b")],
            }
        },
        severity=WARNING,
    ),
    Case(
        "all that a parameter can be",
        "C606",
        {"Stage.EnumValues": ["dev", "prod"]},
        STAGE,
        {"Stage.EnumValues": ["dev", "prod"], f"{STAGE}/Values": ["dev"]},
        severity=WARNING,
    ),
    Case(
        "texts by their order",
        "C604",
        {"Gate:Conditions/0": {"Type": "LessThan", "LeftValue": get("Parameters.Stage"), "RightValue": "prod"}},
        "Gate:Conditions/0/LeftValue/Get",
        {"Gate:Conditions/0": {"Type": "LessThan", "LeftValue": get("Parameters.Depth"), "RightValue": 3}},
        severity=WARNING,
    ),
    Case(
        "a CSV file as LIBSVM",
        "X851",
        {**FIT, SOURCE: "s3://raw/churn.csv"},
        "Segments:InputDataConfig/0/ContentType",
        {**FIT, SOURCE: "s3://raw/churn.csv", "Segments:InputDataConfig/0/ContentType": "text/csv"},
        severity=WARNING,
    ),
    Case(
        "images without their list",
        "X851",
        {**IMAGES, **channels("application/x-image", "train", "validation", "validation_lst")},
        "Segments:InputDataConfig/0/ContentType",
        {**IMAGES, **channels("application/x-image", "train", "validation", "train_lst", "validation_lst")},
        severity=WARNING,
    ),
    Case(
        "an alarm by its ARN",
        "X905",
        {ALARM: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:churn-errors"},
        ALARM,
        {ALARM: "churn-latency"},
        severity=WARNING,
    ),
    Case(
        "a serverless variant with an image of another account",
        "X900",
        {f"{PRIMARY}/Image": FOREIGN},
        "Small:ProductionVariants/0/ModelName",
        {f"{PRIMARY}/Image": FOREIGN, "Small:ProductionVariants/0/ServerlessConfig": GONE,
         "Small:ProductionVariants/0/InstanceType": "ml.m5.large",
         "Small:ProductionVariants/0/InitialInstanceCount": 1},
        severity=WARNING,
    ),
    Case(
        "an experiment without a name",
        "E506",
        {"/MlflowConfig/MlflowExperimentName": ""},
        "/MlflowConfig/MlflowExperimentName",
        {"/MlflowConfig/MlflowExperimentName": "nightly"},
    ),
    Case(
        "a service-linked role",
        "X811",
        {"Train:RoleArn": "arn:aws:iam::111122223333:role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRole"},
        "Train:RoleArn",
        {"Train:RoleArn": "arn:aws:iam::111122223333:role/service-role/train"},
        severity=WARNING,
    ),
]  # fmt: skip

REPLACED = {"X733": METRICS}
MERGED = {"X734": "Spark:StepConfig/HadoopJarStep", "X989": RANGE, "G113": "Live:"}
WORDS = frozenset({"X866", "X807"})
FOLLOW = {"X903": {"G113"}, "X907": {"G113"}, "X980": {"X989"}, "X989": {"X980"}}
