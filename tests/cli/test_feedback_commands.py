"""An alarm begins a loop, which a killed process does not begin twice, and which says at each end why it was."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import Told, in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.account.local.feedback import KeptLoops
from mlops.deploy.endpoints import history
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.journal import Journal
from mlops.ir.feedback import Loop
from mlops.ir.shift import Serving, Variant
from mlops.project.environments import read_project
from mlops.use_cases import feedback_running
from mlops.use_cases.connecting import connect_here

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


def test_what_python_declares_is_answered_too(mlops: Mlops, tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('[env.local.notify]\nfile = "told.jsonl"\n')
    (tmp_path / "feedback.py").write_text('from mlops import resources\nresources.Feedback("seen", alarm="drift")\n')
    mlops("upsert", "feedback.py")
    cloudwatch = LocalAccount(tmp_path / ".mlops", "us-east-1").client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    assert mlops("feedback", "on").out == "feedback in local is on\n"
    assert mlops("feedback", "off").out == "feedback in local is off\n"
    cloudwatch.set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="0.4 > 0.2")
    assert states(mlops) == ["notify", "done"]
    assert mlops("feedback", "list").out.splitlines()[1].split()[:4] == ["seen", "alarm", "drift", "notify"]
    assert json.loads((tmp_path / "told.jsonl").read_text())["feedback"] == "seen"
    assert "no feedback 'sen'; it has seen" in mlops("feedback", "show", "sen", code=2).err


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


def _shift(folder: Path) -> None:
    """One that somebody has paused."""
    environment = read_project(folder).environment("local")
    serving = Serving("churn-1", (Variant("AllTraffic", {"ModelName": "churn-1"}, 1.0, 1),))
    paused = Journal("churn", "churn", 2, "weights", serving, (), 1, "w", "ada", "", wish="pause")
    journals.write(connect(environment), environment, paused, None)


@pytest.mark.parametrize("under_way", [True, False], ids=["a shift is under way", "there is none"])
@pytest.mark.parametrize("how", ["its own word", "protected"])
def test_a_person_is_asked_before_a_shift_is_taken_back(
    under_way: bool, how: str, mlops: Mlops, tmp_path: Path
) -> None:
    own = how == "its own word"
    asks = 'approval = ["rollback"]\n' if own else ""
    table = f'[env.local.feedback.back]\nalarm = "drift"\nendpoint = "churn"\nrollback = true\n{asks}'
    (tmp_path / "mlops.toml").write_text(f"[env.local]\napproval = {str(not own).lower()}\n{table}")
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(**{**ALARM, "TreatMissingData": "ignore"})
    assert states(mlops) == []
    cloudwatch.set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="worse")
    if not under_way:
        assert states(mlops)[-1] == "done"
        (loop,) = json.loads(mlops("feedback", "show", "back", "--format", "json").out)
        assert loop["rollback"] == "no shift of traffic is under way at churn"
        return
    _shift(tmp_path)
    assert states(mlops)[-1] == "ask-rollback"
    assert states(mlops) == []
    if not own:
        said = mlops("feedback", "approve", "back", code=1).err
        assert "wants an approval to take back the shift of churn's traffic, because the alarm drift" in said
    assert json.loads(mlops("feedback", "approve", "back", "--yes", "--format", "json").out)["state"] == "rollback"


def test_a_promotion_that_nobody_foresaw_to_fail_is_tried_ever_more_seldom_and_told_once(
    mlops: Mlops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    containers = [{"Image": IMAGE, "ModelDataUrl": "s3://mlops-local/m.tar.gz"}]
    sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": containers,
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    began = datetime.now(UTC)
    stages = {"why": "it drifts", "group": "churn", "version": 1, "stages": ["promote"]}
    account.loops.begin(Loop("drift", 1, "promote", began, began, stages), {})
    tried: list[float] = []
    second, said = 0.0, list[str]()

    def failing(*_: object) -> None:
        tried.append(second)
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(feedback_running, "promote", failing)
    listener = lambda event: said.append(getattr(event, "text", ""))  # noqa: E731
    running = feedback_running._Running(connect_here("local"), listener, clock=lambda: second)
    for number in range(16):
        second = float(number)
        list(running.tick())
        for promotion in list(running.promotions.values()):
            promotion.thread.join()
    assert tried == [0.0, 2.0, 5.0, 10.0]
    assert [text for text in said if "mistake" in text] == [
        "feedback drift: it is tried again: RuntimeError: a mistake of ours"
    ]
    (loop,) = json.loads(mlops("feedback", "show", "drift", "--format", "json").out)
    assert (loop["state"], loop["verdict"]) == ("promote", "it is tried again: RuntimeError: a mistake of ours")
    kinds = [event.kind for event in account.events.read(ids={"cause": "1"})]
    assert kinds == ["feedback.goes-on"] * 2


CANARY = """
[env.local.promote]
strategy = { canary = { share = 30, bake = "3s" } }

[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s" }

[env.local.feedback.drift]
alarm = "drift"
pipeline = "churn"
group = "churn"
"""


@pytest.fixture
def approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAccount]:
    """Two versions, of which the first serves."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").write_text(CANARY)
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    account.ensure_bucket("mlops-local")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    for number in (1, 2):
        code = f"def model_fn(d): return 0\ndef transform_fn(m, body, t, a): return 'version {number}', a\n"
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            member = tarfile.TarInfo("code/inference.py")
            member.size = len(code)
            archive.addfile(member, io.BytesIO(code.encode()))
        s3.put_object(Bucket="mlops-local", Key=f"{number}.tar.gz", Body=content.getvalue())
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://mlops-local/{number}.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    words = [sys.executable, "-m", "mlops", "promote", "churn", "--to", "local", "--version", "1"]
    subprocess.run(words, check=True, capture_output=True)
    yield account
    sagemaker.delete_endpoint(EndpointName="churn")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="churn", WaiterConfig={"Delay": 1})


@contextmanager
def asked(account: LocalAccount) -> Iterator[list[bytes]]:
    """Traffic, and what it was answered: without any there is no verdict."""
    over, answers = threading.Event(), list[bytes]()
    runtime = account.client("sagemaker-runtime")

    def ask() -> None:
        last = False
        while not last:
            last = over.wait(0.03)
            reply = runtime.invoke_endpoint(EndpointName="churn", Body=b"1", ContentType="text/csv", Accept="text/csv")
            answers.append(reply["Body"].read())

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


@pytest.mark.proof("loop")
def test_killed_in_the_middle_of_its_canary(approved: LocalAccount, tmp_path: Path) -> None:
    """Whoever comes next goes on with the same shift: one promotion, one end, and the new version serves."""
    environment = read_project(tmp_path).environment("local")
    now = datetime.now(UTC)
    told = {"why": "it drifts", "group": "churn", "version": 2, "stages": ["promote"]}
    approved.loops.begin(Loop("drift", 1, "promote", now, now, told), {})
    words = [sys.executable, "-m", "mlops", "feedback", "run", "--until-done", "--every", "0.2"]
    with asked(approved) as answers, (tmp_path / "said").open("w") as said:
        first = subprocess.Popen(words, stdout=said, stderr=said)
        deadline = time.monotonic() + 60
        while (stored := journals.read(approved, environment, "churn")) is None or not stored.journal.done:
            assert time.monotonic() < deadline and first.poll() is None, (tmp_path / "said").read_text()
            time.sleep(0.05)
        first.kill()
        first.wait()
        assert [loop.state for loop in approved.loops.read()] == ["promote"]
        subprocess.run(words, check=True, capture_output=True, timeout=100)
    (loop,) = approved.loops.read()
    assert (loop.state, loop.told["verdict"]) == ("done", "churn serves version 2 of churn")
    assert answers[0] == b"version 1" and answers[-1] == b"version 2", "no request failed on the way"
    verbs = [(entry.verb, entry.version) for entry in history.read(approved, environment, "churn")]
    assert verbs == [("created", 1), ("updated", 2)]
    assert [event.kind for event in approved.events.read(kinds=("shift.started", "shift.ended"))] == [
        "shift.started",
        "shift.ended",
    ]
