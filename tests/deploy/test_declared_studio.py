"""Declared domains, users and spaces of Studio in an account: moto knows domains alone."""

from __future__ import annotations

import pytest

from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.resources.studio_domain import RESOURCE_TYPE
from mlops.ir import Refusal

from .conftest import World
from .test_declared import LOCAL, planned, upserted

DOMAIN = """
from mlops import resources
d = resources.StudioDomain("research", vpc="vpc-1", subnets=["subnet-1"], idle={a})
"""
DECLARED = (
    DOMAIN
    + """
ada = resources.UserProfile("ada", domain=d, tags={{"team": "growth"}})
resources.Space("lab", owner=ada, volume=50, idle={a})
"""
)


def labels(world: World, text: str, a: str = "60") -> list[str]:
    return [action.label for action in planned(world, text, a).actions]


def test_a_domain_is_made_once_and_somebody_elses_is_told(world: World) -> None:
    sagemaker = world.account.client("sagemaker")
    upserted(world, DOMAIN, a="60")
    (domain,) = sagemaker.list_domains()["Domains"]
    assert domain["DomainName"] == "research"
    tags = sagemaker.list_tags(ResourceArn=domain["DomainArn"])["Tags"]
    assert {"Key": RESOURCE, "Value": "studio-domain research"} in tags
    assert not planned(world, DOMAIN, a="60").actions
    assert labels(world, DOMAIN, a="120") == ["update the studio-domain research"]


@LOCAL
def test_they_come_one_after_the_other_are_changed_and_go(world: World) -> None:
    made = [
        "create the studio-domain research",
        "create the user-profile research/ada",
        "create the space research/lab",
    ]
    assert labels(world, DECLARED) == made
    upserted(world, DECLARED, a="60")
    assert not planned(world, DECLARED, a="60").actions
    sagemaker = world.account.client("sagemaker")
    domain = sagemaker.list_domains()["Domains"][0]["DomainId"]
    arn = sagemaker.describe_user_profile(DomainId=domain, UserProfileName="ada")["UserProfileArn"]
    assert {"Key": "team", "Value": "growth"} in sagemaker.list_tags(ResourceArn=arn)["Tags"]

    assert labels(world, DECLARED, a="120") == ["update the studio-domain research", "update the space research/lab"]
    upserted(world, DECLARED, a="120")
    space = sagemaker.describe_space(DomainId=domain, SpaceName="lab")["SpaceSettings"]
    idle = space["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert idle == {"IdleTimeoutInMinutes": 120} and not planned(world, DECLARED, a="120").actions
    with pytest.raises(Refusal, match="has 50 GB and can only grow"):
        upserted(world, DECLARED.replace("volume=50", "volume=20"), a="120")
    with pytest.raises(Refusal, match="SpaceSharingSettings of the space research/lab cannot be changed"):
        upserted(world, DECLARED.replace("volume=50", "volume=50, shared=True"), a="120")

    def removal(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        found = plan_removal(world.account, world.environment, name)
        destroy(world.account, world.environment, found)
        return found.labels, found.stays

    assert removal("research") == ((), ("studio-domain research stays: it has users and spaces; remove these first",))
    assert removal("research/ada") == ((), ("user-profile research/ada stays: it owns lab; remove these first",))
    for name in ("research/lab", "research/ada", "research"):
        assert removal(name)[0]
    assert not sagemaker.list_domains()["Domains"]


def test_states_are_waited_for_a_failure_is_told_and_what_is_filled_in_is_no_drift() -> None:
    kept = RESOURCE_TYPE.kept
    assert kept is not None
    rows = {"Pending": ("pending", None), "InService": (None, None), "Update_Failed": (None, "no subnet")}
    for status, wanted in rows.items():
        reply = {"Status": status, "FailureReason": "no subnet"}
        assert (kept.busy(reply), kept.failed(reply)) == wanted
    declared = {"DefaultUserSettings": {"SecurityGroups": ["sg-2", "sg-1"]}}
    told = {"DefaultUserSettings": {"SecurityGroups": ["sg-1", "sg-2"], "AutoMountHomeEFS": "Enabled"}, "Url": "x"}
    assert kept.form(declared) == RESOURCE_TYPE.read(told)
