"""What a bucket is configured with, kept as it is put. Nothing here acts on it: there is one version of an object, all
lie on this disk in clear, nobody is kept from any, and no rule expires or copies one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.s3.buckets import CONFIGURED, need_bucket
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State

Operation: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]
_NONE = {
    "PublicAccessBlockConfiguration": (
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    "OwnershipControls": ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    "ServerSideEncryptionConfiguration": (
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    "LifecycleConfiguration": ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    "Policy": ("NoSuchBucketPolicy", "The bucket policy does not exist"),
    "ReplicationConfiguration": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "Tagging": ("NoSuchTagSet", "The TagSet does not exist"),
}


def _put(member: str) -> Operation:
    def put(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        need_bucket(state, request["Bucket"])
        if request.get(member) is None:
            raise Refusal("MalformedXML", "The XML you provided was not well-formed")
        _keep(state, request["Bucket"], member, request[member])
        return {}

    return put


def _get(member: str, told: Callable[[Any], Mapping[str, Any]]) -> Operation:
    def get(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        found = _kept(state, request["Bucket"]).get(member)
        if found is None:
            code, said = _NONE[member]
            raise Refusal(code, said, 404, BucketName=request["Bucket"])
        return told(found)

    return get


def _delete(member: str) -> Operation:
    def delete(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
        _keep(state, request["Bucket"], member, None)
        return {}

    return delete


def put_bucket_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        right = isinstance(json.loads(request["Policy"]), dict)
    except (ValueError, RecursionError):
        right = False
    if not right:
        raise Refusal("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    _keep(state, request["Bucket"], "Policy", request["Policy"])
    return {}


def get_bucket_versioning(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nothing of a bucket that never had versions."""
    return dict(_kept(state, request["Bucket"]).get("VersioningConfiguration") or {})


def _kept(state: State, bucket: str) -> Mapping[str, Any]:
    need_bucket(state, bucket)
    return resources.find(state, CONFIGURED, bucket) or {}


def _keep(state: State, bucket: str, member: str, value: Any) -> None:
    with state.store.transaction():
        need_bucket(state, bucket)
        before = resources.find(state, CONFIGURED, bucket)
        body = {**(before or {}), member: value}
        if before is None:
            taken = Refusal("OperationAborted", "A conflicting conditional operation is in progress.", 409)
            resources.insert(state, CONFIGURED, bucket, body, taken=taken)
        else:
            resources.replace(state, CONFIGURED, bucket, body)


_NAMES = {
    "BucketOwnershipControls": "OwnershipControls",
    "BucketEncryption": "ServerSideEncryptionConfiguration",
    "BucketTagging": "Tagging",
    "PublicAccessBlock": "PublicAccessBlockConfiguration",
    "BucketReplication": "ReplicationConfiguration",
}


def _of(member: str) -> Callable[[Any], Mapping[str, Any]]:
    return lambda found: {member: found}


OPERATIONS: Mapping[str, Operation] = {
    **{f"Put{name}": _put(member) for name, member in _NAMES.items()},
    **{f"Get{name}": _get(member, _of(member)) for name, member in _NAMES.items() if member != "Tagging"},
    "DeleteBucketPolicy": _delete("Policy"),
    "DeleteBucketReplication": _delete("ReplicationConfiguration"),
    "GetBucketLifecycleConfiguration": _get("LifecycleConfiguration", dict),
    "GetBucketPolicy": _get("Policy", _of("Policy")),
    "GetBucketTagging": _get("Tagging", dict),
    "GetBucketVersioning": get_bucket_versioning,
    "PutBucketLifecycleConfiguration": _put("LifecycleConfiguration"),
    "PutBucketPolicy": put_bucket_policy,
    "PutBucketVersioning": _put("VersioningConfiguration"),
}
