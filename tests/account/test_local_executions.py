"""Executions of the embedded account: parameters, what really runs, stopping, retrying, a runner that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from account_definitions import IMAGE, PARAMETERS, ROLE, document, fail, processing
from account_parts import runner_with
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount, events
from mlops.account.local.ownership import start_ahead, take
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker.parameters import resolve
from mlops.account.local.services.sagemaker.pipelines import bound
from mlops.ir.reader import read

RUNNING = ("Executing", "Stopping")


@pytest.fixture
def sagemaker(local: LocalAccount) -> Any:
    return local.client("sagemaker")


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


def start(sagemaker: Any, definition: str, values: Mapping[str, str] | None = None, **more: Any) -> str:
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    given = [{"Name": name, "Value": value} for name, value in (values or {}).items()]
    reply = sagemaker.start_pipeline_execution(PipelineName="churn", PipelineParameters=given, **more)
    return str(reply["PipelineExecutionArn"])


def ended(sagemaker: Any, arn: str) -> dict[str, Any]:
    return until(sagemaker, arn, lambda found: found["PipelineExecutionStatus"] not in RUNNING)


def until(sagemaker: Any, arn: str, reached: Callable[[dict[str, Any]], bool], seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if reached(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"not reached: {found}")


def steps(sagemaker: Any, arn: str) -> dict[str, dict[str, Any]]:
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {item["StepName"]: item for item in listed}


def running_step(sagemaker: Any, arn: str, name: str) -> None:
    until(sagemaker, arn, lambda _: steps(sagemaker, arn).get(name, {}).get("StepStatus") == "Executing")


def test_parameters_are_filled_in_and_told(sagemaker: Any) -> None:
    arn = start(
        sagemaker, fail({"Get": "Parameters.Text"}, parameters=PARAMETERS), {"Text": "given", "Switch": "False"}
    )
    told = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {item["Name"]: item["Value"] for item in told} == {
        "Text": "given",
        "Choice": "a",
        "Count": "5",
        "Share": "0.5",
        "Switch": "false",
    }
    assert [item["Name"] for item in told] == [item["Name"] for item in PARAMETERS]
    assert ended(sagemaker, arn)["FailureReason"].endswith("given")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"Unknown": "1"}, "Unknown is not a parameter"),
        ({"Text": ""}, "Text must not be empty"),
        ({"Count": "1.5"}, "Count must be of type Integer"),
        ({"Count": "many"}, "Count must be of type Integer"),
        ({"Share": "nan"}, "Share must be of type Float"),
        ({"Switch": "yes"}, "Switch must be of type Boolean"),
        ({"Choice": "c"}, "Choice must be one of a, b"),
        ({"Count": "x", "Share": "y"}, "Count .*Share "),
    ],
)
def test_wrong_parameters_are_refused(local: LocalAccount, sagemaker: Any, values: dict[str, str], text: str) -> None:
    with refused("ValidationException", text):
        start(sagemaker, fail(parameters=PARAMETERS), values)
    assert sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"] == []
    assert list((local.state.folder / "executions").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Count", "-7", -7),
        ("Share", "1e-3", 0.001),
        ("Share", "2", 2.0),
        ("Switch", "True", True),
        ("Switch", "false", False),
        ("Choice", "b", "b"),
        ("Text", " as it is ", " as it is "),
    ],
)
def test_values_get_their_declared_type(name: str, text: str, value: object) -> None:
    definition, _ = read(fail(parameters=PARAMETERS))
    assert definition is not None
    found = resolve(definition, [{"Name": name, "Value": text}], {})[name]
    assert (found, type(found)) == (value, type(value))


def test_a_default_that_fits_nowhere_has_to_be_replaced(sagemaker: Any) -> None:
    """The service takes the definition, and would fail the step."""
    transform = {
        "Name": "Score",
        "Type": "Transform",
        "Arguments": {
            "ModelName": {"Get": "Parameters.Model"},
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://acme/in"}}},
            "TransformOutput": {"S3OutputPath": "s3://acme/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
    }
    definition = document([transform], [{"Name": "Model", "Type": "String", "DefaultValue": "${Model}"}])
    sagemaker.create_pipeline(PipelineName="scores", PipelineDefinition=definition, RoleArn=ROLE)
    with refused("ValidationException", r"Model must be given: default of 'Model': .* does not have"):
        sagemaker.start_pipeline_execution(PipelineName="scores")
    given = [{"Name": "Model", "Value": "a-model-that-is-not-there"}]
    reply = sagemaker.start_pipeline_execution(PipelineName="scores", PipelineParameters=given)
    assert ended(sagemaker, reply["PipelineExecutionArn"])["PipelineExecutionStatus"] == "Failed"


def test_a_parameter_without_default_must_be_given(sagemaker: Any) -> None:
    with refused("ValidationException", "Text has no default"):
        start(sagemaker, fail(parameters=[{"Name": "Text", "Type": "String"}]))


def test_the_same_token_starts_once(sagemaker: Any) -> None:
    token = "t" * 40
    arn = start(sagemaker, fail(), ClientRequestToken=token)
    again = sagemaker.start_pipeline_execution(PipelineName="churn", PipelineParameters=[], ClientRequestToken=token)
    assert again["PipelineExecutionArn"] == arn
    assert len(sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"]) == 1
    with refused("ValidationException", "token"):
        sagemaker.start_pipeline_execution(
            PipelineName="churn", PipelineExecutionDisplayName="another", ClientRequestToken=token
        )


def test_steps_really_run(local: LocalAccount, sagemaker: Any) -> None:
    arn = start(sagemaker, document([processing("First", "echo hello"), processing("Then", "echo on", then=["First"])]))
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert [(item["StepName"], item["StepStatus"]) for item in listed] == [
        ("Then", "Succeeded"),
        ("First", "Succeeded"),
    ]
    name = listed[1]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert (job["ProcessingJobStatus"], job["AppSpecification"]["ImageUri"]) == ("Completed", IMAGE)
    assert name in {item["ProcessingJobName"] for item in sagemaker.list_processing_jobs()["ProcessingJobSummaries"]}
    logs = local.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=name)["events"]
    assert "hello" in [event["message"] for event in events]


def test_a_log_is_followed_by_its_token(local: LocalAccount, sagemaker: Any) -> None:
    arn = start(sagemaker, document([processing("Talk", "echo one; echo two; echo three")]))
    ended(sagemaker, arn)
    logs, group = local.client("logs"), "/aws/sagemaker/ProcessingJobs"
    stream = {
        "logGroupName": group,
        "logStreamName": logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"],
    }
    first = logs.get_log_events(**stream, startFromHead=True, limit=2)
    assert [event["message"] for event in first["events"]] == ["one", "two"]
    second = logs.get_log_events(**stream, nextToken=first["nextForwardToken"])
    assert [event["message"] for event in second["events"]] == ["three"]
    end = logs.get_log_events(**stream, nextToken=second["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == second["nextForwardToken"]
    found = logs.filter_log_events(logGroupName=group, filterPattern="tw")["events"]
    assert [event["message"] for event in found] == ["two"]
    with refused("ResourceNotFoundException"):
        logs.get_log_events(logGroupName=group, logStreamName="absent")
    with refused("ResourceNotFoundException"):
        logs.filter_log_events(logGroupName="/aws/lambda/f")


def test_an_execution_is_stopped(sagemaker: Any) -> None:
    arn = start(sagemaker, document([processing("Sleep", "exec sleep 60")]))
    running_step(sagemaker, arn, "Sleep")
    with refused("ConflictException"):
        sagemaker.delete_pipeline(PipelineName="churn")
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    assert steps(sagemaker, arn)["Sleep"]["StepStatus"] == "Stopped"
    with refused("ConflictException"):
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def test_a_killed_runner_is_told_and_the_execution_goes_on_by_a_retry(local: LocalAccount, sagemaker: Any) -> None:
    definition = document([processing("Done", "true"), processing("Sleep", "exec sleep 2", then=["Done"])])
    arn = start(sagemaker, definition)
    running_step(sagemaker, arn, "Sleep")
    os.kill(runner_with(arn.rpartition("/")[2]), signal.SIGKILL)
    found = ended(sagemaker, arn)
    assert (found["PipelineExecutionStatus"], found["FailureReason"]) == ("Failed", "the process that ran it is gone")
    assert steps(sagemaker, arn)["Sleep"]["StepStatus"] == "Failed"
    told = events.read(local.state.store, ids={"execution": arn.rpartition("/")[2]})[-2:]
    assert [(item.kind, item.detail["status"]) for item in told] == [
        ("step.ended", "Failed"),
        ("execution.ended", "Failed"),
    ]
    first = steps(sagemaker, arn)["Done"]
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert steps(sagemaker, arn)["Done"] == first
    assert steps(sagemaker, arn)["Sleep"]["AttemptCount"] == 2


def test_what_cannot_be_retried(sagemaker: Any) -> None:
    arn = start(sagemaker, fail())
    ended(sagemaker, arn)
    with refused("ConflictException", "Fail step"):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)


def test_a_second_runner_of_an_execution_ends_at_once(local: LocalAccount, sagemaker: Any) -> None:
    arn = start(sagemaker, document([processing("Sleep", "exec sleep 60")]))
    running_step(sagemaker, arn, "Sleep")
    second = subprocess.run(
        [
            sys.executable,
            "-m",
            "mlops.account.local.process.runner",
            local.state.folder,
            "execution",
            arn.rpartition("/")[2],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, "is run by another process" in second.stderr) == (75, True)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    ended(sagemaker, arn)


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    held = take(tmp_path)
    assert held is not None
    assert take(tmp_path) is None
    os.close(held)
    assert take(tmp_path) is not None


def test_executions_are_listed_newest_first_and_by_page(sagemaker: Any) -> None:
    arns = [start(sagemaker, fail())]
    for _ in range(3):
        arns.append(sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"])
    paginator = sagemaker.get_paginator("list_pipeline_executions")
    pages = paginator.paginate(PipelineName="churn", PaginationConfig={"PageSize": 3})
    assert [item["PipelineExecutionArn"] for page in pages for item in page["PipelineExecutionSummaries"]] == arns[::-1]
    with refused("ValidationException", "NextToken"):
        sagemaker.list_pipeline_executions(PipelineName="churn", NextToken="nonsense")
    for arn in arns:
        ended(sagemaker, arn)


def test_selected_steps_run_on_an_earlier_execution(sagemaker: Any) -> None:
    first = start(
        sagemaker,
        document(
            [
                processing("A", "true"),
                processing("B", "true", then=["A"]),
                processing("C", "true", then=["B"]),
            ]
        ),
    )
    ended(sagemaker, first)

    def select(*names: str, source: str | None = first) -> str:
        config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
        if source is not None:
            config["SourcePipelineExecutionArn"] = source
        reply = sagemaker.start_pipeline_execution(PipelineName="churn", SelectiveExecutionConfig=config)
        return str(reply["PipelineExecutionArn"])

    arn = select("B")
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    assert list(steps(sagemaker, arn)) == ["B"]
    with refused("ValidationException", "SourcePipelineExecutionArn: null"):
        select("B", source=None)
    with refused("ValidationException", "must be connected"):
        select("A", "C")
    with refused("ValidationException", "not in the pipeline"):
        select("X")


def test_the_definition_of_an_execution_outlives_an_update(sagemaker: Any) -> None:
    arn = start(sagemaker, fail("first"))
    version = sagemaker.update_pipeline(PipelineName="churn", PipelineDefinition=fail("second"))["PipelineVersionId"]
    assert version == 2
    told = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert json.loads(told["PipelineDefinition"]) == json.loads(fail("first"))
    old = sagemaker.start_pipeline_execution(PipelineName="churn", PipelineVersionId=1)["PipelineExecutionArn"]
    assert ended(sagemaker, old)["FailureReason"].endswith("first")
    listed = sagemaker.list_pipeline_versions(PipelineName="churn")["PipelineVersionSummaries"]
    assert [item["PipelineVersionId"] for item in listed] == [2, 1]
    ended(sagemaker, arn)


def test_a_registering_step_makes_its_group(local: LocalAccount, sagemaker: Any) -> None:
    local.client("s3").put_object(Bucket="mlops-tests", Key="model.tar.gz", Body=b"")
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "made-by-the-step",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-tests/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "ModelApprovalStatus": {"Get": "Parameters.Approval"},
        },
    }
    parameters = [{"Name": "Approval", "Type": "String", "DefaultValue": "Approved"}]
    arn = start(sagemaker, document([register], parameters))
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Succeeded"
    package = steps(sagemaker, arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    found = sagemaker.describe_model_package(ModelPackageName=package)
    assert (found["ModelPackageVersion"], found["ModelApprovalStatus"]) == (1, "Approved")
    assert found["MetadataProperties"]["GeneratedBy"] == arn
    wrong = sagemaker.start_pipeline_execution(
        PipelineName="churn", PipelineParameters=[{"Name": "Approval", "Value": "Perhaps"}]
    )["PipelineExecutionArn"]
    assert ended(sagemaker, wrong)["PipelineExecutionStatus"] == "Failed"
    assert "Perhaps" in steps(sagemaker, wrong)["Register"]["FailureReason"]


@pytest.mark.parametrize(
    "arn", ["nonsense", "arn:aws:sagemaker:us-east-1:000000000000:pipeline/x/execution/abcdefghijkl"]
)
def test_an_unknown_execution(sagemaker: Any, arn: str) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFound|ValidationException"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_a_definition_that_was_changed_in_the_store_is_checked_again(local: LocalAccount, sagemaker: Any) -> None:
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=fail(), RoleArn=ROLE)
    version = "SELECT * FROM pipeline_version"
    assert bound(local.state.store.one(version)).order
    local.state.store.write("UPDATE pipeline_version SET definition = ?", '{"Version": "2020-12-01", "Steps": 7}')
    with pytest.raises(Refusal, match="not valid"):
        bound(local.state.store.one(version))


def test_a_runner_that_was_started_ahead(local: LocalAccount, sagemaker: Any) -> None:
    start_ahead()
    found = ended(sagemaker, start(sagemaker, fail("as ever")))
    assert found["FailureReason"].endswith("steps failed: as ever")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
def test_a_runner_that_was_started_ahead_for_somebody_else_is_not_taken(
    local: LocalAccount, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started it was refused, say, and nobody came for it."""
    start_ahead()
    monkeypatch.setenv("MLOPS_LOCAL_USER", "ada")
    arn = start(sagemaker, document([processing("One", "sleep 1")]))
    runner = runner_with(arn.rpartition("/")[2])
    assert b"MLOPS_LOCAL_USER=ada" in Path(f"/proc/{runner}/environ").read_bytes().split(b"\0")
    ended(sagemaker, arn)


def test_what_executions_and_steps_do_is_told_in_the_table_of_events(local: LocalAccount, sagemaker: Any) -> None:
    definition = document([processing("One", "true"), processing("Two", "echo password=correcthorse; exit 3")])
    arn = start(sagemaker, definition)
    ended(sagemaker, arn)
    execution = arn.rpartition("/")[2]
    found = events.read(local.state.store, ids={"execution": execution})
    assert [item.kind for item in found][:: len(found) - 1] == ["execution.started", "execution.ended"]
    for name, status in (("One", "Succeeded"), ("Two", "Failed")):
        told = [item for item in found if item.ids.get("step") == name]
        assert [item.detail["status"] for item in told] == ["Starting", "Executing", status]
        assert [item.kind for item in told] == ["step.starting", "step.executing", "step.ended"]
        assert told[-1].ids["job"] and told[-1].detail["kind"] == "ProcessingJob" and told[-1].detail["attempt"] == 1
        assert told[-1].detail["seconds"] >= 0  # type: ignore[operator]
    assert "correcthorse" not in repr(found)
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="t" * 32)
    ended(sagemaker, arn)
    more = events.read(local.state.store, found[-1].sequence or 0, ids={"execution": execution})
    assert [item.kind for item in more][:: len(more) - 1] == ["execution.retried", "execution.ended"]
    assert {item.ids.get("step") for item in more} == {None, "Two"}
