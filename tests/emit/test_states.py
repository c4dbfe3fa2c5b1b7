"""State machines: what each kind of step becomes, what is refused and why, and what is declared of promotions."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local.services.cloudwatch.metric_math import Asked, Span, evaluate
from mlops.check import check, step_types
from mlops.check.sources import open_one
from mlops.deploy.measures import measures
from mlops.deploy.shifting.promoted import only_group, promoted
from mlops.emit.policies.promotion import promotion_needs
from mlops.emit.policies.statements import policy
from mlops.emit.states.machine import written
from mlops.emit.states.needs import machine_needs
from mlops.emit.states.promotion import promotion_machine
from mlops.ir import Checked, UsageError
from mlops.ir.measure import Judged
from mlops.ir.promoted import Promoted
from mlops.ir.reader import read
from mlops.ir.surroundings import Surroundings
from mlops.project.environments import read_project
from tests.emit.machine_cases import (
    CASES,
    MODEL,
    PACKAGE,
    PARAMETERS,
    QUEUE,
    REFUSED,
    ROLE,
    TUNING,
    Case,
    condition,
    least,
    processing,
    quality,
    step,
    training,
)
from tests.emit.machine_judges import faults, states

PLAIN = """
[env.production]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "ours"
prefix = "ml"
"""
DECLARED = {
    "without a word": "",
    "canary by weights": 'strategy = { canary = { share = 10, bake = "10m" } }',
    "canary by guardrails": 'strategy = { canary = { share = 10, bake = "10m" } }\nalarms = ["churn-5xx"]',
    "steps, alarms and a measure": (
        'strategy = { stepped = { shares = [5, 25, 50, 100], bake = "10m" } }\nalarms = ["churn-5xx"]\n'
        'patience = "5m"\n[env.production.promote.judge]\nlatency = { at_most = "250ms", missing = "fail" }\n'
        'slow = { at_most = "5%", than = "1s", failures = 1, count = 2, missing = "pass" }\n'
        "requests = { at_least = 10, fails_below = 1 }\ncpu = { at_most = 80 }"
    ),
    "rolling": 'strategy = { rolling = { batch = 25, bake = "5m" } }\nalarms = ["churn-5xx"]',
    "equal steps": 'strategy = { linear = { step = 20, bake = "10m" } }\nalarms = ["a", "b"]',
}
UNDECLARED = {
    'strategy = { canary = { share = 30, bake = "10m" } }\njudge = { errors = { at_most = "1%", dry_run = true } }': (
        "neither alarms nor a measure say when a stage is green"
    ),
    "gates = { approvals = { count = 2 } }": "gates.approvals: gates are asked by",
    'component = "churn"': "component = 'churn'",
    'hooks = { after = { command = ["true"] } }': "hooks.after",
    'registry = "other"': "registry",
    'strategy = { canary = { bake = "10m" } }\njudge = { errors = { compare = {} } }': "judge.errors.compare",
    'strategy = { rolling = { bake = "5m" } }\nengine = "weights"': "given back on the way",
    'component = "churn"\nregistry = "other"': "(?s)component.*registry",
}


def checked(steps: list[Mapping[str, Any]]) -> Checked:
    document = {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": steps}
    definition, findings = read(json.dumps(document), "p.json")
    assert definition is not None
    return check(replace(definition, name="p"), findings=findings, types=step_types())


def at(machine: Mapping[str, Any], state: str, path: str) -> Any:
    found: Any = dict(states(machine))[state]
    for member in path.split("."):
        found = found[int(member)] if isinstance(found, list) else found.get(member)
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_step_becomes(case: Case) -> None:
    steps, wanted = case
    machine = written(checked(steps), "aws").machine
    for state, path, value in wanted:
        found = at(machine, state, path)
        if isinstance(value, str) and value.startswith("~"):
            assert value[1:] in found, (state, path, found)
        else:
            assert found == value, (state, path, found)
    assert faults(machine) == []


@pytest.mark.parametrize(("steps", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_a_machine_cannot_do_is_refused(steps: list[Mapping[str, Any]], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        written(checked(steps), "aws")


def test_what_is_otherwise_is_told() -> None:
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    steps = [
        training("A"),
        training("B"),
        training("C", ("A",)),
        training("D", ("A", "B")),
        training("E", members=cached),
    ]
    asked = step("F", "Callback", {}, SqsQueueUrl=QUEUE)
    loop = {"IterableItems": ["a"], "MaxConcurrency": 50, "ForEachBody": [training("G")]}
    notes = written(checked([*steps, asked, step("H", "ForEach", loop)]), "aws").notes
    assert [note.partition(":")[0].partition(" calls")[0] for note in notes] == [
        "C also waits for B",
        "a machine has no cache",
        "whoever answers F",
        "of H at most 40 iterations run beside each other, not 50",
    ]


def test_another_partition_has_other_arns() -> None:
    machine = written(checked([training("A"), step("M", "Model", MODEL)]), "aws-cn").machine
    found = {state["Resource"].split(":")[1] for _, state in states(machine) if state["Type"] == "Task"}
    assert found == {"aws-cn"}


def test_the_machine_may_make_what_it_makes_and_hear_of_its_end() -> None:
    around = Surroundings("prod", "eu-west-1", ROLE, "ours", prefix="ml")
    steps = [
        processing("Judge"),
        condition("If", least(quality("a"), 1), [training("A")], []),
        step("T", "Tuning", TUNING),
    ]
    machine = written(checked(steps), "aws").machine
    found = policy(machine_needs(checked(steps), around, machine)).document["Statement"]
    allowed = {action: statement["Resource"] for statement in found for action in statement["Action"]}
    assert allowed["s3:GetObject"] == ["arn:aws:s3:::ours/report*"]
    assert allowed["iam:PassRole"] == [ROLE]
    assert allowed["events:PutRule"] == [
        f"arn:aws:events:eu-west-1:111122223333:rule/StepFunctionsGetEventsForSageMaker{kind}Rule"
        for kind in ("HyperParameterTuningJobs", "ProcessingJobs", "TrainingJobs")
    ]
    assert "sagemaker:StopTrainingJob" in allowed
    assert not [action for action in allowed if action.startswith(("ecr:", "logs:", "ec2:", "kms:"))]


# Promotions.


@cache
def _checked_churn() -> Checked:
    return checked([step("A", "RegisterModel", PACKAGE)])


def declared(written: str, group: str | None = None) -> Promoted:
    with tempfile.TemporaryDirectory() as folder:
        head = "" if not written else f"[env.production.promote]\n{written}\n"
        (Path(folder) / "mlops.toml").write_text(f'{PLAIN}\n[env.other]\ninherits = "production"\n\n{head}')
        environment = read_project(Path(folder)).environment("production")
        return promoted(group or only_group(_checked_churn()), environment, Path(folder))


def promotion_of(written: str) -> Mapping[str, Any]:
    return promotion_machine(declared(written), "aws")


def machine_of(file: Path) -> Mapping[str, Any]:
    return written(open_one(str(file), "local").pipelines[0], "aws").machine


@pytest.mark.parametrize("name", DECLARED)
def test_a_promotion_is_a_machine(name: str) -> None:
    found = declared(DECLARED[name])
    machine = promotion_machine(found, "aws")
    assert faults(machine) == []
    tasks = {name: state for name, state in states(machine) if state["Type"] == "Task"}
    pointed = [state for state in tasks.values() if state["Resource"].endswith("updateEndpoint")]
    assert all(state["Arguments"]["RetainAllVariantProperties"] for state in pointed)
    shares = [
        state["Arguments"]["DesiredWeightsAndCapacities"][1]["DesiredWeight"]
        for label, state in tasks.items()
        if re.fullmatch(r"Stage \d+: [\d.]+ %", label)
    ]
    if found.engine == "weights":
        assert shares == [stage.share for stage in found.course.stages]
        for label, state in tasks.items():
            if label.startswith("Stage"):
                assert state["Catch"][0]["Next"] == "Take back", label
    else:
        assert shares == []
    guarded = [state["Arguments"]["DeploymentConfig"] for state in pointed if "DeploymentConfig" in state["Arguments"]]
    assert guarded == ([found.deployment] if found.engine == "guardrails" else [])


def reached(machine: Mapping[str, Any], begin: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    left = [begin]
    while left:
        label = left.pop()
        if label not in found:
            found[label] = state = machine["States"][label]
            ways = (state, *state.get("Choices", ()), *state.get("Catch", ()))
            left += [to for way in ways for to in (way.get("Next"), way.get("Default")) if to]
    return found


def test_no_call_on_the_way_back_is_lost_without_a_word() -> None:
    """Each is tried again whatever is wrong, and then leads to where it is looked at anew, or to an end that says it.
    Nothing that a promotion changes is refused without leading there."""
    calls: set[str] = set()
    for text in DECLARED.values():
        machine = promotion_of(text)
        back = reached(machine, "Take back")
        for label, state in back.items():
            if state["Type"] == "Task":
                calls.add(label)
                assert state["Retry"][-1]["ErrorEquals"] == ["States.ALL"], label
                assert [catch["ErrorEquals"] for catch in state["Catch"]] == [["States.ALL"]], label
        assert {"TakenBack", "Lost"} == {state["Error"] for state in back.values() if state["Type"] == "Fail"}
        changes = {label for label, state in states(machine) if "updateEndpoint" in str(state.get("Resource"))}
        assert all("Take back" in reached(machine, machine["States"][one]["Catch"][0]["Next"]) for one in changes)
    assert {"Take back", "Both again", "Traffic back", "Traffic back: looks", "Old alone"} < calls


def test_which_engine_a_promotion_takes() -> None:
    assert {name: declared(text).engine for name, text in DECLARED.items()} == {
        "without a word": "update",
        "canary by weights": "weights",
        "canary by guardrails": "guardrails",
        "steps, alarms and a measure": "weights",
        "rolling": "guardrails",
        "equal steps": "guardrails",
    }


@pytest.mark.parametrize(("text", "told"), UNDECLARED.items(), ids=UNDECLARED.keys())
def test_what_would_not_be_done_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        declared(text)


def test_which_group_is_said_or_the_only_one() -> None:
    assert declared("").group == "churn"
    assert declared("", "other").endpoint == "other"
    with pytest.raises(UsageError, match="registers in none"):
        only_group(checked([training("A")]))


def test_a_promotion_may_pass_its_role_to_sagemaker_alone() -> None:
    around = Surroundings("production", "eu-west-1", ROLE, "ours")
    found = policy(promotion_needs(declared(DECLARED["canary by weights"]), around)).document["Statement"]
    (passes,) = (statement for statement in found if "iam:PassRole" in statement["Action"])
    assert passes["Resource"] == [ROLE]
    assert passes["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    served = next(statement for statement in found if "sagemaker:UpdateEndpoint" in statement["Action"])
    assert "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn" in served["Resource"]


PERIODS: tuple[Mapping[str, float | None], ...] = (
    {
        "requests": 10.0,
        "failed": 3.0,
        "refused": 1.0,
        "latency": 2e6,
        "quick": 90.0,
        "timed": 5.0,
        "used": 7.0,
        "value": 1.0,
    },
    {"requests": 10.0, "failed": None, "refused": None, "latency": None, "quick": None, "timed": None, "used": None},
    {"requests": None, "failed": None, "refused": None, "latency": 1.0, "quick": 100.0, "timed": 1.0, "used": 0.0},
    {"requests": 0.0, "failed": 0.0, "refused": 0.0, "latency": 0.0, "quick": 0.0, "timed": 0.0, "used": 0.0},
)


@pytest.mark.parametrize("name", [name for name, measure in measures().items() if measure.expression is not None])
def test_a_measure_says_the_same_to_cloudwatch(name: str) -> None:
    """Its value, and its expression as CloudWatch works it out over the same periods."""
    measure = measures()[name]
    settings = measure.settings(**({"namespace": "n", "name": "m"} if name == "metric" else {}))
    queries = measure.queries(settings, Judged("e", "v"))
    span = Span(0, 60 * len(PERIODS), 60)
    series = {
        query: {
            at: value
            for at, period in zip(span.times, PERIODS, strict=True)
            if (value := period.get(query)) is not None
        }
        for query in queries
    }
    found = evaluate(str(measure.expression), Asked(span, dict(series), [*queries], lambda query, width: ({}, {})))
    assert isinstance(found, dict)
    wanted = {
        at: value
        for at, period in zip(span.times, PERIODS, strict=True)
        if (value := measure.value(settings, {query: period.get(query) for query in queries})) is not None
    }
    assert found == pytest.approx(wanted)


def test_what_cloudwatch_cannot_work_out_has_no_expression() -> None:
    assert {name for name, measure in measures().items() if measure.expression is None} == {"outcome", "wrong"}


ACTIONS = {
    "elasticmapreduce:AddStep": "elasticmapreduce:AddJobFlowSteps",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
}
"""What IAM calls otherwise than a task."""
OF_SYNC = re.compile(r"events:(?:DescribeRule|PutRule|PutTargets)|elasticmapreduce:(?:CancelSteps|DescribeStep)")
"""What Step Functions does to hear of the end, and to stop (guide: sagemaker-iam, emr-iam)."""
BESIDE = re.compile(
    r"iam:PassRole|sagemaker:AddTags|sagemaker:(?:Describe|Stop)\w+Job|s3:\w+|cloudwatch:DescribeAlarms"
)
"""What such calls need, or their wait; guardrails look at alarms as whoever asked for the deployment."""


def actions(machine: Mapping[str, Any]) -> set[str]:
    """That tasks take."""
    found = set()
    for _, state in states(machine):
        task = re.fullmatch(r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\..+)?", state.get("Resource") or "")
        if task is not None:
            service = {"sagemakerruntime": "sagemaker", "applicationautoscaling": "application-autoscaling"}
            named = f"{service.get(task[1], task[1])}:{task[2][0].upper()}{task[2][1:]}"
            found.add(ACTIONS.get(named, named))
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_machine_may_what_its_tasks_ask_and_nothing_else(case: Case) -> None:
    around = Surroundings("prod", "eu-west-1", ROLE, "ours", prefix="ml")
    machine = written(checked(case[0]), "aws").machine
    asked = actions(machine)
    found = policy(machine_needs(checked(case[0]), around, machine)).document["Statement"]
    allowed = {action for statement in found for action in statement["Action"]}
    assert asked - allowed == set()
    assert {item for item in allowed - asked if not OF_SYNC.fullmatch(item) and not BESIDE.fullmatch(item)} == set()


@pytest.mark.parametrize("written_", DECLARED.values(), ids=DECLARED.keys())
def test_a_promotion_may_what_its_tasks_ask_and_nothing_else(written_: str) -> None:
    around = Surroundings("production", "eu-west-1", ROLE, "ours")
    asked = actions(promotion_of(written_))
    found = policy(promotion_needs(declared(written_), around)).document["Statement"]
    allowed = {action for statement in found for action in statement["Action"]}
    assert asked - allowed == set()
    assert {item for item in allowed - asked if not BESIDE.fullmatch(item)} == set()
