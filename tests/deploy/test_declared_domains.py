"""A declared domain: what it says, what does not go together, and its calls, answered by moto."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from mlops.check.sources import open_targets
from mlops.cli import cli
from mlops.deploy.calls import method
from mlops.deploy.declared.destroy import plan_removal
from mlops.deploy.resources.domain import RESOURCE_TYPE
from mlops.ir.resource import Call, declared_resources

from .conftest import World
from .test_declared import planned, upserted

SMALL = 'resources.Domain("events", instance="r6g.large.search", volume=resources.Volume(100){more})\n'
ACCOUNT = """[env.production]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
"""
LARGE = """resources.Domain(
    "events", instance="r6g.large.search", count=3, zones=3, standby=True, volume=resources.Volume(100, throughput=250),
    masters=resources.Nodes("m6g.large.search", 3), warm=resources.Nodes("ultrawarm1.medium.search", 3), cold=True,
    master="arn:aws:iam::111122223333:role/search", access={"Version": "2012-10-17", "Statement": []},
    tags={"team": "growth"},
    cognito=resources.Cognito("eu-west-1_a", "eu-west-1:b", "arn:aws:iam::111122223333:role/cognito"),
)
"""


def declared(folder: Path, text: str) -> Any:
    (folder / "mlops.toml").touch()
    (folder / "search.py").write_text(f"from mlops import resources\n{text}")
    return open_targets([str(folder / "search.py")], "local")


def properties(folder: Path, text: str) -> dict[str, Any]:
    opened = declared(folder, text)
    assert not opened.findings, opened.findings
    (resource,) = declared_resources(opened.resources[0].definition)
    return resource.plain


def test_what_it_says_is_the_request_and_the_template(tmp_path: Path) -> None:
    told = properties(tmp_path, LARGE)
    cluster = told["ClusterConfig"]
    assert (cluster["DedicatedMasterCount"], cluster["WarmCount"]) == (3, 3)
    assert cluster["ColdStorageOptions"] == {"Enabled": True}
    assert told["DomainEndpointOptions"]["EnforceHTTPS"] and told["NodeToNodeEncryptionOptions"]["Enabled"]
    assert told["AdvancedSecurityOptions"]["MasterUserOptions"]["MasterUserARN"].endswith("role/search")
    assert told["AccessPolicies"] == '{"Statement": [], "Version": "2012-10-17"}'
    written = RESOURCE_TYPE.in_template("events", told)
    assert (written["DomainName"], written["AccessPolicies"]) == ("events", {"Version": "2012-10-17", "Statement": []})
    assert written["Tags"] == [{"Key": "team", "Value": "growth"}] and "TagList" not in written


MISTAKES = [
    (SMALL.format(more=", zones=2"), "1 data node (InstanceCount) cannot be in 2 zones"),
    (SMALL.format(more=', cold=True'), "cold storage (ColdStorageOptions) needs UltraWarm"),
    (SMALL.format(more=', masters=resources.Nodes("m6g.large.search", 2)'), "DedicatedMasterCount is 2"),
    ('resources.Domain("events", instance="r6g.large.search")', "needs EBSEnabled with VolumeSize"),
    ('resources.Domain("Events", instance="i3.large.search")', "DomainName"),
    (SMALL.format(more=', access={"Resource": object()}'), "access has a value that is none of JSON"),
    (SMALL.format(more=", auto_tune=True").replace("r6g.large", "t3.small"), "Auto-Tune (AutoTuneOptions) does not go"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_what_does_not_go_together_is_told_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    findings = [finding for finding in declared(tmp_path, text).findings if said in str(finding)]
    assert findings and all(finding.where.line == 2 for finding in findings)


def test_an_account_gets_it_and_the_local_one_says_that_it_has_none(world: World) -> None:
    text = f"from mlops import resources\n{SMALL.format(more='')}"
    plan = planned(world, text)
    if world.account.here is not None:
        assert "the domain events: the local account has no domains of OpenSearch Service" in plan.obstacles[0]
        return
    assert [action.label for action in plan.actions] == ["create the domain events"]
    upserted(world, text)
    assert not planned(world, text).actions
    more = f"from mlops import resources\n{SMALL.format(more=', count=2, zones=2')}"
    assert [action.label for action in planned(world, more).actions] == ["update the domain events"]
    removal = plan_removal(world.account, world.environment, "events")
    assert removal.labels == ("domain events",)


TUNED = [
    # what is declared, the instance type, the State that the service tells, and what is sent where that is to change
    ("", "r6g.large", "ENABLED", None),
    ("", "r6g.large", "DISABLE_IN_PROGRESS", "ENABLED"),
    ("", "t3.small", "DISABLED", None),
    (", auto_tune=False", "t3.small", "DISABLED", None),
    (", auto_tune=True", "r6g.large", "ENABLE_IN_PROGRESS", None),
    (", auto_tune=False", "r6g.large", "ENABLED", "DISABLED"),
    (", auto_tune=False", "r6g.large", "DISABLED_AND_ROLLBACK_COMPLETE", None),
    (", auto_tune=True", "r6g.large", "ERROR", None),
]


@pytest.mark.parametrize(("more", "instance", "state", "sent"), TUNED)
def test_auto_tune_is_what_is_said_or_the_services_own(
    tmp_path: Path, more: str, instance: str, state: str, sent: str | None
) -> None:
    told, kept = properties(tmp_path, SMALL.format(more=more).replace("r6g.large", instance)), RESOURCE_TYPE.kept
    assert kept is not None
    there = {**told, "AutoTuneOptions": {"State": state, "UseOffPeakWindow": False}}
    assert (RESOURCE_TYPE.read({"DomainStatus": there}) == kept.form(told)) == (sent is None)
    calls = kept.change("events", told, {"DomainStatus": there})
    assert [call.request["AutoTuneOptions"] for call in calls] == ([{"DesiredState": sent}] if sent else [])


def test_a_template_has_no_auto_tune_and_terraform_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared(tmp_path, SMALL.format(more=", auto_tune=False"))
    (tmp_path / "mlops.toml").write_text(ACCOUNT)
    monkeypatch.chdir(tmp_path)
    given = CliRunner().invoke(cli, ["emit", "cloudformation", "search.py", "--env", "production"])
    assert "AutoTuneOptions:" not in given.stdout and "DomainName: events" in given.stdout
    assert "the domain events is made without AutoTuneOptions" in given.stderr
    written = json.loads(CliRunner().invoke(cli, ["emit", "terraform", "search.py", "--env", "production"]).stdout)
    (domain,) = written["resource"]["aws_opensearch_domain"].values()
    assert domain["auto_tune_options"] == {"desired_state": "DISABLED"}


def asked(client: Any, *calls: Call) -> Mapping[str, Any]:
    reply: Mapping[str, Any] = {}
    for call in calls:
        reply = getattr(client, method(call.operation))(**call.request)
    return reply


@mock_aws
def test_it_is_made_found_as_declared_changed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client, kept = boto3.client("opensearch", region_name="eu-west-1"), RESOURCE_TYPE.kept
    assert kept is not None
    told = {name: value for name, value in properties(tmp_path, LARGE).items() if name != "TagList"}
    tags = [{"Key": "mlops:resource", "Value": "domain events"}]
    asked(client, *RESOURCE_TYPE.create("events", {**told, "Tags": tags}))
    reply = asked(client, *RESOURCE_TYPE.describe("events"))
    assert kept.found(reply) and RESOURCE_TYPE.read(reply) == kept.form(told)
    arn = kept.arn.format(partition="aws", region="eu-west-1", account="123456789012", name="events")
    assert reply["DomainStatus"]["ARN"] == arn
    assert kept.told(asked(client, kept.tags(arn, "events"))) == {"mlops:resource": "domain events"}

    less = properties(tmp_path, SMALL.format(more=""))
    calls = kept.change("events", less, reply)
    assert [call.operation for call in calls] == ["UpdateDomainConfig"]
    assert calls[0].request["ClusterConfig"]["WarmEnabled"] is False
    assert (calls[0].request["CognitoOptions"], calls[0].request["AccessPolicies"]) == ({"Enabled": False}, "")
    engine = kept.change("events", {**told, "EngineVersion": "OpenSearch_3.1"}, reply)
    (upgrade,) = engine
    assert (upgrade.operation, upgrade.request["TargetVersion"]) == ("UpgradeDomain", "OpenSearch_3.1")
    asked(client, *RESOURCE_TYPE.delete("events", {}))
    left = client.list_domain_names()["DomainNames"]
    assert not left or client.describe_domain(DomainName="events")["DomainStatus"]["Deleted"]
