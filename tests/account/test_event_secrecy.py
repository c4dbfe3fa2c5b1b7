"""A planted secret is in no event, whatever its kind, and whoever tells of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from account_definitions import ROLE, fail

import mlops
from mlops.account.local import LocalAccount, events
from mlops.account.local.answering import answer
from mlops.account.local.process.ports import LocalJournal
from mlops.ir.events import Event
from mlops.ir.feedback import Loop
from mlops.run.ports import StepRecord

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ456789"
SECRETS = {
    "a text that is one": TOKEN,
    "in a sentence": f"it was refused with {TOKEN}, and ended",
    "by its name": "DB_PASSWORD=hunter2-hunter2 was refused",
    "in an address": "https://ann:hunter2-hunter2@host/ does not answer",
}
WORDS = (TOKEN, "hunter2-hunter2")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KINDS = (
    *("pipeline.created", "pipeline.updated", "pipeline.deleted"),
    *("execution.started", "execution.retried", "execution.stopping", "execution.ended"),
    *("step.starting", "step.executing", "step.stopping", "step.ended", "training.rule-found"),
    *("model-package.registered", "model-package.approved", "model-package.rejected"),
    *("promotion.refused", "promotion.overridden"),
    *("promotion.started", "promotion.acted", "promotion.ended", "promotion.failed"),
    *("shift.started", "shift.stage", "shift.verdict", "shift.taken-back", "shift.ended"),
    *(
        "endpoint.failed",
        "endpoint.update-failed",
        "endpoint.in-service",
        "inference-experiment.cancelled",
        "inference-component.failed",
    ),
    *("monitor.violated", "monitor.ended", "monitor.failed", "alarm.configured", "alarm.changed"),
    *("feedback.goes-on", "feedback.failed", "feedback.not-started"),
    *("schedule.passed-over", "delivery.made", "delivery.failed", "topic.notified", "stream.lost"),
)


@pytest.fixture
def account(tmp_path: Path) -> LocalAccount:
    return LocalAccount(tmp_path / ".mlops", "us-east-1")


def kept(account: LocalAccount) -> str:
    return json.dumps([tuple(row) for row in account.state.store.all("SELECT * FROM event")])


@pytest.mark.parametrize("kind", KINDS)
def test_of_any_kind(kind: str, account: LocalAccount) -> None:
    """Whatever its member is called, at any depth."""
    details: list[Mapping[str, Any]] = [{name: text} for text in SECRETS.values() for name in ("failure", "said")]
    details += [{"password": "hunter2-hunter2"}, {"a": [{"b": TOKEN}]}, {"api_key": TOKEN, "count": 3}]
    for detail in details:
        events.tell(account.state, kind, "churn", {"pipeline": "churn"}, detail)
        account.events.append(Event(kind, NOW, "churn", {}, detail))
    assert not any(word in kept(account) for word in WORDS)
    assert events.read(account.state.store)[-1].detail["count"] == 3


def test_those_are_all_the_kinds_that_anybody_tells_of() -> None:
    """By the words before the full stop in what is told or written anywhere."""
    known = {kind.partition(".")[0] for kind in KINDS}
    told = re.compile(r"""(?:events\.tell\(\s*[\w.]+,\s*|Event\(\s*)f?"([a-z-]+)\.""")
    found = {name for path in Path(mlops.__file__).parent.rglob("*.py") for name in told.findall(path.read_text())}
    assert found and found <= known
    assert not [
        path
        for path in Path(mlops.__file__).parent.rglob("*.py")
        if "INSERT INTO event " in path.read_text() and path.name != "events.py"
    ]


def alarm(account: LocalAccount, text: str) -> None:
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="a", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", AlarmDescription=text,
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason=text)


def pipeline(account: LocalAccount, text: str) -> None:
    request = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": "t" * 32, "PipelineDefinition": fail(text)}
    answer(account.state, "sagemaker", "CreatePipeline", {**request, "PipelineDescription": text})
    answer(account.state, "sagemaker", "UpdatePipeline", {"PipelineName": "p", "PipelineDescription": text})


def run(account: LocalAccount, text: str) -> None:
    pipeline(account, "p")
    account.state.store.write(
        "INSERT INTO execution VALUES ('e', 'p', 1, 'Executing', 0, ?, ?, NULL, '{}')", NOW.isoformat(), NOW.isoformat()
    )
    journal = LocalJournal(account.state, "e")
    journal.steps([StepRecord("s", "Fail", "Failed", started=NOW, failure=text)])
    journal.execution("Failed", text)


def version(account: LocalAccount, text: str) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="g", ModelPackageGroupDescription=text)
    made = sagemaker.create_model_package(
        ModelPackageGroupName="g",
        ModelPackageDescription=text,
        CustomerMetadataProperties={"note": text[:60]},
        InferenceSpecification={
            "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/k", "Environment": {"API_KEY": text[:60]}}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    sagemaker.update_model_package(
        ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Rejected", ApprovalDescription=text
    )


def feedback(account: LocalAccount, text: str) -> None:
    loop = Loop("f", 1, "notify", NOW, NOW, {"why": text, "stages": ["notify"]})
    account.loops.begin(loop, {})
    account.loops.change(loop, "failed", {"verdict": text}, {})


def delivery(account: LocalAccount, text: str) -> None:
    scheduled = {"Arn": "arn:aws:sns:us-east-1:000000000000:t", "RoleArn": ROLE, "Input": text}
    account.client("scheduler").create_schedule(
        Name="s", ScheduleExpression="rate(5 minutes)", FlexibleTimeWindow={"Mode": "OFF"}, Target=scheduled
    )
    account.client("events").put_events(
        Entries=[{"Source": "s", "DetailType": text, "Detail": json.dumps({"x": text})}]
    )


REAL: Mapping[str, Callable[[LocalAccount, str], None]] = {
    "an alarm": alarm,
    "a pipeline": pipeline,
    "a run": run,
    "a version": version,
    "feedback": feedback,
    "a schedule": delivery,
}


@pytest.mark.parametrize("case", REAL)
def test_of_what_others_wrote(case: str, account: LocalAccount) -> None:
    REAL[case](account, SECRETS["in a sentence"])
    assert case == "a schedule" or events.last(account.state.store)
    assert not any(word in kept(account) for word in WORDS)
