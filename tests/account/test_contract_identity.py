"""Roles, keys and schedules as all accounts answer them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account import Account
from mlops.account.local import LocalAccount

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
POLICY = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_roles_are_made_found_listed_and_removed(account: Account) -> None:
    iam = account.client("iam")
    name = f"role-{uuid.uuid4().hex[:8]}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description="some")["Role"]
    assert made["Arn"].endswith(f":role/{name}")
    found = iam.get_role(RoleName=name)["Role"]
    assert (found["Arn"], found["Description"]) == (made["Arn"], "some")
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST), "botocore reads what is quoted"
    assert name in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    with refused("EntityAlreadyExists"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName=name)
    with refused("NoSuchEntity"):
        iam.delete_role(RoleName=name)


SCHEDULE = {
    "Name": "daily",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p",
        "RoleArn": "arn:aws:iam::000000000000:role/r",
    },
}


def test_schedules_are_made_found_changed_listed_and_removed(account: Account) -> None:
    scheduler = account.client("scheduler")
    scheduler.create_schedule_group(Name="team")
    arn = scheduler.create_schedule(**SCHEDULE, GroupName="team", Description="some")["ScheduleArn"]
    assert arn.endswith(":schedule/team/daily")
    found = scheduler.get_schedule(Name="daily", GroupName="team")
    assert (found["Arn"], found["ScheduleExpression"], found["State"], found["Description"]) == (
        arn,
        "rate(1 day)",
        "ENABLED",
        "some",
    )
    with refused("ConflictException"):
        scheduler.create_schedule(**SCHEDULE, GroupName="team")
    scheduler.update_schedule(**{**SCHEDULE, "GroupName": "team", "ScheduleExpression": "rate(2 days)"})
    assert scheduler.get_schedule(Name="daily", GroupName="team")["ScheduleExpression"] == "rate(2 days)"
    assert [item["Name"] for item in scheduler.list_schedules(GroupName="team")["Schedules"]] == ["daily"]
    assert {"default", "team"} <= {item["Name"] for item in scheduler.list_schedule_groups()["ScheduleGroups"]}
    scheduler.delete_schedule(Name="daily", GroupName="team")
    with refused("ResourceNotFoundException"):
        scheduler.get_schedule(Name="daily", GroupName="team")
    scheduler.delete_schedule_group(Name="team")
    with refused("ResourceNotFoundException"):
        scheduler.get_schedule_group(Name="team")


def test_a_schedule_that_never_fires_is_refused(local: LocalAccount) -> None:
    with refused("ValidationException"):
        local.client("scheduler").create_schedule(**{**SCHEDULE, "ScheduleExpression": "rate(1 days)"})


def test_policies_are_attached_and_detached(local: LocalAccount) -> None:
    """moto knows AWS's own policies only where it is told to load them."""
    iam = local.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    for _ in range(2):
        iam.attach_role_policy(RoleName="r", PolicyArn=POLICY)
    (attached,) = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == {"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": POLICY}
    iam.detach_role_policy(RoleName="r", PolicyArn=POLICY)
    assert iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"] == []


def test_a_role_or_key_that_nobody_has_made_is_taken_to_be_there(local: LocalAccount) -> None:
    """An author's names are of another account; clients look them up before they use them."""
    role = local.client("iam").get_role(RoleName="SageMakerRole")["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/SageMakerRole"
    kms = local.client("kms")
    first, again = (kms.describe_key(KeyId="alias/data")["KeyMetadata"] for _ in range(2))
    assert first["KeyState"] == "Enabled" and first == again
    assert kms.describe_key(KeyId=first["Arn"])["KeyMetadata"]["KeyId"] == first["KeyId"]
    with refused("NotFoundException"):
        kms.describe_key(KeyId="no key")
    with refused("UnknownOperationException"):
        kms.encrypt(KeyId="alias/data", Plaintext=b"x")
