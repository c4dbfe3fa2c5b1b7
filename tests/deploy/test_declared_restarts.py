"""A declared restart of a notebook instance: the two schedules that it becomes, in an account and in a template, and
what they do here."""

from __future__ import annotations

import json
from typing import Any

from mlops.account.local import LocalAccount
from mlops.account.local.process.clock.target import Delivery
from mlops.account.local.process.clock.targets import operation
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

from .conftest import World
from .cut_off import killed_behind
from .test_declared import LOCAL, planned, upserted

DECLARED = """
from mlops import resources
resources.NotebookRestart("patches", notebook="Research", when="cron({a} 3 ? * SUN *)", timezone="Europe/Berlin",
    tags={{"team": "growth"}})
"""
WHOLE = """
from mlops import resources
n = resources.NotebookInstance("Research", instance="ml.t3.medium", subnet="subnet-1")
resources.NotebookRestart("patches", notebook=n.notebook_name, when="cron(0 3 ? * SUN *)")
"""
GROUP = "mlops-restart-patches"


def schedules(world: World) -> dict[str, Any]:
    scheduler = world.account.client("scheduler")
    names = [item["Name"] for item in scheduler.list_schedules(GroupName=GROUP)["Schedules"]]
    return {name: scheduler.get_schedule(Name=name, GroupName=GROUP) for name in names}


def times(world: World) -> dict[str, str]:
    return {name: item["ScheduleExpression"] for name, item in schedules(world).items()}


@LOCAL
def test_it_is_planned_made_changed_and_removed(world: World) -> None:
    upserted(world, DECLARED, a="0")
    assert not planned(world, DECLARED, a="0").actions
    found = schedules(world)
    assert times(world) == {"patches-stop": "cron(0 3 ? * SUN *)", "patches-start": "cron(15 3 ? * SUN *)"}
    assert {item["ScheduleExpressionTimezone"] for item in found.values()} == {"Europe/Berlin"}
    target = found["patches-stop"]["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:stopNotebookInstance"
    assert found["patches-start"]["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:startNotebookInstance"
    assert json.loads(target["Input"]) == {"NotebookInstanceName": "Research"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    assert [action.label for action in planned(world, DECLARED, a="30").actions] == [
        "update the notebook-restart patches"
    ]
    upserted(world, DECLARED, a="30")
    assert times(world) == {"patches-stop": "cron(30 3 ? * SUN *)", "patches-start": "cron(45 3 ? * SUN *)"}
    assert not planned(world, DECLARED, a="30").actions
    world.account.client("scheduler").delete_schedule(Name="patches-start", GroupName=GROUP)
    assert planned(world, DECLARED, a="30").drift
    destroy(world.account, world.environment, plan_removal(world.account, world.environment, "patches"))
    assert not planned(world, DECLARED, a="30").drift


@LOCAL
def test_what_was_cut_off_between_the_two_is_gone_on_with(world: World) -> None:
    with killed_behind("CreateSchedule"):
        upserted(world, DECLARED, a="0")
    upserted(world, DECLARED, a="0")
    assert set(times(world)) == {"patches-stop", "patches-start"}
    assert not planned(world, DECLARED, a="0").actions


@LOCAL
def test_when_its_times_come_the_instance_stops_and_starts(world: World) -> None:
    upserted(world, WHOLE)
    assert isinstance(world.account, LocalAccount)
    seen = []
    for name in ("patches-stop", "patches-start"):
        target = schedules(world)[name]["Target"]
        operation.deliver(world.account.state, Delivery(target, target["Input"], "t", name, {}))
        told = world.account.client("sagemaker").describe_notebook_instance(NotebookInstanceName="Research")
        seen.append(told["NotebookInstanceStatus"])
    assert seen == ["Stopped", "InService"]


@LOCAL
def test_a_template_has_both_and_its_role_may_restart_that_instance_alone(world: World) -> None:
    role = "arn:aws:iam::123456789012:role/pipelines"
    environment = f'account = "123456789012"\nregion = "us-east-1"\nrole = "{role}"\nbucket = "acme-ml"\n'
    (world.folder / "mlops.toml").write_text(f"[env.production]\n{environment}")
    (world.folder / "serving.py").write_text(WHOLE)
    for name in ("cloudformation", "terraform"):
        text = emit(modules(targets)[name], str(world.folder / "serving.py"), "production", unheard, "json").text
        assert all(f"aws-sdk:sagemaker:{verb}NotebookInstance" in text for verb in ("stop", "start"))
    text = emit(
        modules(targets)["cloudformation"], str(world.folder / "serving.py"), "production", unheard, "json"
    ).text
    resources = json.loads(text)["Resources"]
    found = {
        item["Properties"]["Name"]: item["Properties"]
        for item in resources.values()
        if item["Type"] == "AWS::Scheduler::Schedule"
    }
    assert {name: item["ScheduleExpression"] for name, item in found.items()} == {
        "patches-stop": "cron(0 3 ? * SUN *)",
        "patches-start": "cron(15 3 ? * SUN *)",
    }
    (group,) = [name for name, item in resources.items() if item["Type"] == "AWS::Scheduler::ScheduleGroup"]
    assert [item["GroupName"] for item in found.values()] == [{"Ref": group}] * 2
    trusted = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [item["Principal"]["Service"] for item in trusted] == ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
    statements = {item["Sid"]: item for item in resources["RolePolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    assert statements["RestartNotebooks"] == {
        "Sid": "RestartNotebooks",
        "Effect": "Allow",
        "Action": ["sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance"],
        "Resource": ["arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/research"],
    }
