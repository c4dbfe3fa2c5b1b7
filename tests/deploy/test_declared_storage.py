"""Declared buckets and keys in an account: made in parts, gone on with, changed where they stand, never emptied."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import CONTENT, RESOURCE
from mlops.ir import Refusal

from .conftest import World
from .cut_off import killed_behind
from .test_declared import planned, upserted

DECLARED = """
from mlops import resources
key = resources.Key("ml", description="{a}")
resources.Bucket("acme-data", kms_key=key.key_arn, expire={{"tmp/": 7}}, tags={{"team": "growth"}})
"""
OTHER = DECLARED.replace('expire={{"tmp/": 7}}, ', "versions=False, ")


def tags(world: World) -> dict[str, str]:
    found = world.account.client("s3").get_bucket_tagging(Bucket="acme-data")["TagSet"]
    return {item["Key"]: item["Value"] for item in found}


def test_they_are_made_changed_and_a_second_upsert_has_nothing_to_do(world: World) -> None:
    assert [action.label for action in planned(world, DECLARED).actions] == [
        "create the key ml",
        "create the bucket acme-data",
    ]
    upserted(world, DECLARED)
    assert not planned(world, DECLARED).actions
    s3, kms = world.account.client("s3"), world.account.client("kms")
    (alias,) = [item for item in kms.list_aliases()["Aliases"] if item["AliasName"] == "alias/ml"]
    assert kms.get_key_rotation_status(KeyId=alias["TargetKeyId"])["KeyRotationEnabled"]
    assert all(s3.get_public_access_block(Bucket="acme-data")["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_encryption(Bucket="acme-data")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].endswith(":alias/ml")
    policy = json.loads(s3.get_bucket_policy(Bucket="acme-data")["Policy"])
    assert [item["Sid"] for item in policy["Statement"]] == ["TlsAlone", "NothingUnencrypted"]
    assert (tags(world)[RESOURCE], tags(world)["team"]) == ("bucket acme-data", "growth")

    s3.put_bucket_tagging(Bucket="acme-data", Tagging={"TagSet": listed({**tags(world), "theirs": "kept"})})
    assert [action.label for action in planned(world, OTHER, a="2").actions] == [
        "update the key ml",
        "update the bucket acme-data",
    ]
    upserted(world, OTHER, a="2")
    assert s3.get_bucket_versioning(Bucket="acme-data")["Status"] == "Suspended"
    assert tags(world)["theirs"] == "kept"
    assert not planned(world, OTHER, a="2").actions
    s3.put_bucket_policy(Bucket="acme-data", Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    assert planned(world, OTHER, a="2").drift == (
        "the bucket acme-data was changed by somebody else; --force overwrites that",
    )
    with pytest.raises(Refusal, match="changed by somebody else"):
        upserted(world, OTHER, a="2")


COPIED = """
from mlops import resources
resources.Bucket("acme-data", {a})
"""


def test_its_replica_is_made_changed_and_no_more(world: World) -> None:
    if world.account.here is None:
        world.account.client("s3").create_bucket(Bucket="acme-far")
        versions = {"Status": "Enabled"}
        world.account.client("s3").put_bucket_versioning(Bucket="acme-far", VersioningConfiguration=versions)
    key = "arn:aws:kms:eu-west-1:123456789012:key/far"
    rows: list[tuple[str, Any]] = [('replica=resources.Replica("acme-far")', None)]
    if world.account.here is not None:  # moto forgets prefixes, and what is encrypted
        rows += [
            ('replica=resources.Replica("acme-far", prefix="raw/")', None),
            (f'replica=resources.Replica("acme-far", kms_key="{key}")', {"ReplicaKmsKeyID": key}),
        ]
    for more, encrypted in rows:
        upserted(world, COPIED, a=more)
        assert not planned(world, COPIED, a=more).actions
        told = world.account.client("s3").get_bucket_replication(Bucket="acme-data")["ReplicationConfiguration"]
        (rule,) = told["Rules"]
        assert (told["Role"], rule["Destination"]["Bucket"]) == (world.environment.role, "arn:aws:s3:::acme-far")
        assert rule["Destination"].get("EncryptionConfiguration") == encrypted
    upserted(world, COPIED, a="")
    assert not planned(world, COPIED, a="").actions
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFound"):
        world.account.client("s3").get_bucket_replication(Bucket="acme-data")


WHOLE = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
ROOT = "arn:aws:iam::{}:root"


@pytest.mark.parametrize("world", ["local"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        {**WHOLE, "Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "000000000000"}}},
        {**WHOLE, "Principal": {"AWS": ROOT.format("000000000000")}},
        {**WHOLE, "Principal": {"AWS": ROOT.format("111122223333")}},
        {**WHOLE, "Sid": "Enable IAM User Permissions", "Principal": {"AWS": ROOT.format("111122223333")}},
    ],
    ids=["anybody's", "the account's own", "another account's", "another account's, called as the default"],
)
def test_a_key_has_the_policy_that_is_declared(world: World, statement: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    key = f'from mlops import resources\nresources.Key("ml", policy={policy!r})'.replace("{", "{{").replace("}", "}}")
    upserted(world, key)
    kms = world.account.client("kms")
    asked = {"KeyId": "alias/ml", "PolicyName": "default"}
    assert json.loads(kms.get_key_policy(**asked)["Policy"]) == policy
    assert not planned(world, key).actions
    kms.put_key_policy(**asked, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    assert planned(world, key).drift


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def test_nothing_that_holds_something_is_removed(world: World) -> None:
    upserted(world, DECLARED)
    s3 = world.account.client("s3")
    # moto asks for no condition of a policy, and refuses everything.
    s3.delete_bucket_policy(Bucket="acme-data")
    s3.put_object(Bucket="acme-data", Key="a", Body=b"1")
    removal = plan_removal(world.account, world.environment, "acme-data")
    assert (removal.labels, len(removal.stays)) == ((), 1) and "not empty" in removal.stays[0]
    destroy(world.account, world.environment, removal)
    assert s3.head_object(Bucket="acme-data", Key="a")["ContentLength"] == 1
    assert "could not be read" in plan_removal(world.account, world.environment, "ml").stays[0]
    version = s3.head_object(Bucket="acme-data", Key="a").get("VersionId", "null")
    s3.delete_object(Bucket="acme-data", Key="a", VersionId=version)
    removal = plan_removal(world.account, world.environment, "acme-data")
    assert removal.labels == ("bucket acme-data",)
    destroy(world.account, world.environment, removal)
    assert "acme-data" not in [item["Name"] for item in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("world", ["local"], indirect=True)
@pytest.mark.parametrize("host", ["gitlab", "gitlab.example.org/team"])
def test_an_identity_provider_goes_by_the_name_that_it_was_made_with(world: World, host: str) -> None:
    upserted(world, f'from mlops import resources\nresources.IdentityProvider("{host}")')
    removal = plan_removal(world.account, world.environment, host)
    assert removal.labels == (f"identity-provider {host}",)
    destroy(world.account, world.environment, removal)
    assert world.account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_somebody_elses_bucket_is_told_and_left(world: World) -> None:
    s3 = world.account.client("s3")
    s3.create_bucket(Bucket="acme-data")
    assert planned(world, DECLARED).drift == ("the bucket acme-data was not made by mlops; --force takes it over",)
    with pytest.raises(Refusal, match="not made by mlops"):
        upserted(world, DECLARED)
    assert plan_removal(world.account, world.environment, "acme-data").labels == ()
    upserted(world, DECLARED, force=True)
    assert not planned(world, DECLARED).actions and tags(world)[RESOURCE]


@pytest.mark.parametrize("world", ["local"], indirect=True)
@pytest.mark.parametrize(
    "last", ["CreateAlias", "EnableKeyRotation", "CreateBucket", "PutBucketEncryption", "PutBucketPolicy"]
)
def test_what_was_cut_off_is_gone_on_with(world: World, last: str) -> None:
    with killed_behind(last):
        upserted(world, DECLARED)
    plan = planned(world, DECLARED)
    assert plan.actions and not plan.drift
    upserted(world, DECLARED)
    assert not planned(world, DECLARED).actions and CONTENT in tags(world)
