"""Declared domains, users and spaces of Studio: the requests that they become, what is told of them, their template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.emit import targets
from mlops.ir import UsageError, unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

ROLE = "arn:aws:iam::123456789012:role/pipelines"
TOML = f"""
[env.production]
account = "123456789012"
region = "us-east-1"
role = "{ROLE}"
bucket = "acme-ml"
subnets = ["subnet-1", "subnet-2"]
security_groups = ["sg-1"]
kms_key = "arn:aws:kms:us-east-1:123456789012:key/1"
"""
DOMAIN = 'd = resources.StudioDomain("research", vpc="vpc-1"{more})\n'
ADA = 'ada = resources.UserProfile("ada", domain=d{more})\n'
SPACE = 'resources.Space("lab", owner=ada{more})\n'


def opened(folder: Path, *lines: str) -> Any:
    (folder / "mlops.toml").write_text(TOML)
    (folder / "studio.py").write_text("from mlops import resources\n" + "".join(lines))
    return open_targets([str(folder / "studio.py")], "production")


def text(domain: str = "", ada: str = "", space: str = "") -> tuple[str, str, str]:
    return DOMAIN.format(more=domain), ADA.format(more=ada), SPACE.format(more=space)


def test_what_they_say_is_the_request(tmp_path: Path) -> None:
    found = opened(
        tmp_path, *text(', repositories=["https://git.acme.example/a"]', ", idle=90", ", volume=50, idle=120")
    )
    assert not found.findings, found.findings
    by_type = {step.type: step.arguments for step in found.resources[0].definition.steps}
    domain = by_type["StudioDomain"]
    assert (domain["AppNetworkAccessType"], domain["VpcId"], domain["AuthMode"]) == ("VpcOnly", "vpc-1", "IAM")
    assert domain["SubnetIds"] == ("subnet-1", "subnet-2") and domain["KmsKeyId"].endswith("key/1")
    users = domain["DefaultUserSettings"]
    assert (users["ExecutionRole"], users["SecurityGroups"]) == (ROLE, ("sg-1",))
    idle = users["CodeEditorAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert idle == {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 60}
    assert users["JupyterLabAppSettings"]["CodeRepositories"] == ({"RepositoryUrl": "https://git.acme.example/a"},)
    assert "CodeEditorAppSettings" not in domain["DefaultSpaceSettings"]
    user = by_type["UserProfile"]["UserSettings"]
    assert user["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]["IdleTimeoutInMinutes"] == 90
    space = by_type["Space"]
    assert (space["OwnershipSettings"], space["SpaceSharingSettings"]) == (
        {"OwnerUserProfileName": "ada"},
        {"SharingType": "Private"},
    )
    assert space["SpaceSettings"]["SpaceStorageSettings"] == {"EbsStorageSettings": {"EbsVolumeSizeInGb": 50}}


CLASSIC = ', arguments={"DefaultUserSettings": {"KernelGatewayAppSettings": {"CustomImages": []}}}'
GITHUB = ', repositories=["https://github.com/acme/notebooks"]'
RULES = {
    "the internet": ("X993", 2, text(", internet=True"), text()),
    "never idle": ("X994", 2, text(", idle=None"), text(", idle=120")),
    "classic": ("X995", 2, text(CLASSIC), text()),
    "a classic space": (
        "X995",
        4,
        text(space=', arguments={"SpaceSettings": {"AppType": "JupyterServer"}}'),
        text(space=', application="CodeEditor"'),
    ),
    "a clone from outside": ("X996", 2, text(GITHUB), text(', repositories=["https://git.acme.example/a"]')),
    "a user's clone": ("X996", 3, text(ada=GITHUB), text(ada=', repositories=["https://git.acme.example/a"]')),
    "idle where nothing is stopped": ("X997", 4, text(", idle=None", space=", idle=120"), text(space=", idle=120")),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_a_rule_fires_and_does_not(case: str, tmp_path: Path) -> None:
    code, line, bad, good = RULES[case]
    found = opened(tmp_path, *bad).findings
    assert code in [item.code for item in found] and {item.where.line for item in found if item.code == code} == {line}
    assert opened(tmp_path, *good).findings == ()


MISTAKES = [
    (text(", idle=5"), "IdleTimeoutInMinutes"),
    (text(space=", volume=2"), "EbsVolumeSizeInGb"),
    (text(space=', application="RStudio"'), "RStudio"),
    ((DOMAIN.format(more="").replace("research", "re_search"),), "re_search"),
]


@pytest.mark.parametrize(("lines", "said"), MISTAKES)
def test_what_the_service_refuses_is_told(lines: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert any(said in str(finding) for finding in opened(tmp_path, *lines).findings)


def test_a_template_says_what_it_has_no_member_for(tmp_path: Path) -> None:
    opened(tmp_path, *text(space=", idle=120"))
    with pytest.raises(
        UsageError, match=r"studio\.py:4: the space research/lab has idle=, which CloudFormation has no"
    ):
        emit(modules(targets)["cloudformation"], str(tmp_path / "studio.py"), "production", unheard, "json")


def test_a_template_has_them_with_the_domains_id(tmp_path: Path) -> None:
    opened(tmp_path, *text())
    told = emit(modules(targets)["cloudformation"], str(tmp_path / "studio.py"), "production", unheard, "json").text
    kinds = {resource["Type"]: (name, resource) for name, resource in json.loads(told)["Resources"].items()}
    domain, described = kinds["AWS::SageMaker::Domain"]
    assert described["DeletionPolicy"] == "Retain" and described["Properties"]["DomainName"] == "research"
    user = kinds["AWS::SageMaker::UserProfile"][1]["Properties"]
    assert (user["DomainId"], user["UserProfileName"]) == ({"Ref": domain}, "ada")
    space = kinds["AWS::SageMaker::Space"][1]
    assert (space["Properties"]["DomainId"], space["Properties"]["SpaceName"]) == ({"Ref": domain}, "lab")
    assert kinds["AWS::SageMaker::UserProfile"][0] in space["DependsOn"]
    (tmp_path / "template.json").write_text(told)
    found = open_targets([str(tmp_path / "template.json")], "local").findings
    assert [item for item in found if item.severity.name == "ERROR"] == []
