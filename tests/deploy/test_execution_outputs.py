"""What each kind of step gave, as a program reads it of an execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.account.local.services.sagemaker.jobs import record
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.executions.outputs import outputs
from mlops.ir.execution_events import PROCESS_GONE
from mlops.use_cases.executions import way_on

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
MODEL = "s3://acme/best/output/model.tar.gz"
CHECKED = {
    "CheckType": "DATA_QUALITY",
    "CheckJobArn": f"{ARN}:processing-job/none",
    "ViolationReport": "s3://acme/v.json",
}


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    found = LocalAccount(tmp_path / ".mlops", "us-east-1")
    record(found.state, "TrainingJob", "best", described("TrainingJob", ModelArtifacts={"S3ModelArtifacts": MODEL}))
    best = {"TrainingJobName": "best"}
    record(found.state, "HyperParameterTuningJob", "tuned", described("HyperParameterTuningJob", BestTrainingJob=best))
    record(found.state, "HyperParameterTuningJob", "none", described("HyperParameterTuningJob"))
    return found


def described(kind: str, **members: Any) -> dict[str, Any]:
    return {f"{kind}Status": "Completed", **members}


@pytest.mark.parametrize(
    ("kind", "metadata", "given"),
    [
        ("TrainingJob", {"Arn": f"{ARN}:training-job/best"}, {"model": MODEL}),
        (
            "TuningJob",
            {"Arn": f"{ARN}:hyper-parameter-tuning-job/tuned"},
            {"BestTrainingJob": "best", "model": MODEL},
        ),
        ("TuningJob", {"Arn": f"{ARN}:hyper-parameter-tuning-job/none"}, {}),
        ("Model", {"Arn": f"{ARN}:model/m"}, {"Arn": f"{ARN}:model/m"}),
        ("RegisterModel", {"Arn": f"{ARN}:model-package/g/1"}, {"Arn": f"{ARN}:model-package/g/1"}),
        ("Endpoint", {"Arn": f"{ARN}:endpoint/e"}, {"Arn": f"{ARN}:endpoint/e"}),
        ("Condition", {"Outcome": "True"}, {"Outcome": "True"}),
        ("QualityCheck", CHECKED, {"ViolationReport": "s3://acme/v.json"}),
        ("Lambda", {"Arn": "a", "OutputParameters": [{"Name": "n", "Value": "7"}]}, {"n": "7"}),
        ("Callback", {"SqsQueueUrl": "q", "OutputParameters": [{"Name": "n", "Value": "7"}]}, {"n": "7"}),
        ("Lineage", {"ActionArns": {"a": "arn"}, "Associations": []}, {"ActionArns": {"a": "arn"}}),
        ("Cleanup", {"CleanedSteps": 1}, {}),
        ("ForEach", {"Status": "Succeeded", "InputItemCount": 2}, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_step_gave(account: LocalAccount, kind: str, metadata: dict[str, Any], given: dict[str, Any]) -> None:
    step = StepState("S", "Succeeded", kind, metadata={kind: metadata})
    assert outputs(account, state(step)) == ({"S": given} if given else {})
    failed = StepState("S", "Failed", kind, metadata={kind: {**metadata, "OutputParameters": []}})
    assert outputs(account, state(failed)) == {}


def state(*steps: StepState, status: str = "Succeeded", failure: str | None = None) -> ExecutionState:
    return ExecutionState(f"{ARN}:pipeline/p/execution/e", "p", status, failure, steps)


@pytest.mark.parametrize(
    ("status", "failure", "told"),
    [
        ("Failed", PROCESS_GONE, True),
        ("Stopped", None, True),
        ("Failed", "Step failure: One or multiple steps failed", False),
        ("Succeeded", None, False),
        ("Executing", None, False),
    ],
)
def test_what_can_be_gone_on_with_is_told(status: str, failure: str | None, told: bool) -> None:
    way = way_on(state(status=status, failure=failure), " --env dev")
    assert way == ("`mlops executions retry e --env dev` goes on behind what had ended" if told else None)
