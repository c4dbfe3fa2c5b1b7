"""Rows of rules on private registries, AutoML, EMR and EMR Serverless."""

from __future__ import annotations

from typing import Any

from rule_cases import WARNING, Case
from sound_definition import GONE, LAMBDA, channel

VPC = {"SecurityGroupIds": ["sg-0a1"], "Subnets": ["subnet-0b2"]}
PROVIDER = f"{LAMBDA}credentials"


def served(mode: str, arn: str) -> dict[str, Any]:
    config = {
        "RepositoryAccessMode": mode,
        "RepositoryAuthConfig": {"RepositoryCredentialsProviderArn": arn},
    }
    return {"Model:PrimaryContainer/ImageConfig": config, "Model:VpcConfig": VPC}


def trained(mode: str, arn: str) -> dict[str, Any]:
    auth = {"TrainingRepositoryCredentialsProviderArn": arn}
    config = {"TrainingRepositoryAccessMode": mode, "TrainingRepositoryAuthConfig": auth}
    return {"Train:AlgorithmSpecification/TrainingImageConfig": config, "Train:VpcConfig": VPC}


MODEL_CONFIG, TRAIN_CONFIG = (
    "Model:PrimaryContainer/ImageConfig",
    "Train:AlgorithmSpecification/TrainingImageConfig",
)
DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
SERVED = "Register:InferenceSpecification"
DATA = channel("train", "s3://raw/churn")["DataSource"]
AUTO = {"DataSource": DATA, "TargetAttributeName": "churned"}
CHECKED = {**AUTO, "DataSource": channel("v", "s3://raw/v")["DataSource"], "ChannelType": "validation"}
SPLIT = "Auto:AutoMLJobConfig/DataSplitConfig"
ALGORITHMS = "Auto:AutoMLJobConfig/CandidateGenerationConfig"
JAR, ARGS = "Spark:StepConfig/HadoopJarStep/Jar", "Spark:StepConfig/HadoopJarStep/Args"
GROUPS, APPS = "Spark:ClusterConfig/Instances/InstanceGroups", "Spark:ClusterConfig/Applications"
MASTER = {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}
CORE = {**MASTER, "InstanceRole": "CORE"}
DRIVER, OWN = "Serverless:JobConfig/jobDriver", "Serverless:ApplicationConfig"


def made(kind: str, release: str) -> dict[str, Any]:
    return {"Serverless:ApplicationId": GONE, OWN: {"type": kind, "releaseLabel": release}}


CASES = [
    Case(
        "credentials of the platform",
        "X892",
        served("Platform", PROVIDER),
        f"{MODEL_CONFIG}/RepositoryAuthConfig",
        served("Vpc", PROVIDER),
    ),
    Case(
        "credentials of a secret",
        "X892",
        served("Vpc", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:docker"),
        f"{MODEL_CONFIG}/RepositoryAuthConfig/RepositoryCredentialsProviderArn",
    ),
    Case(
        "credentials of the platform for training",
        "X892",
        trained("Platform", PROVIDER),
        f"{TRAIN_CONFIG}/TrainingRepositoryAuthConfig",
        trained("Vpc", PROVIDER),
    ),
    Case(
        "a private image in no VPC",
        "X892",
        {TRAIN_CONFIG: {"TrainingRepositoryAccessMode": "Vpc"}},
        f"{TRAIN_CONFIG}/TrainingRepositoryAccessMode",
        {TRAIN_CONFIG: {"TrainingRepositoryAccessMode": "Platform"}},
    ),
    Case(
        "a training image registered",
        "X893",
        {f"{SERVED}/Containers/0/Image": f"{DLC}/pytorch-training:2.3.0-cpu-py311"},
        f"{SERVED}/Containers/0/Image",
        {f"{SERVED}/Containers/0/Image": f"{DLC}/pytorch-inference:2.3.0-cpu-py311"},
        WARNING,
    ),
    Case(
        "an instance type twice",
        "X893",
        {f"{SERVED}/SupportedTransformInstanceTypes": ["ml.m5.large", "ml.m5.large"]},
        f"{SERVED}/SupportedTransformInstanceTypes/1",
        {f"{SERVED}/SupportedTransformInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"]},
        WARNING,
    ),
    Case(
        "nothing to validate with",
        "X894",
        {SPLIT: {"ValidationFraction": 0}},
        f"{SPLIT}/ValidationFraction",
        {SPLIT: {"ValidationFraction": 0.3}},
    ),
    Case(
        "a split beside a channel",
        "X894",
        {SPLIT: {"ValidationFraction": 0.3}, "Auto:InputDataConfig": [AUTO, CHECKED]},
        f"{SPLIT}/ValidationFraction",
        {"Auto:InputDataConfig": [AUTO, CHECKED]},
        WARNING,
    ),
    Case(
        "two channels of one use",
        "X894",
        {"Auto:InputDataConfig": [AUTO, {**CHECKED, "ChannelType": "training"}]},
        "Auto:InputDataConfig/1/ChannelType",
    ),
    Case(
        "channels of two formats",
        "X894",
        {
            "Auto:InputDataConfig": [
                {**AUTO, "ContentType": "text/csv;header=present"},
                {**CHECKED, "ContentType": "x-application/vnd.amazon+parquet"},
            ]
        },
        "Auto:InputDataConfig/1/ContentType",
        {
            "Auto:InputDataConfig": [
                {**AUTO, "ContentType": "text/csv;header=present"},
                {**CHECKED, "ContentType": "text/csv"},
            ]
        },
    ),
    Case(
        "a format that is not read",
        "X894",
        {"Auto:InputDataConfig/0/ContentType": "application/json"},
        "Auto:InputDataConfig/0/ContentType",
        {"Auto:InputDataConfig/0/ContentType": "text/csv"},
    ),
    Case(
        "weights by the target",
        "X894",
        {"Auto:InputDataConfig/0/SampleWeightAttributeName": "churned"},
        "Auto:InputDataConfig/0/SampleWeightAttributeName",
        {"Auto:InputDataConfig/0/SampleWeightAttributeName": "weight"},
        WARNING,
    ),
    Case(
        "an algorithm of another mode",
        "X895",
        {ALGORITHMS: {"AlgorithmsConfig": [{"AutoMLAlgorithms": ["xgboost", "mlp"]}]}},
        f"{ALGORITHMS}/AlgorithmsConfig/0/AutoMLAlgorithms/1",
        {ALGORITHMS: {"AlgorithmsConfig": [{"AutoMLAlgorithms": ["xgboost", "catboost"]}]}},
    ),
    Case("a jar at home", "X896", {JAR: "lib/job.jar"}, JAR, {JAR: "s3://acme/job.jar"}, WARNING),
    Case("no jar", "X896", {JAR: ""}, JAR),
    Case(
        "a command as one word",
        "X896",
        {ARGS: ["spark-submit s3://acme/a.py"]},
        f"{ARGS}/0",
        {ARGS: ["spark-submit", "s3://acme/a.py"]},
        WARNING,
    ),
    Case(
        "a script at home",
        "X896",
        {ARGS: ["spark-submit", "--py-files", "s3://acme/a.zip", "job.py"]},
        f"{ARGS}/3",
        {ARGS: ["bash", "-c", "python3 job.py"]},
        WARNING,
    ),
    Case(
        "spark-submit without Spark",
        "X896",
        {ARGS: ["spark-submit", "s3://acme/a.py"], APPS: [{"Name": "Hive"}]},
        APPS,
        {ARGS: ["spark-submit", "s3://acme/a.py"], APPS: [{"Name": "spark"}]},
        WARNING,
    ),
    Case(
        "a cluster id in small letters",
        "X897",
        {"Spark:ClusterConfig": GONE, "Spark:ClusterId": "j-2axxxxxxgaplf"},
        "Spark:ClusterId",
        {"Spark:ClusterConfig": GONE, "Spark:ClusterId": "j-2AXXXXXXGAPLF"},
    ),
    Case(
        "two groups of masters",
        "X897",
        {GROUPS: [MASTER, MASTER]},
        f"{GROUPS}/1/InstanceRole",
        {GROUPS: [MASTER, CORE]},
    ),
    Case(
        "two masters",
        "X897",
        {f"{GROUPS}/0/InstanceCount": 2},
        f"{GROUPS}/0/InstanceCount",
        {f"{GROUPS}/0/InstanceCount": 3},
    ),
    Case("a group of nothing", "X897", {GROUPS: [MASTER, {**CORE, "InstanceCount": 0}]}, f"{GROUPS}/1/InstanceCount"),
    Case(
        "a misspelt application",
        "X897",
        {APPS: [{"Name": "Sprak"}]},
        f"{APPS}/0/Name",
        {APPS: [{"Name": "Spark"}, {"Name": "Something new"}]},
        WARNING,
    ),
    Case("nothing to run", "X898", {DRIVER: GONE}, DRIVER),
    Case(
        "Hive on Spark",
        "X898",
        {**made("SPARK", "emr-7.5.0"), DRIVER: {"hive": {"query": "s3://acme/q.sql"}}},
        f"{DRIVER}/hive",
        {**made("HIVE", "emr-7.5.0"), DRIVER: {"hive": {"query": "s3://acme/q.sql"}}},
    ),
    Case(
        "a program at home",
        "X898",
        {f"{DRIVER}/sparkSubmit/entryPoint": "file:///home/me/job.py"},
        f"{DRIVER}/sparkSubmit/entryPoint",
        {f"{DRIVER}/sparkSubmit/entryPoint": "local:///usr/lib/job.py"},
    ),
    Case(
        "two applications",
        "X898",
        {"Serverless:JobConfig/applicationId": "00fother00000000"},
        "Serverless:JobConfig/applicationId",
        {"Serverless:JobConfig/applicationId": "00fabc1234567890"},
    ),
    Case(
        "an application by its ARN",
        "X898",
        {"Serverless:ApplicationId": "arn:aws:emr-serverless:eu-west-1:111122223333:/applications/00f"},
        "Serverless:ApplicationId",
        {},
    ),
    Case(
        "an old release",
        "X898",
        made("SPARK", "emr-5.36.0"),
        f"{OWN}/releaseLabel",
        made("SPARK", "emr-6.9.0"),
    ),
    Case("no release", "X898", made("SPARK", "7.5.0"), f"{OWN}/releaseLabel", made("SPARK", "emr-7.5.0-latest")),
    Case(
        "an old release of Spark's own",
        "X898",
        made("SPARK", "emr-spark-3.5.0"),
        f"{OWN}/releaseLabel",
        made("SPARK", "emr-spark-8.0-preview"),
    ),
]

WORDS = frozenset({"X892", "X893", "X894", "X895", "X896", "X897", "X898"})
FOLLOW = {"X897": {"X730"}, "X898": {"X731"}, "X813": {"X892"}, "X892": {"X900"}}
