"""What happens in the account, as its bus tells it: in the service's form, once, to rules that were there before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from account_definitions import IMAGE

from mlops.account.local import clock, events
from mlops.account.local.answering import answer
from mlops.account.local.process.clock.tickers.service_events import TICKER
from mlops.account.local.process.clock.ticking import Clock
from mlops.account.local.services.events import bus
from mlops.account.local.services.sagemaker import jobs
from mlops.account.local.state import State
from mlops.account.local.step_records import keep
from mlops.ir.events import Event
from mlops.ir.execution_events import execution_event, job_event, step_event
from mlops.knowledge.eventbridge.known_events import DETAILS, VALUES
from mlops.run.ports import StepRecord

QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
EXECUTION = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/churn/execution/abc"
ENDPOINT = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/churn"
AT = datetime(2100, 1, 5, 10, 20, 30, 123456, UTC)
"""Behind the rules."""
ALL = {"source": ["aws.sagemaker"]}


@pytest.fixture
def state(tmp_path: Path) -> State:
    found = State(tmp_path / ".mlops", "us-east-1")
    answer(found, "sqs", "CreateQueue", {"QueueName": "q"})
    return found


def rule(state: State, pattern: Mapping[str, Any] = ALL, name: str = "r") -> None:
    answer(state, "events", "PutRule", {"Name": name, "EventPattern": json.dumps(pattern)})
    answer(state, "events", "PutTargets", {"Rule": name, "Targets": [{"Id": "1", "Arn": QUEUE}]})


def heard(state: State) -> list[dict[str, Any]]:
    Clock(state).turn()
    found = answer(state, "sqs", "ReceiveMessage", {"QueueUrl": "q", "MaxNumberOfMessages": 10}).get("Messages") or ()
    return [json.loads(message["Body"]) for message in found]


def step(state: State, kind: str, status: str, **more: Any) -> None:
    """Of a job of that kind, which is told beside the step."""
    member, segment = {"HyperParameterTuningJob": ("TuningJob", "hyper-parameter-tuning-job")}.get(
        kind, (kind, f"{kind.removesuffix('Job').lower()}-job")
    )
    arn = state.arn(f"{segment}/j")
    told = {"Succeeded": "Completed", "Executing": "InProgress"}.get(status, status)
    body = {f"{kind}Name": "j", f"{kind}Arn": arn, f"{kind}Status": told, "CreationTime": AT.isoformat()}
    jobs.record(state, kind, "j", {**body, "Environment": {"API_KEY": "0123456789abcdef"}, **more})
    metadata = {member: {"Arn": arn}}
    keep(state, "abc", StepRecord("Work", kind.removesuffix("Job"), status, 1, AT, metadata=metadata))
    events.append(state.store, step_event(EXECUTION, "Work", status, AT, metadata=metadata, **more))


def execution(state: State, status: str) -> None:
    events.append(state.store, execution_event(EXECUTION, status, datetime.now(UTC)))


def job(state: State, status: str) -> None:
    arn = state.arn("training-job/j")
    events.append(state.store, job_event(arn, "TrainingJob", status, datetime.now(UTC)))


def endpoint(state: State, happened: str) -> None:
    events.tell(state, f"endpoint.{happened}", ENDPOINT, {"endpoint": "churn"})


def version(state: State) -> str:
    """Registered and decided."""
    answer(state, "sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "churn"})
    container = {"Image": IMAGE, "ModelDataUrl": "s3://acme-ml/model.tar.gz"}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    request = {"ModelPackageGroupName": "churn", "InferenceSpecification": specification, "ClientToken": "t" * 32}
    return str(answer(state, "sagemaker", "CreateModelPackage", request)["ModelPackageArn"])


def decide(state: State, arn: str, status: str, **more: Any) -> None:
    request = {"ModelPackageArn": arn, "ModelApprovalStatus": status, "ClientToken": status, **more}
    answer(state, "sagemaker", "UpdateModelPackage", request)


def statuses(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The kind of an event, without what all have, and the members that say a status."""
    kind = str(told["detail-type"]).removeprefix("SageMaker ").removesuffix(" Change")
    return kind, *(told["detail"].get(name) for of, name in VALUES if of == told["detail-type"])


PACKAGE = "Model Package State"
PIPELINE = "Model Building Pipeline Execution"
ROWS: Mapping[str, tuple[Any, list[tuple[str | None, ...]]]] = {
    "an execution from its start to its end": (
        lambda state: [execution(state, status) for status in ("Executing", "Stopping", "Stopped")],
        [
            (f"{PIPELINE} Status", "Executing", None),
            (f"{PIPELINE} Status", "Stopping", "Executing"),
            (f"{PIPELINE} Status", "Stopped", "Stopping"),
        ],
    ),
    "a training step": (
        lambda state: step(state, "TrainingJob", "Executing"),
        [(f"{PIPELINE} Step Status", "Executing", None), ("Training Job State", "InProgress")],
    ),
    "a processing step that fails": (
        lambda state: step(state, "ProcessingJob", "Failed", failure="no such column"),
        [(f"{PIPELINE} Step Status", "Failed", None), ("Processing Job State", "Failed")],
    ),
    "a transform step": (
        lambda state: step(state, "TransformJob", "Succeeded"),
        [(f"{PIPELINE} Step Status", "Succeeded", None), ("Transform Job State", "Completed")],
    ),
    "a tuning step": (
        lambda state: step(state, "HyperParameterTuningJob", "Stopped"),
        [(f"{PIPELINE} Step Status", "Stopped", None), ("HyperParameter Tuning Job State", "Stopped")],
    ),
    "a job on its own": (
        lambda state: [job(state, status) for status in ("InProgress", "Stopping", "Stopped")],
        [("Training Job State", status) for status in ("InProgress", "Stopping", "Stopped")],
    ),
    "a step that is served from the cache has no job": (
        lambda state: step(state, "TrainingJob", "Succeeded", cached=EXECUTION),
        [(f"{PIPELINE} Step Status", "Succeeded", None)],
    ),
    "a version and what is decided of it": (
        lambda state: decide(state, version(state), "Approved"),
        [(PACKAGE, "PendingManualApproval", "Completed"), (PACKAGE, "Approved", "Completed")],
    ),
    "an endpoint that is made": (
        lambda state: [endpoint(state, happened) for happened in ("creating", "in-service")],
        [("Endpoint State", "CREATING"), ("Endpoint State", "IN_SERVICE")],
    ),
    "a deployment that is rolled back": (
        lambda state: [endpoint(state, happened) for happened in ("shifting", "rolling-back", "rolling-back")],
        [
            ("Endpoint Deployment State", "UPDATING"),
            ("Endpoint State", "ROLLING_BACK"),
            ("Endpoint Deployment State", "ROLLING_BACK"),
            ("Endpoint Deployment State", "ROLLING_BACK"),
        ],
    ),
    "what the service tells nobody": (
        lambda state: events.tell(state, "pipeline.created", EXECUTION, {"pipeline": "churn"}),
        [],
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_what_happened_is_told_as_the_service_does(state: State, case: str) -> None:
    happen, wanted = ROWS[case]
    rule(state)
    happen(state)
    told = heard(state)
    assert [statuses(item) for item in told] == wanted
    for item in told:
        assert item["detail"].keys() <= DETAILS[item["detail-type"]]
        assert all(arn.startswith("arn:aws:sagemaker:us-east-1:000000000000:") for arn in item["resources"])
        assert "0123456789abcdef" not in json.dumps(item)


def test_members_are_spelt_as_the_guide_has_them(state: State) -> None:
    rule(state)
    step(state, "ProcessingJob", "Failed", failure="no such column")
    of_step, of_job = heard(state)
    assert of_step["detail"] == {
        "metadata": {"processingJob": {"arn": state.arn("processing-job/j")}},
        "stepStartTime": "2100-01-05T10:20:30Z",
        "stepEndTime": "2100-01-05T10:20:30Z",
        "stepName": "Work",
        "stepType": "Processing",
        "currentStepStatus": "Failed",
        "failureReason": "no such column",
        "pipelineArn": EXECUTION.partition("/execution")[0],
        "pipelineExecutionArn": EXECUTION,
    }
    assert of_job["detail"]["CreationTime"] == 4102827630123
    assert (of_job["time"], of_job["source"]) == ("2100-01-05T10:20:30Z", "aws.sagemaker")


def test_an_approval_says_what_was_changed(state: State) -> None:
    """Other updates are told with the status that stands, and rules may ask for this one."""
    rule(state, {"detail": {"UpdatedModelPackageFields": ["ModelApprovalStatus"]}})
    arn = version(state)
    decide(state, arn, "Approved", ApprovalDescription="good")
    (told,) = heard(state)
    assert (told["resources"], told["detail"]["ModelPackageVersion"]) == ([arn], 1)
    assert told["detail"]["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ApprovalDescription"]


def test_a_status_that_was_told_stays_though_more_has_happened_since(state: State) -> None:
    rule(state)
    arn = version(state)
    for status in ("Approved", "Rejected"):
        decide(state, arn, status)
    assert [item["detail"]["ModelApprovalStatus"] for item in heard(state)] == [
        "PendingManualApproval",
        "Approved",
        "Rejected",
    ]


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@pytest.mark.parametrize("at", ["mark_read", "post"])
def test_each_is_put_once_though_the_clock_dies(state: State, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(state)
    execution(state, "Executing")

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(clock, at, killed)
        with pytest.raises(Killed):
            TICKER.tick(state, datetime.now(UTC))
    assert len(heard(state)) == 1
    assert heard(state) == []


def test_a_rule_hears_nothing_of_before(state: State) -> None:
    execution(state, "Executing")
    rule(state)
    execution(state, "Stopping")
    rule(state, name="later")
    assert [item["detail"]["currentPipelineExecutionStatus"] for item in heard(state)] == ["Stopping"]


@pytest.mark.parametrize(
    ("pattern", "waits"),
    [
        (ALL, True),
        ({"detail": {"a": ["b"]}}, True),
        ({"source": [{"prefix": "aws."}], "detail-type": ["SageMaker Endpoint State Change"]}, True),
        ({"source": ["shop"]}, False),
        ({"source": ["aws.sagemaker"], "detail-type": ["AWS API Call via CloudTrail"]}, False),
        ({"detail-type": ["CloudWatch Alarm State Change"]}, False),
    ],
)
def test_the_clock_waits_for_rules_alone_that_may_hear_of_it(
    state: State, pattern: Mapping[str, Any], waits: bool
) -> None:
    assert not TICKER.wanted(state)
    rule(state, pattern)
    assert TICKER.wanted(state) is waits
    answer(state, "events", "DisableRule", {"Name": "r"})
    assert not TICKER.wanted(state)


def test_one_that_cannot_be_told_keeps_no_other_waiting(state: State) -> None:
    rule(state)
    events.append(state.store, Event("execution.ended", datetime.now(UTC), "broken", {"execution": "abc"}, {}))
    execution(state, "Executing")
    assert len(heard(state)) == 1


def test_many_are_put_in_parts(state: State) -> None:
    rule(state, {"detail": {"currentPipelineExecutionStatus": ["Stopped"]}, "source": ["aws.sagemaker"]})
    told = [execution_event(EXECUTION, "Executing", datetime.now(UTC)) for _ in range(250)]
    events.append(state.store, *told, execution_event(EXECUTION, "Stopped", datetime.now(UTC)))
    assert len(heard(state)) == 1
    assert clock.read_up_to(state, bus.SERVICE_EVENTS) is not None
