"""Callback steps ask through a queue and go on by an answer; the queue is one of SQS's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from account_definitions import ROLE
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount

QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/approvals"
ASKING = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Model", "Type": "String", "DefaultValue": "m-1"}],
    "Steps": [
        {
            "Name": "Ask",
            "Type": "Callback",
            "SqsQueueUrl": QUEUE,
            "OutputParameters": [
                {"OutputName": "approved", "OutputType": "Boolean"},
                {"OutputName": "by", "OutputType": "String"},
            ],
            "Arguments": {"model": {"Get": "Parameters.Model"}, "times": 2},
        },
        {
            "Name": "Told",
            "Type": "Fail",
            "Arguments": {"ErrorMessage": {"Get": "Steps.Ask.OutputParameters['by']"}},
        },
    ],
}


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{text}")


class Asking:
    def __init__(self, local: LocalAccount) -> None:
        self.sagemaker, self.sqs = local.client("sagemaker"), local.client("sqs")
        definition = json.dumps(ASKING)
        self.sagemaker.create_pipeline(PipelineName="asking", PipelineDefinition=definition, RoleArn=ROLE)
        self.arn = self.sagemaker.start_pipeline_execution(PipelineName="asking")["PipelineExecutionArn"]
        self.until(lambda: self.steps().get("Ask", {}).get("StepStatus") == "Executing")

    def until(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def steps(self) -> dict[str, dict[str, Any]]:
        listed = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=self.arn)
        return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}

    def ended(self) -> dict[str, Any]:
        def state() -> dict[str, Any]:
            found: dict[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
            return found

        self.until(lambda: state()["PipelineExecutionStatus"] not in ("Executing", "Stopping"))
        return state()

    def messages(self) -> list[dict[str, Any]]:
        queue = self.sqs.get_queue_url(QueueName="approvals")["QueueUrl"]
        got = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in got]


@pytest.fixture
def asking(local: LocalAccount) -> Asking:
    return Asking(local)


def test_somebody_reads_the_queue_and_answers(asking: Asking) -> None:
    (message,) = asking.messages()
    token = message.pop("token")
    assert len(token) == 10 and token.isalnum()
    assert message == {
        "pipelineExecutionArn": asking.arn,
        "arguments": {"model": "m-1", "times": 2},
        "status": "Executing",
    }
    told = asking.steps()["Ask"]["Metadata"]["Callback"]
    assert told == {"CallbackToken": token, "SqsQueueUrl": QUEUE}
    given = [{"Name": "approved", "Value": "true"}, {"Name": "by", "Value": "ann"}]
    with refused("ResourceNotFound", "does not exist"):
        asking.sagemaker.send_pipeline_execution_step_success(CallbackToken="nobody0000", OutputParameters=given)
    reply = asking.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=given, ClientRequestToken="c" * 32
    )
    assert reply["PipelineExecutionArn"] == asking.arn
    again = asking.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=given, ClientRequestToken="c" * 32
    )
    assert again["PipelineExecutionArn"] == asking.arn
    with refused("ConflictException", "answered before"):
        asking.sagemaker.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="late")
    assert asking.ended()["FailureReason"].endswith("steps failed: ann")
    outputs = asking.steps()["Ask"]["Metadata"]["Callback"]["OutputParameters"]
    assert outputs == [{"Name": "approved", "Value": "true"}, {"Name": "by", "Value": "ann"}]


def test_an_answer_may_be_no(asking: Asking) -> None:
    (message,) = asking.messages()
    asking.sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"], FailureReason="too risky")
    assert asking.ended()["PipelineExecutionStatus"] == "Failed"
    assert asking.steps()["Ask"]["FailureReason"] == "too risky"


def test_an_answer_that_lacks_an_output_fails_the_step(asking: Asking) -> None:
    (message,) = asking.messages()
    asking.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[{"Name": "by", "Value": "ann"}]
    )
    asking.ended()
    assert "lacks approved" in asking.steps()["Ask"]["FailureReason"]


def test_who_is_to_answer_hears_of_a_stop(asking: Asking) -> None:
    (message,) = asking.messages()
    asking.sagemaker.stop_pipeline_execution(PipelineExecutionArn=asking.arn)
    assert asking.ended()["PipelineExecutionStatus"] == "Stopped"
    (stopping,) = asking.messages()
    assert (stopping["token"], stopping["status"]) == (message["token"], "Stopping")
    with refused("ConflictException", "does not wait"):
        asking.sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"])
