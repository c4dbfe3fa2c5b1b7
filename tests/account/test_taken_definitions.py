"""What the service takes at first is taken, and what it refuses is refused in its words: as tests of the SDK tell."""

from __future__ import annotations

import time
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE, document, processing
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount


def create(local: LocalAccount, *steps: dict[str, Any]) -> str:
    told = local.client("sagemaker").create_pipeline(
        PipelineName="p", PipelineDefinition=document(list(steps)), RoleArn=ROLE
    )
    return str(told["PipelineArn"])


def condition(then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    holds = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    return {
        "Name": "If",
        "Type": "Condition",
        "Arguments": {"Conditions": [holds], "IfSteps": then, "ElseSteps": otherwise},
    }


def model(value: Any) -> dict[str, Any]:
    container = {"Image": IMAGE, "Environment": {"MADE_BY": value}}
    return {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}}


def test_a_step_that_reads_the_other_branch_is_taken(local: LocalAccount) -> None:
    reads = model({"Get": "Steps.Work.ProcessingJobName"})
    assert create(local, condition([processing("Work", "true")], [reads])).endswith("/p")


def test_a_path_where_a_uri_belongs_is_taken_and_its_step_fails(local: LocalAccount) -> None:
    work = processing("Work", "true")
    source = {"S3Uri": "/home/me/data", "LocalPath": "/opt/ml/processing/input/a", "S3DataType": "S3Prefix"}
    work["Arguments"]["ProcessingInputs"] = [{"InputName": "a", "S3Input": source}]
    create(local, work)
    sagemaker = local.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    (step,) = ended(sagemaker, arn)
    assert step["StepStatus"] == "Failed" and "/home/me/data" in step["FailureReason"]


def test_one_place_for_two_inputs_is_taken(local: LocalAccount) -> None:
    work = processing("Work", "true")
    source = {"S3Uri": "s3://bucket/data", "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix"}
    work["Arguments"]["ProcessingInputs"] = [{"InputName": name, "S3Input": source} for name in ("a", "b")]
    assert create(local, work).endswith("/p")


def test_variables_in_a_version_of_no_group_are_taken(local: LocalAccount) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/m.tar.gz", "Environment": {"A": "1"}}
    inference = {"Containers": [container], "SupportedContentTypes": ["a/b"], "SupportedResponseMIMETypes": ["a/b"]}
    inference |= {"SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"]}
    inference |= {"SupportedTransformInstanceTypes": ["ml.m5.large"]}
    register = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"InferenceSpecification": inference}}
    assert create(local, register).endswith("/p")


def test_other_mistakes_are_refused(local: LocalAccount) -> None:
    work = processing("Work", "true")
    work["Arguments"]["RoleArn"] = "r" * 30
    with pytest.raises(ClientError, match=r"RoleArn.*\(S205\)"):
        create(local, work)


def test_who_waits_for_a_fail_step_hears_the_services_words(local: LocalAccount) -> None:
    stop = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    with pytest.raises(ClientError, match="Work can not depends on Stop"):
        create(local, processing("Work", "true", then=["Stop"]), stop)


def ended(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        time.sleep(0.05)
    found: list[dict[str, Any]] = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    return found
