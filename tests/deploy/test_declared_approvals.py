"""A declared approval: the rule that it becomes, what it starts, and who may."""

from __future__ import annotations

import json

import pytest

from mlops.check.sources import open_targets
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

from .conftest import World
from .test_declared import LOCAL, planned, upserted

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:churn-promotion"
PIPELINE = "arn:aws:codepipeline:us-east-1:123456789012:churn"
DESTINATION = "arn:aws:events:us-east-1:123456789012:api-destination/ci"
DECLARED = """
from mlops import resources
resources.Approval("churn", group="churn", starts="{a}"MORE, tags={{"team": "growth"}})
"""


def declared(more: str = "") -> str:
    return DECLARED.replace("MORE", more)


def test_it_is_planned_made_changed_and_removed(world: World) -> None:
    plan = planned(world, declared(), a=MACHINE)
    if world.account.here is not None:
        assert "the local account has no state machines" in plan.obstacles[0]
        return
    assert [action.label for action in plan.actions] == ["create the approval churn"]
    upserted(world, declared(), a=MACHINE)
    assert not planned(world, declared(), a=MACHINE).actions
    events = world.account.client("events")
    rule = events.describe_rule(Name="mlops-approval-churn")
    assert json.loads(rule["EventPattern"])["detail"] == {
        "ModelPackageGroupName": ["churn"],
        "ModelApprovalStatus": ["Approved"],
    }
    (target,) = events.list_targets_by_rule(Rule="mlops-approval-churn")["Targets"]
    assert (target["Arn"], target["InputTransformer"]["InputTemplate"]) == (MACHINE, '{"ModelPackageArn": <version>}')
    assert [action.label for action in planned(world, declared(), a=PIPELINE).actions] == ["update the approval churn"]
    upserted(world, declared(), a=PIPELINE)
    (target,) = events.list_targets_by_rule(Rule="mlops-approval-churn")["Targets"]
    assert target["Arn"] == PIPELINE and "InputTransformer" not in target
    assert not planned(world, declared(), a=PIPELINE).actions
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.labels == ("approval churn",)
    destroy(world.account, world.environment, removal)
    assert not events.list_rules()["Rules"]


BODY = ', body={{"ref": "main", "inputs": {{"v": "<version>"}}}}'
STARTED = {
    MACHINE: ("", "states:StartExecution", MACHINE),
    PIPELINE: ("", "codepipeline:StartPipelineExecution", PIPELINE),
    DESTINATION: (BODY, "events:InvokeApiDestination", f"{DESTINATION}/*"),
}


@LOCAL
@pytest.mark.parametrize("started", STARTED)
def test_its_template_has_a_role_that_may_start_it_alone(world: World, started: str) -> None:
    more, action, place = STARTED[started]
    role = "arn:aws:iam::123456789012:role/pipelines"
    environment = f'account = "123456789012"\nregion = "us-east-1"\nrole = "{role}"\nbucket = "acme-ml"\n'
    (world.folder / "mlops.toml").write_text(f"[env.production]\n{environment}")
    (world.folder / "serving.py").write_text(declared(more).format(a=started))
    text = emit(
        modules(targets)["cloudformation"], str(world.folder / "serving.py"), "production", unheard, "json"
    ).text
    resources = json.loads(text)["Resources"]
    (rule,) = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::Events::Rule"]
    (target,) = rule["Targets"]
    if more:
        assert target["InputTransformer"]["InputTemplate"] == '{"inputs": {"v": <version>}, "ref": "main"}'
    (start,) = [
        item
        for item in resources["RolePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if item["Sid"] == "StartPromotions"
    ]
    assert (start["Action"], start["Resource"]) == ([action], [place])
    trusted = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [item["Principal"]["Service"] for item in trusted] == ["sagemaker.amazonaws.com", "events.amazonaws.com"]


@LOCAL
def test_what_cannot_be_started_is_told(world: World) -> None:
    (world.folder / "serving.py").write_text(declared().format(a="arn:aws:s3:::acme-ml"))
    found = open_targets([str(world.folder / "serving.py")], "local").findings
    assert [item.code for item in found] == ["S205"]
