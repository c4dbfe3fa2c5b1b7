"""Feedback as a machine, in moto's interpreter against the local account: it acts as `mlops feedback run` acts."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import main
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.feedback.machines import machines
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.settings import read
from mlops.deploy.waiting import Clock
from mlops.emit.states.feedback import feedback_machine
from mlops.ir import Refusal
from mlops.ir.feedback_machine import FeedbackMachine
from mlops.project.feedback import Feedback
from mlops.project.starts import Notify
from tests.deploy.conftest import World
from tests.deploy.shifting.test_shift_here import SOUND, promoted, registered
from tests.emit.foreign import wrong
from tests.emit.machine_judges import faults, invalid
from tests.emit.machines import Ended, Interpreter, interpreting
from tests.emit.stacked import ENVIRONMENT, EXAMPLES, emitted, project

pytestmark = [pytest.mark.proof("states"), pytest.mark.xdist_group("feedback")]
TOPIC = "arn:aws:sns:us-east-1:000000000000:people"
RETRAIN = """
from mlops import Pipeline, RegisterModel, image, join

with Pipeline("retrain") as pipeline:
    pipeline.string("Since", default="")
    pipeline.string("Why", default="")
    number = pipeline.string("Number", default="2")
    RegisterModel(
        "Register",
        group="churn",
        model=join("s3://mlops-local/", number, ".tar.gz"),
        image=image.sklearn("1.2-1"),
        approval=pipeline.string("Approval", default="Approved"),
    )
"""
BROKEN = "raise RuntimeError('cannot start')\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Version 1 is approved; what is trained anew answers, or does not start."""
    folder = tmp_path_factory.mktemp("feedback")
    (folder / "retrain.py").write_text(RETRAIN)
    for world in registered(folder, "[env.local]\n", SOUND.format(n=1), SOUND.format(n=2), BROKEN, SOUND.format(n=4)):
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert main(["upsert", "retrain.py"]) == 0
            yield world


@pytest.fixture(scope="module")
def interpreter(world: World) -> Iterator[Interpreter]:
    with interpreting(world.folder / ".mlops") as found:
        yield found


def declared(world: World, name: str, **more: Any) -> FeedbackMachine:
    """As in another account."""
    table = {"alarm": "drift", "pipeline": "retrain", "cooldown": "0s", "per_day": 0, **more}
    environment = replace(
        world.environment,
        state=None,
        notify=Notify(sns=TOPIC),
        feedback={name: Feedback.model_validate(table)},
    )
    (found,) = machines(environment, ["retrain"], world.folder)
    return found


def machine(declared: FeedbackMachine) -> Mapping[str, Any]:
    """With looks that are a second apart."""
    found = json.loads(json.dumps(feedback_machine(declared, "aws")))
    for state in found["States"].values():
        if state["Type"] == "Wait":
            state["Seconds"] = 1
    return found


def event(number: int) -> Mapping[str, Any]:
    return {
        "id": f"event-{number}",
        "time": "2026-11-29T12:00:00Z",
        "detail": {"alarmName": "drift", "state": {"value": "ALARM", "reason": "0.3 is\nabove 0.2"}},
    }


def run(interpreter: Interpreter, declared: FeedbackMachine, number: int = 1) -> Ended:
    interpreter.told.clear()
    interpreter.said.clear()
    return interpreter.run(machine(declared), event(number))


def executions(world: World) -> list[Any]:
    found = world.account.client("sagemaker").list_pipeline_executions(PipelineName="retrain")
    return list(found["PipelineExecutionSummaries"])


def test_it_tells_trains_and_serves_what_it_has_trained(world: World, interpreter: Interpreter) -> None:
    given = {"Since": "{since}", "Why": "at {until}: {reason}", "Number": 2}
    whole = declared(world, "whole", group="churn", endpoint="churn", window="1d", parameters=given)
    ended = run(interpreter, whole)
    assert (ended.status, ended.output.get("Outcome")) == ("SUCCEEDED", "promoted"), ended
    assert interpreter.changes == [
        "PutObject",
        "StartPipelineExecution",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]
    assert interpreter.said == [
        "feedback whole in local: the alarm drift is in state ALARM: 0.3 is above 0.2; "
        "what follows: start, train, promote"
    ]
    sagemaker = world.account.client("sagemaker")
    given_to = sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=executions(world)[0]["PipelineExecutionArn"]
    )
    told = {item["Name"]: item["Value"] for item in given_to["PipelineParameters"]}
    assert told["Since"] == "2026-11-28T12:00:00Z"
    assert told["Why"] == "at 2026-11-29T12:00:00Z: the alarm drift is in state ALARM: 0.3 is above 0.2"
    assert sagemaker.describe_endpoint(EndpointName="churn")["EndpointStatus"] == "InService"
    assert executions(world)[0]["PipelineExecutionDisplayName"].startswith("feedback-")


def test_one_that_does_not_start_is_not_served(world: World, interpreter: Interpreter) -> None:
    given = {"Number": 3}
    ended = run(interpreter, declared(world, "broken", group="churn", endpoint="churn", parameters=given))
    assert (ended.status, ended.error) == ("FAILED", "TakenBack"), ended


def test_what_waits_for_its_approval_is_waited_for(world: World, interpreter: Interpreter) -> None:
    given = {"Number": 4, "Approval": "PendingManualApproval"}
    started = interpreter.start(machine(declared(world, "waits", group="churn", parameters=given)), event(1))
    sagemaker = world.account.client("sagemaker")

    def rejects() -> None:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            asked = {"ModelPackageGroupName": "churn", "ModelApprovalStatus": "PendingManualApproval"}
            for item in sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]:
                arn = item["ModelPackageArn"]
                sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
                return
            time.sleep(0.2)

    thread = threading.Thread(target=rejects)
    thread.start()
    ended = interpreter.ended(started)
    thread.join()
    assert (ended.status, ended.error) == ("FAILED", "NotApproved"), ended


@pytest.mark.parametrize(("approved", "status", "starts"), [(True, "SUCCEEDED", 1), (False, "FAILED", 0)], ids=str)
def test_a_person_is_asked_and_heard(
    approved: bool, status: str, starts: int, world: World, interpreter: Interpreter
) -> None:
    before = len(executions(world))
    interpreter.said.clear()
    asks = declared(world, f"asks-{approved}".lower(), approval=["start"])
    started = interpreter.start(machine(asks), event(1))
    until = time.monotonic() + 180
    while not any("--task-token" in text for text in interpreter.said):
        assert time.monotonic() < until, interpreter.said
        time.sleep(0.05)
    (text,) = (text for text in interpreter.said if "--task-token" in text)
    assert "asks: train retrain anew? Because the alarm drift is in state ALARM: 0.3 is above 0.2." in text
    assert len(executions(world)) == before
    word = next(line for line in text.splitlines() if line.startswith("Yes: " if approved else "No: "))
    *_, token, _, output = shlex.split(word)
    interpreter.answer(token, json.loads(output))
    ended = interpreter.ended(started)
    assert ended.status == status, ended
    assert len(executions(world)) == before + starts


LIMITS: Mapping[str, tuple[Mapping[str, Any], int, str | None]] = {
    "nothing keeps it": ({}, 2, None),
    "the same event again": ({}, 1, "it acted on this event before"),
    "its cooldown": ({"cooldown": "1h"}, 2, "its cooldown of 1h is not over"),
    "its cap": ({"per_day": 1}, 2, "it acted as often within 24 hours as per_day says: 1"),
}


@pytest.mark.parametrize(("more", "second", "why"), LIMITS.values(), ids=LIMITS.keys())
def test_it_does_not_act_again(
    more: Mapping[str, Any], second: int, why: str | None, world: World, interpreter: Interpreter
) -> None:
    limited = declared(world, f"limited-{list(LIMITS.values()).index((more, second, why))}", **more)
    ended = run(interpreter, limited)
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "done"), ended
    ended = run(interpreter, limited, second)
    outcome = ended.output["Outcome"], ended.output.get("Why")
    assert outcome == (("done", None) if why is None else ("skipped", why)), ended
    assert ("StartPipelineExecution" in interpreter.changes) is (why is None)


def test_its_journal_keeps_the_last_times(world: World, interpreter: Interpreter) -> None:
    long = declared(world, "long", parameters={"Why": "{reason}"})
    acts = [{"At": number, "Execution": "arn:gone", "Event": f"e{number}", "Why": "w"} for number in range(60)]
    s3 = world.account.client("s3")
    s3.put_object(Bucket=long.bucket, Key=long.journal, Body=json.dumps({"Acts": acts}).encode())
    ended = run(interpreter, long)
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "done"), ended
    kept = json.loads(s3.get_object(Bucket=long.bucket, Key=long.journal)["Body"].read())["Acts"]
    assert [act["Event"] for act in kept] == [*(f"e{number}" for number in range(11, 60)), "event-1"]


def test_of_two_events_at_once_one_acts(world: World, interpreter: Interpreter) -> None:
    """By the condition on the journal, or since the other still runs."""
    written, before = machine(declared(world, "twice")), len(executions(world))
    started = [interpreter.start(written, event(number)) for number in range(4)]
    ended = [interpreter.ended(each) for each in started]
    assert all(each.status == "SUCCEEDED" for each in ended), ended
    done = [each for each in ended if each.output["Outcome"] == "done"]
    assert 1 <= len(executions(world)) - before == len(done) < 4, ended


class Gone(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


def shifting(world: World, endpoint: str) -> World:
    """With a stage of ten minutes, in which nobody looks any more."""
    promote = {
        "strategy": {"canary": {"share": 20, "bake": "10m"}},
        "engine": "weights",
        "judge": {"errors": {"at_most": "1%", "interval": "1s"}},
    }
    slow = replace(world, environment=replace(world.environment, promote=promote))
    promoted(slow, 1, endpoint)

    def sleep(seconds: float) -> None:
        stored = journals.read(world.account, world.environment, endpoint)
        if stored is not None and stored.journal.since is not None:
            raise Gone
        time.sleep(min(seconds, 0.2))

    with pytest.raises(Gone):
        promoted(slow, 2, endpoint, clock=Clock(sleep=sleep))
    return slow


def rolls_back(world: World, endpoint: str, **more: Any) -> FeedbackMachine:
    return declared(world, f"back-{endpoint}", rollback=True, endpoint=endpoint, **more)


def test_a_shift_that_nobody_is_at_is_taken_back(
    world: World, interpreter: Interpreter, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = shifting(world, "left")
    sagemaker = world.account.client("sagemaker")
    there = sagemaker.describe_endpoint(EndpointName="left")
    assert [item["CurrentWeight"] for item in there["ProductionVariants"]] == [80.0, 20.0]
    stored = journals.read(world.account, slow.environment, "left")
    assert stored is not None
    long_ago = replace(stored.journal, at="2026-01-01T00:00:00.000+00:00")
    journals.write(world.account, slow.environment, long_ago, stored.etag)
    ended = run(interpreter, rolls_back(world, "left"))
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "done"), ended
    assert interpreter.changes == [
        "PutObject",
        "PutObject",
        "UpdateEndpointWeightsAndCapacities",
        "UpdateEndpoint",
        "StartPipelineExecution",
    ]
    back = sagemaker.describe_endpoint(EndpointName="left")
    assert back["EndpointConfigName"] == stored.journal.old.config
    assert [item["CurrentWeight"] for item in back["ProductionVariants"]] == [1.0]
    # Whoever comes next finds all done, and writes the end down.
    steering = Steering(world.account, slow.environment, "left", read(slow.environment, world.folder))
    assert "serves what it served before" in steering.abort("it was taken back")
    entries = history.read(world.account, slow.environment, "left")
    assert [entry.verb for entry in entries] == ["created", "aborted"]


def test_a_shift_that_somebody_is_at_is_taken_back_by_that_one(world: World, interpreter: Interpreter) -> None:
    slow = shifting(world, "kept")
    started = interpreter.start(machine(rolls_back(world, "kept")), event(1))
    until = time.monotonic() + 180
    while (stored := journals.read(world.account, slow.environment, "kept")) and stored.journal.wish != "abort":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert stored is not None and stored.journal.wish_reason == "the alarm drift is in state ALARM: 0.3 is above 0.2"
    assert stored.journal.steered[-1].what == "aborted"
    with pytest.raises(Refusal, match="the alarm drift is in state ALARM"):
        promoted(slow, 2, "kept", take_over=True)
    ended = interpreter.ended(started)
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "done"), ended
    assert "Nobody is at it" not in ended.states
    assert history.read(world.account, slow.environment, "kept")[-1].verb == "aborted"


def test_nobody_is_asked_to_take_back_what_is_not_under_way(world: World, interpreter: Interpreter) -> None:
    ended = run(interpreter, rolls_back(world, "nowhere", approval=["rollback"]))
    assert (ended.status, ended.output["Outcome"]) == ("SUCCEEDED", "done"), ended
    assert len(interpreter.said) == 1 and interpreter.changes == ["PutObject", "StartPipelineExecution"]


TABLES: Mapping[str, Mapping[str, Any]] = {
    "no more than a cooldown": {"cooldown": "1h"},
    "all of it": {
        "rollback": True,
        "endpoint": "shop",
        "group": "churn",
        "approval": ["rollback", "start", "promote"],
        "parameters": {"Since": "{since}", "Captures": "below {captures}", "Why": "it's {reason}"},
    },
    "of a monitor": {"alarm": None, "monitor": "data", "per_day": 2, "parameters": {"Until": "{until}"}},
}


def test_all_are_valid_and_ask_what_services_know(world: World) -> None:
    found = {name: feedback_machine(declared(world, "a", **table), "aws") for name, table in TABLES.items()}
    assert invalid(found) == []
    assert {name: told for name, machine in found.items() if (told := faults(machine))} == {}


def test_a_stack_has_the_rule_the_machine_and_what_its_role_needs(tmp_path: Path) -> None:
    there = project(tmp_path)
    table = (
        f'\n[env.{ENVIRONMENT}.notify]\nsns = "{TOPIC}"\n[env.{ENVIRONMENT}.feedback.drift]\nalarm = "drift"\n'
        'pipeline = "breast-cancer"\ngroup = "breast-cancer"\napproval = ["start"]\n'
    )
    with (there / "mlops.toml").open("a") as file:
        file.write(table)
    text = emitted(there / EXAMPLES["breast_cancer"], "cloudformation", "json")
    assert list(wrong(text)) == []
    resources = json.loads(text)["Resources"].values()
    (machine,) = (item for item in resources if item["Type"] == "AWS::StepFunctions::StateMachine")
    assert json.loads(machine["Properties"]["DefinitionString"])["StartAt"] == "Feedback begins"
    rules = [item for item in resources if item["Type"] == "AWS::Events::Rule"]
    assert any(":stateMachine:" in str(item["Properties"]["Targets"][0]["Arn"]) for item in rules)
