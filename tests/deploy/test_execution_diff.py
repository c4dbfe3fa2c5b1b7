"""What differs between two executions, one row for one change of the definition or the start."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.executions.diff import diff

ROLE = "arn:aws:iam::000000000000:role/pipelines"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = "s3://mlops-tests/mlops/assets/{}/step.py"


def processing(name: str, *words: str, asset: str = "a", variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
            },
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": list(words)},
            "ProcessingInputs": [
                {
                    "InputName": input_name,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{input_name}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for input_name, uri in (("code", CODE.format(asset * 64)), ("data", "s3://mlops-tests/data"))
            ],
            "RoleArn": ROLE,
            **({"Environment": dict(variables)} if variables else {}),
        },
    }


def fails_if(limit: float, *inside: str) -> dict[str, Any]:
    inner = [{"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": name}} for name in inside]
    condition = {"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Share"}, "RightValue": limit}
    return {
        "Name": "Enough",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": inner, "ElseSteps": []},
    }


def document(*steps: dict[str, Any]) -> str:
    parameters = [{"Name": "Share", "Type": "Float", "DefaultValue": 0.5}]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": list(steps)})


@dataclass(frozen=True, slots=True)
class Change:
    """``told`` is (topic, step, at) to (old, new)."""

    name: str
    old: str
    new: str
    told: Mapping[tuple[str, str | None, str], tuple[Any, Any]]
    values: Mapping[str, str] = field(default_factory=dict)
    new_data: bytes | None = None


CHANGES = (
    Change("nothing", document(processing("A", "true")), document(processing("A", "true")), {}),
    Change(
        "a parameter, and the branch that it takes",
        document(fails_if(0.7, "Stop")),
        document(fails_if(0.7, "Stop")),
        {
            ("parameter", None, "Share"): ("0.5", "0.9"),
            ("outcome", "Enough", "condition"): ("False", "True"),
            ("outcome", "Stop", "status"): (None, "Failed"),
        },
        values={"Share": "0.9"},
    ),
    Change(
        "a member of the definition, and one that is new",
        document(processing("A", "true")),
        document(processing("A", "/bin/true", variables={"X_Y": "1"})),
        {
            ("definition", "A", "/Arguments/AppSpecification/ContainerEntrypoint/0"): ("true", "/bin/true"),
            ("definition", "A", "/Arguments/Environment/X_Y"): (None, "1"),
        },
    ),
    Change(
        "the code",
        document(processing("A", "true", asset="a")),
        document(processing("A", "true", asset="b")),
        {
            ("code", "A", "/Arguments/ProcessingInputs/code/S3Input/S3Uri"): (
                CODE.format("a" * 64),
                CODE.format("b" * 64),
            )
        },
    ),
    Change(
        "the data at the same place",
        document(processing("A", "true")),
        document(processing("A", "true")),
        {("data", "A", "data: x.csv"): ("before", "written")},
        new_data=b"2",
    ),
    Change(
        "a limit, and a step inside the condition",
        document(fails_if(0.7, "Stop")),
        document(fails_if(0.8, "Halt")),
        {
            ("definition", "Enough", "/Arguments/Conditions/0/RightValue"): (0.7, 0.8),
            ("definition", "Enough", "/Arguments/IfSteps/0"): ("Stop", "Halt"),
            ("definition", "Stop", ""): ("there", None),
            ("definition", "Halt", ""): (None, "there"),
        },
    ),
    Change(
        "what the requirements of its code pin",
        document(processing("A", "true", asset="c")),
        document(processing("A", "true", asset="d")),
        {
            ("code", "A", "/Arguments/ProcessingInputs/code/S3Input/S3Uri"): (
                CODE.format("c" * 64),
                CODE.format("d" * 64),
            ),
            ("package", "A", "numpy"): ("1.26.4", "2.0.0"),
            ("package", "A", "pandas"): ("pandas>=2", None),
        },
    ),
    Change(
        "an outcome",
        document(processing("A", "true")),
        document(processing("A", "false")),
        {
            ("definition", "A", "/Arguments/AppSpecification/ContainerEntrypoint/0"): ("true", "false"),
            ("outcome", "A", "status"): ("Succeeded", "Failed"),
        },
    ),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_is_told(change: Change, tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.ensure_bucket("mlops-tests")
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    for asset in ("a", "b"):
        s3.put_object(Bucket="mlops-tests", Key=f"mlops/assets/{asset * 64}/step.py", Body=asset.encode())
    for asset, text in (("c", b"numpy==1.26.4\npandas>=2\n"), ("d", b"numpy==2.0.0 # new\n")):
        s3.put_object(Bucket="mlops-tests", Key=f"mlops/assets/{asset * 64}/step.py", Body=b"")
        s3.put_object(Bucket="mlops-tests", Key=f"mlops/assets/{asset * 64}/src/requirements.txt", Body=text)
    s3.put_object(Bucket="mlops-tests", Key="data/x.csv", Body=b"1")
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=change.old, RoleArn=ROLE)
    old = run(sagemaker, {})
    if change.new_data is not None:
        s3.put_object(Bucket="mlops-tests", Key="data/x.csv", Body=change.new_data)
    if change.new != change.old:
        sagemaker.update_pipeline(PipelineName="p", PipelineDefinition=change.new)
    new = run(sagemaker, change.values)
    found = diff(account, old, new)
    told = {(item.topic, item.step, item.at): (item.old, item.new) for item in found.differences}
    for place in [place for place in told if place[0] == "data"]:
        told[place] = (told[place][0], str(told[place][1]).partition(" ")[0])
    # Whether a step is taken from the first run is the cache's affair.
    assert {place: sides for place, sides in told.items() if place[0] != "cache"} == change.told


def test_a_cache_hit_and_metrics_are_told(tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.ensure_bucket("mlops-tests")
    account.client("s3").put_object(Bucket="mlops-tests", Key="score", Body=b"1")
    train = {
        "Name": "Train",
        "Type": "Training",
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sh", "-c", "echo score=$(cat /opt/ml/input/data/score/score)"],
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+)"}],
            },
            "InputDataConfig": [
                {
                    "ChannelName": "score",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://mlops-tests/score"}},
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://mlops-tests/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": ROLE,
        },
    }
    sagemaker = account.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=document(train), RoleArn=ROLE)
    first, second = run(sagemaker, {}), run(sagemaker, {})
    (hit,) = diff(account, first, second).differences
    assert (hit.topic, hit.step, hit.old, hit.new) == ("cache", "Train", None, first)
    account.client("s3").put_object(Bucket="mlops-tests", Key="score", Body=b"2")
    third = run(sagemaker, {})
    told = {(item.topic, item.at): (item.old, item.new) for item in diff(account, first, third).differences}
    assert told["metric", "score"] == (1.0, 2.0)
    assert {topic for topic, _ in told} == {"metric", "data"}


def run(sagemaker: Any, values: Mapping[str, str]) -> str:
    given = [{"Name": name, "Value": value} for name, value in values.items()]
    arn = sagemaker.start_pipeline_execution(PipelineName="p", PipelineParameters=given)["PipelineExecutionArn"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        if found not in ("Executing", "Stopping"):
            return str(arn)
        time.sleep(0.02)
    raise AssertionError(f"{arn} does not end")
