"""Rows of rules on types of files, on disks of instances and on containers of language models."""

from __future__ import annotations

from typing import Any

from rule_cases import DLC, WARNING, XGBOOST, Case
from sound_definition import GONE

BATCH = "Batch:TransformInput"
BATCH_URI = f"{BATCH}/DataSource/S3DataSource/S3Uri"
RAW = "Segments:InputDataConfig/0"
RAW_URI = f"{RAW}/DataSource/S3DataSource/S3Uri"
CLUSTER = "Prepare:ProcessingResources/ClusterConfig"
SERVED, SETTINGS = "Model:PrimaryContainer", "Model:PrimaryContainer/Environment"
BLUE = "Variants:ProductionVariants/0/InstanceType"
SMALL = {
    "Small:ProductionVariants/0/ModelName": "elsewhere",
    "Batch:ModelName": "elsewhere",
    "Component:Specification/ModelName": "elsewhere",
}
TGI = f"{DLC}/huggingface-pytorch-tgi-inference:2.4.0-tgi2.3.1-gpu-py311-cu124-ubuntu22.04"
LMI = f"{DLC}/djl-inference:0.29.0-lmi11.0.0-cu124"
PLAIN = {"DataProcessing": GONE}
BOOSTED = {"Segments:AlgorithmSpecification/TrainingImage": XGBOOST}
VALUES = "Segments:HyperParameters"


def served(image: str = TGI, kind: str = "ml.g5.2xlarge", **values: str) -> dict[str, Any]:
    return {f"{SERVED}/Image": image, SETTINGS: {"HF_MODEL_ID": "/opt/ml/model", **values}, BLUE: kind, **SMALL}


def lmi(kind: str = "ml.g5.2xlarge", **values: str) -> dict[str, Any]:
    return served(LMI, kind, **values)


def anonymous(**values: str) -> dict[str, Any]:
    return {**served(), SETTINGS: {"SM_NUM_GPUS": "1", **values}}


def boosted(**values: str) -> dict[str, Any]:
    return {**BOOSTED, VALUES: {"num_round": "5", **values}}


def kept(uri: str) -> dict[str, Any]:
    return {RAW_URI: "s3://raw/train", "Segments:CheckpointConfig": {"S3Uri": uri}}


CASES = [
    Case(
        "Parquet as CSV",
        "X912",
        {RAW_URI: "s3://raw/train.parquet", f"{RAW}/ContentType": "text/csv"},
        f"{RAW}/ContentType",
        {RAW_URI: "s3://raw/train.csv", f"{RAW}/ContentType": "text/csv"},
        WARNING,
    ),
    Case(
        "a gzipped batch that is not said to be one",
        "X912",
        {BATCH_URI: "s3://raw/rows.csv.gz"},
        f"{BATCH}/CompressionType",
        {BATCH_URI: "s3://raw/rows.csv.gz", f"{BATCH}/CompressionType": "Gzip"},
        WARNING,
    ),
    Case(
        "a zip for k-means",
        "X912",
        {RAW_URI: "s3://raw/train.zip"},
        RAW_URI,
        {RAW_URI: "s3://raw/train.csv"},
        WARNING,
    ),
    Case(
        "images by lines",
        "X959",
        {f"{BATCH}/ContentType": "image/jpeg", "Batch:DataProcessing": GONE, "Batch:TransformOutput/Accept": GONE},
        f"{BATCH}/SplitType",
        {
            f"{BATCH}/ContentType": "image/jpeg",
            f"{BATCH}/SplitType": "None",
            "Batch:BatchStrategy": GONE,
            "Batch:DataProcessing": GONE,
            "Batch:TransformOutput": {"S3OutputPath": "s3://acme/scores"},
        },
        WARNING,
    ),
    Case(
        "checkpoints below the data",
        "X913",
        kept("s3://raw/train/checkpoints"),
        "Segments:CheckpointConfig/S3Uri",
        kept("s3://raw/training"),
        WARNING,
    ),
    Case(
        "a command for k-means",
        "X914",
        {"Segments:AlgorithmSpecification/ContainerEntrypoint": ["python3", "/opt/t.py"]},
        "Segments:AlgorithmSpecification/ContainerEntrypoint",
        severity=WARNING,
    ),
    Case(
        "500 GB on a disk of 125",
        "X957",
        {f"{CLUSTER}/InstanceType": "ml.g4dn.xlarge", f"{CLUSTER}/VolumeSizeInGB": 500},
        f"{CLUSTER}/VolumeSizeInGB",
        {f"{CLUSTER}/InstanceType": "ml.g4dn.xlarge", f"{CLUSTER}/VolumeSizeInGB": 100},
    ),
    Case(
        "500 GB to train on a disk of 125",
        "X957",
        {"Train:ResourceConfig/InstanceType": "ml.g4dn.xlarge", "Train:ResourceConfig/VolumeSizeInGB": 500},
        "Train:ResourceConfig/VolumeSizeInGB",
        {"Train:ResourceConfig/InstanceType": "ml.g4dn.xlarge", "Train:ResourceConfig/VolumeSizeInGB": 125},
        WARNING,
    ),
    Case(
        "four shards on one GPU",
        "X958",
        served(SM_NUM_GPUS="4"),
        f"{SETTINGS}/SM_NUM_GPUS",
        served(kind="ml.g5.12xlarge", SM_NUM_GPUS="4"),
        WARNING,
    ),
    Case(
        "eight ways on one GPU",
        "X958",
        lmi(OPTION_TENSOR_PARALLEL_DEGREE="8"),
        f"{SETTINGS}/OPTION_TENSOR_PARALLEL_DEGREE",
        lmi(OPTION_TENSOR_PARALLEL_DEGREE="max"),
        WARNING,
    ),
    Case("no model", "X958", anonymous(), f"{SETTINGS}/HF_MODEL_ID", anonymous(HF_MODEL_ID="/opt/ml/model"), WARNING),
    Case(
        "no token for an answer",
        "X958",
        served(MAX_INPUT_LENGTH="4096", MAX_TOTAL_TOKENS="4096"),
        f"{SETTINGS}/MAX_INPUT_LENGTH",
        served(MAX_INPUT_LENGTH="2048", MAX_TOTAL_TOKENS="4096"),
        WARNING,
    ),
    Case(
        "three bits",
        "X958",
        served(HF_MODEL_QUANTIZE="int3"),
        f"{SETTINGS}/HF_MODEL_QUANTIZE",
        served(HF_MODEL_QUANTIZE="awq"),
        WARNING,
    ),
    Case(
        "a misspelt engine",
        "X958",
        lmi(OPTION_ROLLING_BATCH="vvlm"),
        f"{SETTINGS}/OPTION_ROLLING_BATCH",
        lmi(OPTION_ROLLING_BATCH="vllm"),
        WARNING,
    ),
    Case(
        "a loss of classes for ranks",
        "X850",
        boosted(objective="rank:pairwise", eval_metric="mlogloss"),
        f"{VALUES}/eval_metric",
        boosted(objective="rank:pairwise", eval_metric="ndcg"),
    ),
    Case(
        "a rate by both of its names",
        "X858",
        boosted(eta="0.1", learning_rate="0.2"),
        f"{VALUES}/learning_rate",
        boosted(learning_rate="0.2"),
        WARNING,
    ),
    Case(
        "a depth of linear models",
        "X858",
        boosted(booster="gblinear", max_depth="5"),
        f"{VALUES}/max_depth",
        boosted(booster="gbtree", max_depth="5"),
        WARNING,
    ),
    Case(
        "processes by a word",
        "X970",
        {"Train:HyperParameters/sagemaker_mpi_num_of_processes_per_host": "all"},
        "Train:HyperParameters/sagemaker_mpi_num_of_processes_per_host",
        {"Train:HyperParameters/sagemaker_mpi_num_of_processes_per_host": "4"},
        WARNING,
    ),
]
WORDS = frozenset({"X912", "X913", "X914", "X957", "X958", "X959"})
FOLLOW = {"X796": {"X959"}}
