"""Users and spaces of Studio in the local account: which of them a list tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount

OWNED = {"OwnershipSettings": {"OwnerUserProfileName": "ada"}, "SpaceSharingSettings": {"SharingType": "Private"}}


@pytest.mark.parametrize(
    ("asked", "spaces"),
    [
        ({}, ["lab", "notes"]),
        ({"SpaceNameContains": "ot"}, ["notes"]),
        ({"SpaceNameContains": "d"}, []),
        ({"DomainIdEquals": "d-other"}, []),
    ],
    ids=["all", "a part of the name", "a part of the domain's id", "another domain"],
)
def test_a_list_of_spaces(tmp_path: Path, asked: dict[str, Any], spaces: list[str]) -> None:
    sagemaker = LocalAccount(tmp_path / ".mlops", "us-east-1").client("sagemaker")
    network = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]}
    domain = sagemaker.create_domain(DomainName="research", AuthMode="IAM", DefaultUserSettings={}, **network)
    sagemaker.create_user_profile(DomainId=domain["DomainId"], UserProfileName="ada")
    sagemaker.create_space(DomainId=domain["DomainId"], SpaceName="lab", **OWNED)
    sagemaker.create_space(DomainId=domain["DomainId"], SpaceName="notes")
    found = sagemaker.list_spaces(**asked)["Spaces"]
    assert [item["SpaceName"] for item in found] == spaces
    owners = [item.get("OwnershipSettingsSummary") for item in found]
    assert owners == [OWNED["OwnershipSettings"] if name == "lab" else None for name in spaces]
