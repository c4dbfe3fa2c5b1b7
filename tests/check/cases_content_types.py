"""Rows of rules on content types that are said twice, and on what Std:JsonGet reads of S3."""

from __future__ import annotations

from rule_cases import ROWS, WARNING, XGBOOST, Case
from sound_definition import GONE, REGISTRY, get, join

FIT = {"Segments:AlgorithmSpecification/TrainingImage": XGBOOST, "Segments:HyperParameters": {"num_round": "50"}}
CHANNELS = "Segments:InputDataConfig"
REPORT = get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
PRIMARY = "Model:PrimaryContainer"
GIVES = "Register:InferenceSpecification/SupportedResponseMIMETypes"
SAME = {"Image": f"{REGISTRY}/serve:1", "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
VERSION = {PRIMARY: {"ModelPackageName": get("Steps.Register.ModelPackageArn")}}
TYPE, ACCEPT = "Batch:TransformInput/ContentType", "Batch:TransformOutput/Accept"
PLAIN = {"Batch:DataProcessing": GONE}


def channels(*types: str) -> dict[str, object]:
    listed = [
        {
            "ChannelName": name,
            "ContentType": kind,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://acme/{name}"}},
        }
        for name, kind in zip(("train", "validation"), types, strict=False)
    ]
    return {**FIT, CHANNELS: listed}


CASES = [
    Case("rows and sparse rows", "X977", channels("text/csv", "text/libsvm"), f"{CHANNELS}/1/ContentType",
         channels("text/csv", "text/csv;label_size=1"), WARNING),
    Case("sparse rows and columns", "X977", channels("libsvm", "application/x-parquet"), f"{CHANNELS}/1/ContentType",
         channels("libsvm", "text/x-libsvm"), WARNING),
    Case("answers that the version does not give", "X978", {**VERSION, **PLAIN, ACCEPT: "application/json"}, ACCEPT,
         {PRIMARY: SAME, **PLAIN, ACCEPT: "application/json", GIVES: ["application/json"]}, WARNING),
    Case("records that the version does not take", "X978", {**VERSION, **PLAIN, TYPE: "application/jsonlines"}, TYPE,
         {PRIMARY: SAME, **PLAIN, TYPE: "text/csv; charset=utf-8"}, WARNING),
    Case("records that the registration of the same model does not take", "X978",
         {PRIMARY: SAME, **PLAIN, TYPE: "application/jsonlines"}, TYPE,
         {PRIMARY: {**SAME, "Image": f"{REGISTRY}/batch:1"}, **PLAIN, TYPE: "application/jsonlines"}, WARNING),
    Case("an output as a whole", "R326", {ROWS: {"S3Uri": REPORT, "Path": "rows"}}, f"{ROWS}/S3Uri",
         {ROWS: {"S3Uri": join(REPORT, "rows.json"), "Path": "rows"}}),
    Case("a folder of a bucket", "R326", {ROWS: {"S3Uri": join("s3://acme", "reports/"), "Path": "rows"}},
         f"{ROWS}/S3Uri", {ROWS: {"S3Uri": join("s3://acme", "reports/rows.json"), "Path": "rows"}}),
    Case("a bucket", "R326", {ROWS: {"S3Uri": "s3://acme", "Path": "rows"}}, f"{ROWS}/S3Uri",
         {ROWS: {"S3Uri": "s3://acme/rows.json", "Path": "rows"}}),
]  # fmt: skip

WORDS = frozenset({"X977", "X978", "R326"})
FOLLOW = {"X978": {"G109"}}
"""The version of a branch, which the model reads from outside."""
