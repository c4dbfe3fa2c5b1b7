"""An alarm begins a loop, which a killed process does not begin twice, and which says at each end why it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_line import Told, in_this_process

from mlops.account.local import LocalAccount
from mlops.account.local.feedback import KeptLoops
from mlops.ir.feedback import Loop

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
PIPELINE = f"""\
from mlops import Pipeline, RegisterModel
with Pipeline("churn") as pipeline:
    since = pipeline.string("Since", default="")
    RegisterModel("Register", group="churn", model="s3://mlops-local/m.tar.gz", image="{IMAGE}")
"""
TOML = """\
[env.local.notify]
file = "told.jsonl"

[env.local.feedback.drift]
alarm = "drift"
pipeline = "churn"
parameters = { Since = "{since}" }
group = "churn"
endpoint = "churn"
rollback = true
approval = ["promote"]
"""
ALARM: dict[str, Any] = {
    "AlarmName": "drift",
    "Namespace": "Mine",
    "MetricName": "Drift",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0.2,
    "ComparisonOperator": "GreaterThanThreshold",
}
Mlops = Callable[..., Told]


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "mlops.toml").write_text(TOML)
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


class Killed(BaseException):
    """As SIGKILL does it: nobody catches it."""


def states(mlops: Mlops) -> list[str]:
    return [
        json.loads(line)["state"] for line in mlops("feedback", "run", "--once", "--format", "json").out.splitlines()
    ]


def test_a_loop(mlops: Mlops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlops("upsert", "pipeline.py")
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    cloudwatch, sagemaker = account.client("cloudwatch"), account.client("sagemaker")
    assert "there is no alarm drift in local yet" in mlops("feedback", "run", "--once").err
    cloudwatch.put_metric_alarm(**ALARM)
    assert states(mlops) == []
    assert mlops("feedback", "list").out.splitlines()[1].split()[-2:] == ["-", "-"]
    assert "drift has had nothing to do yet" in mlops("feedback", "show", "drift").err
    assert "waits for nobody" in mlops("feedback", "approve", "drift", code=1).err
    assert "no feedback 'drfit'; it has drift" in mlops("feedback", "show", "drfit", code=2).err

    cloudwatch.set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="0.4 > 0.2")
    whole = KeptLoops.change

    def change(self: KeptLoops, loop: Loop, state: str, told: Mapping[str, Any], ids: Mapping[str, str]) -> Loop | None:
        if state == "train":  # it was started, and nobody has written it down
            raise Killed
        return whole(self, loop, state, told, ids)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(KeptLoops, "change", change)
        mlops("feedback", "run", "--once")
    assert [loop.state for loop in account.loops.read("drift")] == ["watched", "start"]
    told = states(mlops)
    assert told[0] == "train"
    (execution,) = sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"]
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution["PipelineExecutionArn"])
    assert described["PipelineExecutionDescription"] == "feedback drift: the alarm drift is in state ALARM: 0.4 > 0.2"
    mlops("executions", "show", "last", "--watch")
    assert (told + states(mlops))[1:] == ["ask-promote"]

    # Another alarm while it is at it is no other loop.
    for state in ("OK", "ALARM"):
        cloudwatch.set_alarm_state(AlarmName="drift", StateValue=state, StateReason="again")
    assert states(mlops) == ["skipped"]
    assert states(mlops) == []
    said = mlops("feedback", "approve", "drift", "--reason", "it is Monday").out
    assert ": promote, the alarm drift" in said and "version 1 of churn" in said
    assert states(mlops) == [], "the version waits for its approval, as any other"
    mlops("models", "reject", "churn", "1", "--reason", "no")
    assert states(mlops) == ["refused"]

    (loop, skipped) = json.loads(mlops("feedback", "show", "drift", "--format", "json").out)
    assert (loop["state"], loop["version"], loop["verdict"]) == ("refused", 1, "version 1 of churn was rejected")
    assert loop["rollback"] == "no shift of traffic is under way at churn"
    assert [item["asked"] for item in loop["answers"]] == ["ask-promote"]
    assert skipped["why"] == f"it still acts on event {loop['cause']} (ask-promote)"
    notices = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [item["cause"] for item in notices if item["kind"] == "feedback"] == [loop["cause"]]
    kinds = [event.kind for event in account.events.read(ids={"cause": str(loop["cause"])})]
    assert kinds == [*["feedback.goes-on"] * 6, "feedback.refused"]
    made = mlops("models", "lineage", "churn", "1").out
    assert "because" in made and "the alarm drift is in state ALARM: 0.4 > 0.2" in made


def test_an_alarm_of_others_is_one(mlops: Mlops, tmp_path: Path) -> None:
    cloudwatch = LocalAccount(tmp_path / ".mlops", "us-east-1").client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "one"})
    cloudwatch.put_composite_alarm(AlarmName="drift", AlarmRule="ALARM(one)")
    assert "there is no alarm" not in mlops("feedback", "run", "--once").err


def test_two_do_not_act_at_once(mlops: Mlops, tmp_path: Path) -> None:
    with LocalAccount(tmp_path / ".mlops", "us-east-1").loops.alone("local") as alone:
        assert alone
        assert "another process runs feedback here" in mlops("feedback", "run", "--once", code=1).err


def test_the_clock_is_told_to_run_it(mlops: Mlops, tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    assert mlops("feedback", "on").out == "feedback in local is on\n"
    assert json.loads(mlops("feedback", "on", "--format", "json").out)["changed"] is False
    assert [loop.state for loop in account.loops.read()] == ["watched"], "what comes from now on counts"
    assert mlops("feedback", "off").out == "feedback in local is off\n"
    assert not account.loops.is_on("local")


@pytest.mark.proof("loop")
@pytest.mark.parametrize("written", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("number", range(4))
def test_killed_at_each_write(
    number: int, written: bool, mlops: Mlops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes next finishes it: one loop, one execution, and its notice at least once."""
    toml = "".join(line for line in TOML.splitlines(True) if not line.startswith(("group", "approval")))
    (tmp_path / "mlops.toml").write_text(toml.replace("rollback = true", ""))
    mlops("upsert", "pipeline.py")
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    cloudwatch, sagemaker = account.client("cloudwatch"), account.client("sagemaker")
    cloudwatch.put_metric_alarm(**ALARM)
    mlops("feedback", "run", "--once")
    cloudwatch.set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="0.4 > 0.2")
    writes = iter(range(10))

    def dying(whole: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any) -> Any:
            now = next(writes) == number
            if now and not written:
                raise Killed
            found = whole(*arguments)
            if now:
                raise Killed
            return found

        return write

    run = ("feedback", "run", "--until-done", "--every", "0.1")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        for name in ("begin", "change"):
            patched.setattr(KeptLoops, name, dying(getattr(KeptLoops, name)))
        mlops(*run)
    mlops(*run)
    assert [loop.state for loop in account.loops.read()] == ["watched", "done"]
    assert len(sagemaker.list_pipeline_executions(PipelineName="churn")["PipelineExecutionSummaries"]) == 1
    notices = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    causes = [item["cause"] for item in notices if item["kind"] == "feedback"]
    assert len({*causes}) == 1 and len(causes) <= 2
