"""Clients without boto3 answer as boto3's do, and leave to those what is not plainly right."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from account_definitions import ROLE, fail
from botocore.exceptions import ClientError, ParamValidationError

from mlops.account.local import LocalAccount
from mlops.deploy.pages import items


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    account = LocalAccount(tmp_path, "us-east-1")
    account.client("sagemaker").create_pipeline(
        PipelineName="churn", PipelineDefinition=fail(), RoleArn=ROLE, ClientRequestToken=uuid.uuid4().hex
    )
    account.directly = True
    return account


def both(account: LocalAccount, service: str, method: str, **request: Any) -> tuple[Any, Any]:
    direct = getattr(account.client(service), method)(**request)
    account.directly = False
    full = getattr(account.client(service), method)(**request)
    account.directly = True
    return direct, {name: value for name, value in full.items() if name != "ResponseMetadata"}


def test_the_same_answers(account: LocalAccount) -> None:
    sagemaker = account.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName="churn", ClientRequestToken=uuid.uuid4().hex)[
        "PipelineExecutionArn"
    ]
    while account.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)[
        "PipelineExecutionStatus"
    ] in ("Executing", "Stopping"):
        account.rest(arn, 1)
    for method, request in (
        ("describe_pipeline", {"PipelineName": "churn"}),
        ("describe_pipeline_execution", {"PipelineExecutionArn": arn}),
        ("list_pipeline_execution_steps", {"PipelineExecutionArn": arn, "SortOrder": "Ascending"}),
    ):
        direct, full = both(account, "sagemaker", method, **request)
        assert direct == full, method
    identity, told = both(account, "sts", "get_caller_identity")
    assert identity["Account"] == told["Account"]
    pages = items(sagemaker, "list_pipeline_execution_steps", "PipelineExecutionSteps", PipelineExecutionArn=arn)
    assert [step["StepStatus"] for step in pages] == ["Failed"]


@pytest.mark.parametrize(
    ("method", "request_", "error"),
    [
        ("describe_pipeline", {"PipelineName": "other"}, ClientError),
        ("describe_pipeline", {"PipelineName": 7}, ParamValidationError),
        ("describe_pipeline", {}, ParamValidationError),
        ("describe_pipeline", {"PipelineName": "a b"}, ClientError),
        ("start_pipeline_execution", {"PipelineName": "other", "ClientRequestToken": "x" * 40}, ClientError),
        ("update_pipeline", {"PipelineName": "other"}, ClientError),
    ],
)
def test_what_is_not_right_is_said_by_boto3(
    account: LocalAccount, method: str, request_: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        getattr(account.client("sagemaker"), method)(**request_)


def test_an_object_that_is_missing(account: LocalAccount) -> None:
    account.ensure_bucket("mlops-tests")
    with pytest.raises(ClientError, match="404"):
        account.client("s3").head_object(Bucket="mlops-tests", Key="none")
    account.client("s3").put_object(Bucket="mlops-tests", Key="some", Body=b"1")
    assert account.client("s3").head_object(Bucket="mlops-tests", Key="some")["ContentLength"] == 1
    for directly in (True, False):
        account.directly = directly
        reply = account.client("s3").get_object(Bucket="mlops-tests", Key="some")
        assert (reply["Body"].read(), reply["ContentLength"]) == (b"1", 1)


def test_boto3_is_not_loaded(account: LocalAccount) -> None:
    account.ensure_bucket("mlops-tests")
    account.client("s3").put_object(Bucket="mlops-tests", Key="some", Body=b"1")
    program = f"""
import sys
from pathlib import Path
from mlops.account.local import LocalAccount
account = LocalAccount(Path({str(account.state.folder)!r}), "us-east-1")
account.directly = True
account.client("sts").get_caller_identity()
account.client("sagemaker").describe_pipeline(PipelineName="churn")
account.client("s3").get_object(Bucket="mlops-tests", Key="some")["Body"].read()
print([name for name in ("boto3", "botocore") if name in sys.modules])
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_runs_an_execution_loads_neither_rules_nor_streams() -> None:
    """Each execution and job starts one, and waits for it."""
    program = """
import sys
from mlops.account.local.process import runner
from mlops.check import step_types
import mlops.run.execute
tuple(step_types())
heavy = ("boto3", "botocore", "networkx", "pydantic", "importlib.metadata", "email.message")
ours = ("mlops.check.rules.", "mlops.account.local.services.firehose.", "mlops.account.local.delivery.")
print([name for name in sys.modules if name in heavy or name.startswith(ours)])
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
