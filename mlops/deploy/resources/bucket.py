"""Buckets of S3, declared beside pipelines: made bare, with tags, and then closed and encrypted part by part. One that
holds anything is not removed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir.resource import ITSELF, Call, Declarable, FromTemplate, Kept, Others, ResourceType, Told
from mlops.ir.values import Value

_FIRST_REGION = "us-east-1"
"""Which nobody may name as the place of a bucket."""
_COPIED = "ReplicationConfiguration"
_PARTS = {
    "PublicAccessBlockConfiguration": "PutPublicAccessBlock",
    "OwnershipControls": "PutBucketOwnershipControls",
    "ServerSideEncryptionConfiguration": "PutBucketEncryption",
    "VersioningConfiguration": "PutBucketVersioning",
    "LifecycleConfiguration": "PutBucketLifecycleConfiguration",
    _COPIED: "PutBucketReplication",
}
"""Requests' members, in the order in which a bucket gets them: before anything else it is closed."""
_KEPT_OF_ENCRYPTION = ("ApplyServerSideEncryptionByDefault", "BucketKeyEnabled")
_ASKED = {
    "GetPublicAccessBlock": ("NoSuchPublicAccessBlockConfiguration",),
    "GetBucketOwnershipControls": ("OwnershipControlsNotFoundError",),
    "GetBucketEncryption": ("ServerSideEncryptionConfigurationNotFoundError",),
    "GetBucketVersioning": (),
    "GetBucketLifecycleConfiguration": ("NoSuchLifecycleConfiguration",),
    "GetBucketPolicy": ("NoSuchBucketPolicy",),
    "GetBucketReplication": ("ReplicationConfigurationNotFoundError",),
}
"""With what S3 says where a bucket has none."""


def _describe(name: str) -> tuple[Call, ...]:
    """Only of the account's own: of somebody else's S3 says that it is forbidden."""

    def own(told: Mapping[str, Any]) -> str | None:
        return name if any(item["Name"] == name for item in told["Buckets"]) else None

    asked = (Call(operation, {"Bucket": Told(name, own)}, nothing=none) for operation, none in _ASKED.items())
    return (Call("ListBuckets", {"Prefix": name}, pages="Buckets"), *asked)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    policy = reply.get("Policy")
    return _form(
        {
            **{member: reply.get(member) for member in _PARTS},
            "VersioningConfiguration": {"Status": reply["Status"]} if reply.get("Status") else None,
            "LifecycleConfiguration": {"Rules": reply["Rules"]} if reply.get("Rules") else None,
            "Policy": json.loads(policy) if policy else None,
        }
    )


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What can be changed, without what the service fills in."""
    told = {member: properties[member] for member in (*_PARTS, "Policy") if properties.get(member)}
    encrypted = told.get("ServerSideEncryptionConfiguration")
    if encrypted:
        rules = [{part: rule[part] for part in _KEPT_OF_ENCRYPTION if rule.get(part)} for rule in encrypted["Rules"]]
        told["ServerSideEncryptionConfiguration"] = {"Rules": rules}
    if "LifecycleConfiguration" in told:
        rules = sorted(told["LifecycleConfiguration"]["Rules"], key=lambda rule: str(rule.get("ID")))
        told["LifecycleConfiguration"] = {"Rules": rules}
    if told.get("VersioningConfiguration") == {"Status": "Suspended"}:
        # Of a bucket that never had versions the service says nothing.
        del told["VersioningConfiguration"]
    return told


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    region = properties.get("Region")
    place = {"LocationConstraint": region} if region and region != _FIRST_REGION else {}
    tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
    configured = {"CreateBucketConfiguration": {**place, **tags}} if place or tags else {}
    return (Call("CreateBucket", {"Bucket": name, **configured}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    return tuple(_changes(name, _read(reply), properties))


def _changes(name: str, was: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Call]:
    now = _form(properties)
    for member, operation in _PARTS.items():
        if was.get(member) != now.get(member) and properties.get(member):
            yield Call(operation, {"Bucket": name, member: properties[member]})
    if was.get(_COPIED) and not properties.get(_COPIED):
        yield Call("DeleteBucketReplication", {"Bucket": name})
    if was.get("Policy") != now.get("Policy"):
        policy = properties.get("Policy")
        if policy:
            yield Call("PutBucketPolicy", {"Bucket": name, "Policy": json.dumps(policy)})
        else:
            yield Call("DeleteBucketPolicy", {"Bucket": name})


def _holds(inside: Mapping[str, Any]) -> str | None:
    if inside.get("Versions") or inside.get("DeleteMarkers"):
        return "it is not empty; who wants it gone empties it, with its old versions"
    return None


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``arguments=`` took away is not there."""
    told: dict[str, Any] = {"BucketName": name}
    if "ServerSideEncryptionConfiguration" in properties:
        encrypted = [
            {
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
                **({"BucketKeyEnabled": True} if rule.get("BucketKeyEnabled") else {}),
            }
            for rule in properties["ServerSideEncryptionConfiguration"]["Rules"]
        ]
        told["BucketEncryption"] = {"ServerSideEncryptionConfiguration": encrypted}
    told |= {member: properties[member] for member in _ALIKE if member in properties}
    if "LifecycleConfiguration" in properties:
        told["LifecycleConfiguration"] = {"Rules": [*map(_rule, properties["LifecycleConfiguration"]["Rules"])]}
    if _COPIED in properties:
        copied = properties[_COPIED]
        rules = [
            {"Id" if member == "ID" else member: value for member, value in rule.items()} for rule in copied["Rules"]
        ]
        told[_COPIED] = {**copied, "Rules": rules}
    return {**told, **({"Tags": properties["Tags"]} if properties.get("Tags") else {})}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    told = {"Id": rule["ID"], "Status": rule["Status"]}
    if rule.get("Filter", {}).get("Prefix"):
        told["Prefix"] = rule["Filter"]["Prefix"]
    if "Expiration" in rule:
        told["ExpirationInDays"] = rule["Expiration"]["Days"]
    for member in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if member in rule:
            told[member] = rule[member]
    return told


def _beside(name: str, properties: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    if not properties.get("Policy"):
        return {}
    return {"Policy": ("AWS::S3::BucketPolicy", {"Bucket": ITSELF, "PolicyDocument": properties["Policy"]})}


_ALIKE = ("PublicAccessBlockConfiguration", "OwnershipControls", "VersioningConfiguration")
_CARRIED = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration")
_SIMPLE = frozenset({"Id", "Status", "Prefix", "ExpirationInDays", *_CARRIED})
_BESIDE = "AWS::S3::BucketPolicy"
_READ = ("BucketName", "BucketEncryption", "LifecycleConfiguration", "Tags", *_ALIKE)


def _from_template(properties: Mapping[str, Value], others: Others, region: str) -> Declarable:
    told: dict[str, Value] = {"Region": region}
    match properties.get("BucketEncryption"):
        case {"ServerSideEncryptionConfiguration": tuple(rules)}:
            told["ServerSideEncryptionConfiguration"] = {"Rules": tuple(map(_encryption, rules))}
    told |= {member: properties[member] for member in (*_ALIKE, "Tags") if member in properties}
    left = [f"{member}: it is not declared" for member in properties if member not in _READ]
    match properties.get("LifecycleConfiguration"):
        case {"Rules": tuple(rules)} if all(isinstance(rule, Mapping) and set(rule) <= _SIMPLE for rule in rules):
            named = enumerate((rule for rule in rules if isinstance(rule, Mapping)), 1)
            told["LifecycleConfiguration"] = {"Rules": tuple(_declared_rule(rule, number) for number, rule in named)}
        case None:
            pass
        case _:
            left.append("LifecycleConfiguration: it has rules that are not declared")
    policies = [item["PolicyDocument"] for item in others.get(_BESIDE, ()) if "PolicyDocument" in item]
    if policies:
        told["Policy"] = policies[0]
    name = properties.get("BucketName")
    return Declarable(name if isinstance(name, str) else None, told, tuple(left))


def _encryption(rule: Value) -> Value:
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {names.get(key, key): value for key, value in rule.items()} if isinstance(rule, Mapping) else rule


def _declared_rule(rule: Mapping[str, Value], number: int) -> Value:
    days = rule.get("ExpirationInDays")
    kept = {member: rule[member] for member in _CARRIED if member in rule}
    return {
        "ID": rule.get("Id", f"rule {number}"),
        "Status": rule.get("Status", "Enabled"),
        "Filter": {"Prefix": rule.get("Prefix", "")},
        **({"Expiration": {"Days": days}} if days is not None else {}),
        **kept,
    }


RESOURCE_TYPE = ResourceType(
    type="bucket",
    service="s3",
    cloudformation="AWS::S3::Bucket",
    describe=_describe,
    read=_read,
    create=_create,
    update=None,
    inside=lambda name: (Call("ListObjectVersions", {"Bucket": name, "MaxKeys": 1}),),
    delete=lambda name, inside: (Call("DeleteBucket", {"Bucket": name}),),
    permissions=("iam:PassRole", "s3:TagResource"),
    templated=_templated,
    from_template=FromTemplate(_from_template, {_BESIDE: "Bucket"}),
    accompanied=_beside,
    retained=True,
    policies_say={
        "ListBuckets": "ListAllMyBuckets",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "GetBucketReplication": f"Get{_COPIED}",
        "PutBucketReplication": f"Put{_COPIED}",
        "DeleteBucketReplication": f"Put{_COPIED}",
        "ListObjectVersions": "ListBucketVersions",
    },
    kept=Kept(
        called=r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]",
        named="BucketName",
        arn="arn:{partition}:s3:::{name}",
        tags=lambda arn, name: Call("GetBucketTagging", {"Bucket": name}, nothing=("NoSuchTagSet",)),
        told=lambda reply: {item["Key"]: item["Value"] for item in reply.get("TagSet", ())},
        tag=lambda arn, name, tags: Call("PutBucketTagging", {"Bucket": name, "Tagging": {"TagSet": tags}}),
        replaces_tags=True,
        change=_change,
        form=_form,
        in_parts=True,
        behind=("key",),
        stays=_holds,
        anywhere=("ListBuckets",),
    ),
)
