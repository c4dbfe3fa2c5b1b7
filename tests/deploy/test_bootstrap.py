"""What an environment begins with: made once, gone on with, emitted, and as narrow as it is said to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mlops.deploy.declared.wanting import RESOURCE
from mlops.emit import targets
from mlops.ir import Refusal, unheard
from mlops.ir.discovery import modules
from mlops.use_cases import bootstrap
from mlops.use_cases.approval import GIVEN, NOBODY, Consent

from .conftest import World
from .cut_off import killed_behind

PIPELINE = """
from mlops import Pipeline, Processing
with Pipeline("churn"):
    Processing("Work", code="work.py", image="{account}.dkr.ecr.us-east-1.amazonaws.com/steps:1", outputs=["text"])
"""
TOML = """
[env.prod]
account = "{account}"
region = "us-east-1"
role = "arn:aws:iam::{account}:role/team/pipelines"
bucket = "acme-first"
kms_key = "alias/acme"
instance = "ml.m5.large"
approval = {approval}
{url}
[env.prod.ci]
{ci}
"""
GITHUB = 'github = "acme/churn"'
EMPTY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
ROLES = ["pipelines", "pipelines-plan", "pipelines-promote", "pipelines-upsert"]


def project(world: World, monkeypatch: pytest.MonkeyPatch, ci: str = GITHUB, approval: str = "false") -> World:
    monkeypatch.chdir(world.folder)
    url = "" if world.environment.is_local else f'endpoint_url = "{world.environment.endpoint_url}"'
    account = "000000000000" if world.environment.is_local else "123456789012"
    (world.folder / "mlops.toml").write_text(TOML.format(account=account, url=url, ci=ci, approval=approval))
    (world.folder / "pipelines").mkdir(exist_ok=True)
    (world.folder / "pipelines" / "work.py").write_text("print(1)\n")
    (world.folder / "pipelines" / "churn.py").write_text(PIPELINE.format(account=account))
    return world


def planned(**given: Any) -> bootstrap.Planned:
    return bootstrap.plan(bootstrap.Bootstrap("prod", **given), unheard)


def of_iam(found: bootstrap.Planned, role: str) -> tuple[Any, Any]:
    """Its trust and its policy."""
    iam = found.connected.account.client("iam")
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="mlops")["PolicyDocument"]
    return tuple(json.loads(unquote(item)) if isinstance(item, str) else item for item in (trust, policy))


def test_it_is_made_once_and_no_role_is_wider_than_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project(world, monkeypatch)
    found = planned()
    done = bootstrap.apply(found, unheard, GIVEN)
    assert len(done) == 6 + (not world.environment.is_local)
    again = planned()
    assert again.plan.verb == "nothing" and not again.plan.drift and bootstrap.apply(again, unheard) == ()

    iam = found.connected.account.client("iam")
    assert sorted(item["RoleName"] for item in iam.list_roles()["Roles"]) == ROLES
    tags = {item["Key"]: item["Value"] for item in iam.list_role_tags(RoleName="pipelines-plan")["Tags"]}
    assert tags[RESOURCE] == "role team/pipelines-plan"
    trust, policy = of_iam(found, "pipelines-plan")
    subjects = trust["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subjects == ["repo:acme/churn:pull_request", "repo:acme/churn:ref:refs/heads/main"]
    actions = {action.partition(":")[2] for item in policy["Statement"] for action in item["Action"]}
    assert {name for name in actions if not name.startswith(("Describe", "Get", "List"))} == {"Decrypt"}
    trust, policy = of_iam(found, "pipelines-upsert")
    conditions = trust["Statement"][0]["Condition"]["StringEquals"]
    assert conditions["token.actions.githubusercontent.com:sub"] == "repo:acme/churn:environment:prod"
    actions = {action for item in policy["Statement"] for action in item["Action"]}
    assert "sagemaker:CreatePipeline" in actions
    assert not {name for name in actions if name.startswith("iam:") and name != "iam:PassRole"}
    trust, policy = of_iam(found, "pipelines")
    assert trust["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    wide = [item["Action"] for item in policy["Statement"] if "*" in item["Resource"]]
    assert sorted(action for item in wide for action in item) == [
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
    ]


OWN = """
from mlops import Pipeline, Processing
with Pipeline("score", role="arn:aws:iam::{account}:role/team/scoring"):
    Processing("Score", code="work.py", image="{account}.dkr.ecr.us-east-1.amazonaws.com/score:1", outputs=["found"])
"""


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_a_pipeline_with_a_role_of_its_own_has_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project(world, monkeypatch)
    (world.folder / "pipelines" / "own.py").write_text(OWN.format(account="000000000000"))
    found = planned()
    bootstrap.apply(found, unheard, GIVEN)
    assert planned().plan.verb == "nothing"
    roles = found.connected.account.client("iam").list_roles()["Roles"]
    assert sorted(item["RoleName"] for item in roles) == [*ROLES, "scoring"]
    trust, policy = of_iam(found, "scoring")
    assert trust["Statement"] == [
        {
            "Sid": "SageMaker",
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
    text = json.dumps(policy)
    assert "repository/score" in text and "mlops/score/*/Score/output/found*" in text
    assert "repository/steps" not in text and "churn/" not in text and "sagemaker:" not in text


def test_gitlab_and_a_provider_that_is_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project(world, monkeypatch, ci='gitlab = "acme/ml/churn"\nbranch = "release"')
    found = planned()
    iam = found.connected.account.client("iam")
    iam.create_open_id_connect_provider(
        Url="https://gitlab.com", ClientIDList=["https://gitlab.com"], ThumbprintList=["a" * 40]
    )
    found = planned()
    assert any("somebody else" in note for note in found.beginning.notes)
    assert "identity-provider" not in [change.type for change in found.plan.changes]
    bootstrap.apply(found, unheard, GIVEN)
    assert planned().plan.verb == "nothing"
    trust, _ = of_iam(found, "pipelines-upsert")
    conditions = trust["Statement"][0]["Condition"]["StringEquals"]
    assert conditions["gitlab.com:sub"] == "project_path:acme/ml/churn:ref_type:branch:ref:release"
    trust, _ = of_iam(found, "pipelines-plan")
    assert trust["Statement"][0]["Condition"]["StringLike"] == {
        "gitlab.com:sub": "project_path:acme/ml/churn:ref_type:branch:ref:*"
    }


def test_a_protected_environment_asks_and_somebody_elses_role_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(world, monkeypatch)
    asked: list[str] = []
    somebody = Consent(ask=lambda question: bool(asked.append(question)))
    with pytest.raises(Refusal, match="not approved; nothing was changed"):
        bootstrap.apply(planned(), unheard, somebody)
    assert asked[0].startswith("Make or change key acme, identity-provider token.actions.githubusercontent.com")
    project(world, monkeypatch, approval="true")
    with pytest.raises(Refusal, match="the environment prod wants an approval to make or change"):
        bootstrap.apply(planned(), unheard, NOBODY)
    bootstrap.apply(planned(), unheard, GIVEN)
    found = planned()
    assert found.plan.verb == "nothing"
    project(world, monkeypatch)
    iam = planned().connected.account.client("iam")
    iam.put_role_policy(RoleName="pipelines-plan", PolicyName="mlops", PolicyDocument=EMPTY)
    assert planned().plan.drift == (
        "the role team/pipelines-plan was changed by somebody else; --force overwrites that",
    )
    with pytest.raises(Refusal, match="changed by somebody else"):
        bootstrap.apply(planned(), unheard, GIVEN)
    bootstrap.apply(planned(force=True), unheard, GIVEN)
    assert planned().plan.verb == "nothing"


@pytest.mark.parametrize("world", ["local"], indirect=True)
@pytest.mark.parametrize("last", ["CreateAlias", "CreateOpenIDConnectProvider", "CreateRole", "PutRolePolicy"])
def test_what_was_cut_off_is_gone_on_with(world: World, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project(world, monkeypatch)
    with killed_behind(last):
        bootstrap.apply(planned(), unheard, GIVEN)
    assert planned().plan.actions and not planned().plan.drift
    bootstrap.apply(planned(), unheard, GIVEN)
    assert planned().plan.verb == "nothing"


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_as_a_template_it_holds_the_same_roles(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    project(world, monkeypatch)
    found = modules(targets)["cloudformation"]
    text = bootstrap.emitted(bootstrap.Bootstrap("prod"), found, unheard)
    Path("bootstrap.yaml").write_text(text)
    from mlops.check.sources import open_targets

    assert [item for item in open_targets(["bootstrap.yaml"], "local").findings if item.severity.name == "ERROR"] == []
    assert text.count("Type: AWS::IAM::Role\n") == 4 and "AWS::IAM::OIDCProvider" in text
    assert "CreatesRole" not in text
