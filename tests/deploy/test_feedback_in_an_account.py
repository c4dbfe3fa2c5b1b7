"""Feedback in an account: a rule of EventBridge, or one with a state machine; what neither does is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.declare.load import load
from mlops.deploy.feedback.acts import acts, journal_of
from mlops.deploy.feedback.beside_pipelines import with_declared
from mlops.deploy.feedback.machines import machines
from mlops.deploy.monitors import running
from mlops.deploy.outcomes.ground_truth import prefix_of
from mlops.deploy.pipelines.destroy import destroy, plan_removal
from mlops.deploy.pipelines.plan import Plan, plan
from mlops.deploy.pipelines.upsert import upsert
from mlops.deploy.resources import state_machine, trigger
from mlops.deploy.resources.trigger import declared
from mlops.deploy.starts import judge_starts
from mlops.emit.policies.feedback import feedback_needs
from mlops.emit.policies.statements import policy
from mlops.emit.policies.trust import trust
from mlops.emit.states.feedback import feedback_machine
from mlops.ir import ConfigurationError, Definition, Parameter, Refusal, Step, Where, unheard
from mlops.knowledge.eventbridge.matching import matches
from mlops.project.environments import Environment
from mlops.project.feedback import Feedback
from mlops.project.starts import Notify
from mlops.project.surroundings import surroundings
from mlops.use_cases.driving import upsert as in_a_program
from mlops.use_cases.plan import Wanted
from mlops.use_cases.plan import plan as planning
from mlops.use_cases.upsert import Upsert
from mlops.use_cases.upsert import upsert as upserting
from tests.emit.machine_judges import faults, states
from tests.emit.machines import evaluated

from .conftest import SOURCE, World

PROD = Environment(name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/pipelines", bucket="acme-ml")
PLAIN: dict[str, Any] = {"alarm": "drift", "pipeline": "churn", "cooldown": "0s", "per_day": 0}


def with_feedback(**more: Any) -> Environment:
    return replace(PROD, feedback={"drift": Feedback.model_validate({**PLAIN, **more})})


def test_an_alarm_starts_a_pipeline() -> None:
    environment = with_feedback(parameters={"Until": "{until}", "Why": "{reason}", "Days": 7})
    (rule,) = declared(environment, "churn")
    assert rule.name == "churn-feedback-drift" and rule.plain["State"] == "ENABLED"
    assert json.loads(rule.plain["EventPattern"])["detail"] == {"alarmName": ["drift"], "state": {"value": ["ALARM"]}}
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Days", "Value": "7"},
        {"Name": "Until", "Value": "$.time"},
        {"Name": "Why", "Value": "$.detail.state.reason"},
    ]
    assert [start.name for start in surroundings(environment).starts("churn")] == ["feedback-drift"]
    assert not [*declared(environment, "other")]
    assert not [*declared(replace(environment, state=Path()), "churn")]


@pytest.mark.parametrize(("found", "starts"), [(2, True), (0, False), (None, False)])
def test_violations_that_a_monitors_job_tells_of_start_a_pipeline(found: int | None, starts: bool) -> None:
    """By the event that a job puts on the bus when a schedule of the account started it."""
    environment = with_feedback(alarm=None, monitor="data", parameters={"Until": "{until}"})
    judge_starts(environment, [Definition("churn", parameters=(Parameter("Until", "String"),))])
    (rule,) = declared(environment, "churn")
    detail = {"monitor": "data", "violations": found, "until": "2026-11-29T10:00:00Z"}
    event = {"source": running.SOURCE, "detail-type": running.DETAIL, "detail": detail}
    assert matches(json.loads(rule.plain["EventPattern"]), event) is starts
    assert not matches(json.loads(rule.plain["EventPattern"]), {**event, "detail": {**detail, "monitor": "other"}})
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Until", "Value": "$.time"}
    ]


def test_where_labels_lie_is_known_without_an_event() -> None:
    environment = with_feedback(endpoint="shop", parameters={"Labels": "{labels}"})
    judge_starts(environment, [Definition("churn", parameters=(Parameter("Labels", "String"),))])
    (rule,) = declared(environment, "churn")
    assert rule.plain["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"] == [
        {"Name": "Labels", "Value": prefix_of(environment, "shop")}
    ]


def test_a_parameter_that_the_pipeline_does_not_take_is_told_here_too() -> None:
    taken = Definition("churn", parameters=(Parameter("Since", "String"), Parameter("Days", "Integer")))
    for given, said in (
        ({"Since": "{since}", "Days": 7}, None),
        ({"Sinse": "{since}"}, "Sinse"),
        ({"Days": "seven"}, "seven"),
    ):
        environment = replace(with_feedback(parameters=given, group="g"), state=Path())
        if said is None:
            judge_starts(environment, [taken])
            continue
        with pytest.raises(ConfigurationError, match=r"\[env.prod.feedback.drift\] of churn: ") as refused:
            judge_starts(environment, [taken])
        assert said in refused.value.message


TOPIC = Notify(sns="arn:aws:sns:eu-west-1:111122223333:people")
BY_A_MACHINE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a promotion": ({"group": "churn"}, ("start", "train", "promote")),
    "a person in between": ({"approval": ["start"]}, ("ask-start", "start", "train")),
    "a shift taken back": ({"rollback": True, "endpoint": "e"}, ("rollback", "start", "train")),
    "a shift that somebody is asked about": (
        {"rollback": True, "endpoint": "e", "approval": ["rollback"]},
        ("ask-rollback", "rollback", "start", "train"),
    ),
    "a cooldown": ({"cooldown": "1h"}, ("start", "train")),
    "a cap": ({"per_day": 2}, ("start", "train")),
    "the beginning of a window": ({"parameters": {"Since": "{since}"}}, ("start", "train")),
    "a value inside of a text": ({"parameters": {"Note": "at {until}"}}, ("start", "train")),
    "a monitor's reason": (
        {"alarm": None, "monitor": "data", "parameters": {"Why": "{reason}"}},
        ("start", "train"),
    ),
    "where what its endpoint captures lies": (
        {"endpoint": "shop", "parameters": {"Captures": "{captures}"}},
        ("start", "train"),
    ),
}


@pytest.mark.parametrize(("more", "stages"), BY_A_MACHINE.values(), ids=BY_A_MACHINE.keys())
def test_what_a_rule_does_not_do_is_done_by_a_machine(more: dict[str, Any], stages: tuple[str, ...]) -> None:
    environment = replace(with_feedback(**{"notify": False, **more}), notify=TOPIC)
    (machine,) = machines(environment, ["churn"])
    assert machine.stages == stages
    (rule,) = trigger.declared(environment, "churn")
    (made,) = state_machine.declared(environment, "churn")
    arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:churn-feedback-drift"
    assert (rule.name, rule.plain["Target"]) == ("churn-feedback-drift", {"Arn": arn, "RoleArn": PROD.role})
    assert (made.name, made.plain["RoleArn"]) == (arn, PROD.role)
    assert faults(made.plain["Definition"]) == []
    assert not machines(environment, ["other"]) and not machines(replace(environment, state=Path()), ["churn"])


def test_people_are_told_where_somebody_is_named() -> None:
    named = replace(with_feedback(), notify=TOPIC)
    assert [machine.stages for machine in machines(named, ["churn"])] == [("notify", "start", "train")]
    assert not machines(with_feedback(), ["churn"]), "a rule does it"


def test_who_takes_the_role_on_may_do_what_the_machine_does() -> None:
    environment = replace(
        with_feedback(group="churn", approval=["start"], rollback=True, endpoint="shop"), notify=TOPIC
    )
    around = replace(surroundings(environment), machines=machines(environment, ["churn"]))
    trusted = {item["Sid"] for item in trust("churn", around, ())["Statement"]}
    assert trusted == {"SageMaker", "Events", "States"}
    assert {item["Sid"] for item in trust("other", around, ())["Statement"]} == {"SageMaker"}
    (machine,) = around.machines
    allowed = policy(feedback_needs(machine, around)).document["Statement"]
    may = {action: statement["Resource"] for statement in allowed for action in statement["Action"]}
    asked = {
        f"{service.replace('sfn', 'states')}:{action[0].upper()}{action[1:]}"
        for _, state in states(feedback_machine(machine, "aws"))
        if state["Type"] == "Task"
        for service, action in [state["Resource"].removesuffix(".waitForTaskToken").split(":")[-2:]]
    }
    told = {action.replace("applicationautoscaling", "application-autoscaling") for action in asked}
    assert told - {*may} == set()
    assert may["states:StartExecution"] == [machine.arn]
    assert may["s3:PutObject"] == [
        "arn:aws:s3:::acme-ml/mlops/feedback/prod-drift.json",
        "arn:aws:s3:::acme-ml/mlops/promotions/shop.json",
    ]


@pytest.mark.parametrize(
    ("registered", "newest"),
    [
        (["model-package/Churn/9", "model-package/Churn/10"], "model-package/Churn/10"),
        (["model-package/churn/3", "model-package/other/4"], "model-package/churn/3"),
        (["model-package/churn-2/3"], None),
    ],
    ids=["the newest", "an ARN in lower case", "of another group"],
)
def test_the_newest_version_of_its_group_is_promoted(registered: list[str], newest: str | None) -> None:
    (machine,) = machines(replace(with_feedback(group="Churn"), notify=TOPIC), ["churn"])
    output = feedback_machine(machine, "aws")["States"]["What it registered"]["Output"]
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:"
    steps = [{"Metadata": {"RegisterModel": {"Arn": f"{arn}{name}"}}} for name in registered]
    told = {"input": {"Execution": "e"}, "result": {"PipelineExecutionSteps": [{"Metadata": {}}, *steps]}}
    found = evaluated(f"($states := {json.dumps(told)}; {output.removeprefix('{%').removesuffix('%}')})")
    assert found.get("ModelPackageArn") == (newest and f"{arn}{newest}")


REFUSED: dict[str, tuple[dict[str, Any], Notify | None, str]] = {
    "nothing but a notice": ({"pipeline": None}, TOPIC, "no pipeline is started"),
    "a cap that nobody counts to": ({"per_day": 201}, TOPIC, "per_day = 201: a machine counts to 200"),
    "a person whom nobody asks": ({"approval": ["start"]}, None, "approval: a machine asks by SNS alone"),
    "people who are told by a file": ({}, Notify(file="told.jsonl"), "notify: a machine tells by SNS alone"),
    "a promotion that a machine cannot do": (
        {"group": "churn"},
        TOPIC,
        "group = 'churn': the promotion of churn to prod cannot be a state machine:\n  gates.approvals",
    ),
}


@pytest.mark.parametrize(("more", "notify", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_the_rest_is_refused(more: dict[str, Any], notify: Notify | None, said: str) -> None:
    promote = {"gates": {"approvals": {"count": 2}}}
    environment = replace(with_feedback(**more), notify=notify, promote=promote)
    with pytest.raises(ConfigurationError, match="a state machine cannot do all that feedback declares") as refused:
        machines(environment, ["churn"])
    assert f"[env.prod.feedback.drift] {said}" in refused.value.message


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_it_is_planned_upserted_changed_and_removed(world: World) -> None:
    def planned(**more: Any) -> Plan:
        told = Feedback.model_validate({**PLAIN, "cooldown": "1h", **more})
        environment = replace(world.environment, feedback={"drift": told})
        found = plan(world.account, environment, checked)
        upsert(world.account, environment, checked)
        return found

    checked = world.compiled()
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:churn-feedback-drift"
    assert [action.label for action in planned().actions][-2:] == [
        f"create the state-machine {arn}",
        "create the trigger churn-feedback-drift",
    ]
    assert not planned().actions
    (change,) = planned(cooldown="2h").companions
    assert (change.type, change.name) == ("state-machine", arn)
    machine = world.account.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    assert "its cooldown of 2h is not over" in machine["definition"]
    left = replace(world.environment, feedback={})
    assert {item.label for item in plan(world.account, left, checked).actions} >= {f"remove the state-machine {arn}"}
    upsert(world.account, left, checked)
    assert not world.account.client("stepfunctions").list_state_machines()["stateMachines"]


DECLARED = (
    SOURCE.format(description="Who leaves?")
    + """
from mlops import resources
drift = resources.Alarm(
    "churn-drift", metric=resources.Metric("shop", "drift"), statistic="Maximum", period=60,
    comparison="GreaterThanThreshold", threshold=0.2,
)
"""
)
FEEDBACK = """
resources.Feedback("drift", alarm=drift.alarm_name, pipeline="churn", cooldown="COOLDOWN")
"""


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_what_python_declares_is_planned_upserted_changed_and_removed_as_a_table_is(world: World) -> None:
    def written(feedback: str) -> Wanted:
        file.write_text(DECLARED + feedback)
        return Wanted((str(file),), "moto")

    def labels(feedback: str) -> list[str]:
        found = planning(written(feedback), unheard)
        return [action.label for each in (*found.plans, *found.resources) for action in each.actions]

    world.compiled()
    file = world.folder / "pipeline.py"
    whole = FEEDBACK.replace("COOLDOWN", "1h")
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:churn-feedback-drift"
    made = labels(whole)
    assert {f"create the state-machine {arn}", "create the trigger churn-feedback-drift"} <= {*made}
    assert "create the alarm churn-drift" in made and not any("the feedback" in label for label in made)
    upserting(Upsert(written(whole)), unheard)
    assert labels(whole) == []
    client = world.account.client("events")
    assert json.loads(client.describe_rule(Name="churn-feedback-drift")["EventPattern"])["detail"]["alarmName"] == [
        "churn-drift"
    ]
    assert (
        "its cooldown of 1h is not over"
        in world.account.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    )
    assert f"update the state-machine {arn}" in labels(FEEDBACK.replace("COOLDOWN", "2h"))
    with pytest.raises(Refusal, match="churn-feedback-drift would be removed"):
        in_a_program(load(world.folder / "pipeline.py", 60).pipelines[0], "moto", unheard, yes=True, force=False)
    assert f"remove the state-machine {arn}" in labels("")
    for goes in (
        lambda: upserting(Upsert(written("")), unheard),
        lambda: destroy(world.account, world.environment, plan_removal(world.account, world.environment, "churn")),
    ):
        upserting(Upsert(written(whole)), unheard)
        goes()
        assert not world.account.client("stepfunctions").list_state_machines()["stateMachines"]
        assert not client.list_rules(NamePrefix="churn-")["Rules"]


def test_of_python_and_a_table_of_one_name_both_are_told() -> None:
    told = {"alarm": "a", "pipeline": "churn", "notify": True}
    step = Step("feedback-drift", "Feedback", told, {"DeclaredName": "drift"}, where=Where("p.py", 7))
    definition = Definition("churn", feedback=(step,))
    assert with_declared(PROD, [definition]).feedback["drift"].watches == ("alarm", "a")
    assert with_declared(replace(PROD, state=Path()), [definition]).feedback == {}
    with pytest.raises(ConfigurationError, match=r"p\.py:7: the feedback drift and \[env\.prod\.feedback\.drift\]"):
        with_declared(with_feedback(), [definition])
    with pytest.raises(ConfigurationError, match=r"p\.py:7: the feedback drift and p\.py:7: the feedback drift"):
        with_declared(PROD, [replace(definition, feedback=(step, step))])
    with pytest.raises(ConfigurationError, match=r"p\.py:7: the feedback drift per_day = 300"):
        step = replace(step, arguments={**told, "per_day": 300})
        machines(with_declared(PROD, [replace(definition, feedback=(step,))]), ["churn"])


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_what_a_machine_did_is_told(world: World) -> None:
    """Of what its journal says, with how far its executions are; one that the account forgot is told as such."""
    machines_of_it = world.account.client("stepfunctions")
    made = machines_of_it.create_state_machine(name="m", definition="{}", roleArn=world.environment.role)
    ran = machines_of_it.start_execution(stateMachineArn=made["stateMachineArn"], name="one")["executionArn"]
    assert acts(world.account, world.environment, "drift") == ()
    kept = [
        {"At": 1795953600000, "Execution": ran.replace(":one", ":gone"), "Event": "a", "Why": "it drifted"},
        {"At": 1795957200000, "Execution": ran, "Event": "b", "Why": "it drifted again"},
    ]
    key = journal_of(world.environment, "drift")
    world.account.client("s3").put_object(
        Bucket=world.environment.bucket, Key=key, Body=json.dumps({"Acts": kept}).encode()
    )
    found = acts(world.account, world.environment, "drift")
    assert [(loop.state, loop.told["why"]) for loop in found] == [
        ("forgotten", "it drifted"),
        ("running", "it drifted again"),
    ]
    assert f"{found[0].created:%Y-%m-%d %H:%M}" == "2026-11-29 12:00"
    assert acts(world.account, world.environment, "drift", last=1) == found[1:]
    machines_of_it.stop_execution(executionArn=ran, error="Rejected", cause="somebody said no")
    assert [loop.state for loop in acts(world.account, world.environment, "drift")] == ["forgotten", "failed"]


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b'{"Acts": 3}', b'{"Acts": [{}]}', b'{"Acts": [{"At": Infinity}]}', b"[" * 100_000],
    ids=["nothing", "no text", "a list", "a number", "an act of nothing", "a time that never comes", "too deep"],
)
@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_a_journal_that_nobody_can_read_is_told(world: World, body: bytes) -> None:
    key = journal_of(world.environment, "drift")
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key=key, Body=body)
    with pytest.raises(Refusal, match="cannot be read"):
        acts(world.account, world.environment, "drift")
