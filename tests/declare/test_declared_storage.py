"""Declared buckets and keys: the requests that they become, their template, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.check.templates.judging import judge
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

TOML = """
[env.production]
account = "123456789012"
region = "eu-west-1"
role = "arn:aws:iam::123456789012:role/pipelines"
bucket = "acme-ml"

[env.keyed]
account = "123456789012"
region = "us-east-1"
role = "arn:aws-cn:iam::123456789012:role/pipelines"
bucket = "acme-ml"
kms_key = "alias/ml"
"""
DECLARED = """
key = resources.Key("ml", description="Artefacts", policy={more})
resources.Bucket(
    "acme-data", kms_key=key.key_arn, expire={{"tmp/": 7}}, old_versions=90, tags={{"team": "growth"}},
    access=[{{"Sid": "Read", "Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::111122223333:root"}},
             "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-data/shared/*"}}],
)
"""


def opened(folder: Path, text: str, environment: str = "production") -> Any:
    (folder / "mlops.toml").write_text(TOML)
    (folder / "storage.py").write_text(f"from mlops import resources\n{text}")
    return open_targets([str(folder / "storage.py")], environment)


def request(folder: Path, text: str, environment: str) -> Any:
    found = opened(folder, text, environment)
    assert not found.findings, found.findings
    return found.resources[0].definition.steps[-1].arguments


def test_a_bucket_is_closed_encrypted_and_by_tls_alone(tmp_path: Path) -> None:
    told = request(tmp_path, 'resources.Bucket("acme-data")', "production")
    assert all(told["PublicAccessBlockConfiguration"].values()) and told["Region"] == "eu-west-1"
    assert told["ServerSideEncryptionConfiguration"]["Rules"][0] == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}
    }
    assert told["VersioningConfiguration"] == {"Status": "Enabled"}
    assert [rule["ID"] for rule in told["LifecycleConfiguration"]["Rules"]] == ["unfinished uploads"]
    assert [statement["Sid"] for statement in told["Policy"]["Statement"]] == ["TlsAlone"]
    keyed = request(tmp_path, 'resources.Bucket("acme-data", versions=False)', "keyed")
    assert keyed["ServerSideEncryptionConfiguration"]["Rules"][0] == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/ml"},
        "BucketKeyEnabled": True,
    }
    assert [statement["Sid"] for statement in keyed["Policy"]["Statement"]] == ["TlsAlone", "NothingUnencrypted"]
    assert keyed["Policy"]["Statement"][1]["Resource"] == "arn:aws-cn:s3:::acme-data/*"
    assert keyed["VersioningConfiguration"] == {"Status": "Suspended"}


MISTAKES = [
    ('resources.Bucket("Acme_Data")', "Acme_Data"),
    ('resources.Bucket("ab")', "ab"),
    ('resources.Bucket("acme-data", expire={"tmp/": "soon"})', "soon"),
    ('resources.Key("")', "Alias"),
    ('resources.Bucket("acme..data")', "acme..data"),
    ('resources.Bucket("acme-data", access=[{"Action": 5}])', "access has a statement that is none of a policy"),
    ('resources.Key("aws/ml")', "aws/ml"),
    ('resources.Key("ml", policy={"Statement": object()})', "policy"),
    ('resources.Key("ml", policy={"Statement": [5]})', "policy has a statement that is none of a policy"),
    ('resources.Role("ml", trust={"Statement": 5})', "trust has a statement that is none of a policy"),
    (
        'resources.Role("ml", trust={}, policy={"Statement": {"Action": ["s3:*", 5]}})',
        "policy has a statement that is none of a policy",
    ),
    (
        'resources.Bucket("acme-data", access=[{"Effect": "Allow", "Action": "s3:*", "Resource": "acme-data"}])',
        "says not who may",
    ),
    ('resources.Role("ml", trust={"Version": "2012-10-18"})', "there is no version '2012-10-18'"),
    (
        'resources.Role("ml", trust={}, policy={"Statement": {"Resource": "arn:aws:s3:::" + "x" * 10_300}})',
        "characters, and 10,240 may be",
    ),
    (
        'resources.Role("ml", trust={}, policy={"Statement": {"Condition": {"StringEqual": {}}}})',
        "there is no operator StringEqual",
    ),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_what_is_wrong_is_told_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    findings = [finding for finding in opened(tmp_path, text).findings if said in str(finding)]
    assert findings and all(finding.where.line == 2 for finding in findings)


BUCKETS = 'resources.Bucket("acme"), resources.Bucket("acme-policy")'
KEYS = 'resources.Key("ml"), resources.Key("ml-alias")'


@pytest.mark.parametrize(
    ("declared", "kind", "beside"),
    [
        (BUCKETS, "AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
        (", ".join(reversed(BUCKETS.split(", "))), "AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
        (KEYS, "AWS::KMS::Key", "AWS::KMS::Alias"),
    ],
    ids=["buckets", "the other way round", "keys"],
)
def test_what_is_called_as_what_comes_beside_another_takes_no_place(
    declared: str, kind: str, beside: str, tmp_path: Path
) -> None:
    opened(tmp_path, declared)
    found = modules(targets)["cloudformation"]
    text = emit(found, str(tmp_path / "storage.py"), "production", unheard, "json").text
    made = json.loads(text)["Resources"].values()
    of = [
        item["Properties"].get("Bucket") or item["Properties"]["TargetKeyId"] for item in made if item["Type"] == beside
    ]
    assert [item["Type"] for item in made].count(kind) == len({item["Ref"] for item in of}) == 2


def test_a_template_keeps_them_and_has_policy_and_alias_beside_them(tmp_path: Path) -> None:
    opened(tmp_path, DECLARED.format(more="None"))
    found = modules(targets)["cloudformation"]
    text = emit(found, str(tmp_path / "storage.py"), "production", unheard, "json").text
    template = json.loads(text)["Resources"]
    kinds = {resource["Type"]: (name, resource) for name, resource in template.items()}
    bucket, key = kinds["AWS::S3::Bucket"][1], kinds["AWS::KMS::Key"][0]
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": [key, "Arn"]}
    assert kinds["AWS::KMS::Alias"][1]["Properties"] == {"AliasName": "alias/ml", "TargetKeyId": {"Ref": key}}
    policy = kinds["AWS::S3::BucketPolicy"][1]["Properties"]
    assert policy["Bucket"] == {"Ref": kinds["AWS::S3::Bucket"][0]}
    assert [item["Sid"] for item in policy["PolicyDocument"]["Statement"]] == ["TlsAlone", "NothingUnencrypted", "Read"]
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::S3::BucketPolicy"):
        assert kinds[kind][1]["DeletionPolicy"] == kinds[kind][1]["UpdateReplacePolicy"] == "Retain"
    assert not [finding for finding in judge(text.encode(), "t.json") if finding.severity.name == "ERROR"]


FAR = "arn:aws:kms:us-east-1:123456789012:key/far"
REPLICA = f'replica=resources.Replica("acme-far", kms_key="{FAR}", prefix="raw/")'


def test_a_replica_has_a_role_that_copies_this_bucket_into_that_one_alone(tmp_path: Path) -> None:
    assert not opened(tmp_path, f'resources.Bucket("acme-data", kms_key="alias/ml", {REPLICA})').findings
    source = str(tmp_path / "storage.py")
    text = emit(modules(targets)["cloudformation"], source, "production", unheard, "json").text
    resources = json.loads(text)["Resources"]
    (bucket,) = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::S3::Bucket"]
    (rule,) = bucket["ReplicationConfiguration"]["Rules"]
    assert (rule["Id"], rule["Filter"], rule["SourceSelectionCriteria"]) == (
        "mlops", {"Prefix": "raw/"}, {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    )  # fmt: skip
    statements = {item["Sid"]: item for item in resources["RolePolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    assert statements["CopyObjects"]["Resource"] == ["arn:aws:s3:::acme-far/*"]
    assert statements["ReadVersionsToCopy"]["Resource"] == ["arn:aws:s3:::acme-data/*"]
    assert statements["EncryptCopies"]["Resource"] == [FAR]
    assert statements["DecryptWhatIsCopied"]["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/ml"}
    }
    trusted = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert "s3.amazonaws.com" in [item["Principal"]["Service"] for item in trusted]
    assert judge(text.encode(), "template.json") == ()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('versions=False, replica=resources.Replica("acme-far")', "keeps none"),
        ('kms_key="alias/ml", replica=resources.Replica("acme-far")', "the replica has none"),
    ],
)
def test_a_replica_of_what_is_never_copied_is_told(tmp_path: Path, more: str, says: str) -> None:
    (finding,) = opened(tmp_path, f'resources.Bucket("acme-data", {more})').findings
    assert finding.code == "D064" and says in finding.message
