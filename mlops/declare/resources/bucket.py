"""A bucket of S3: encrypted, closed to the public, by TLS alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from mlops.declare.references import StringProperty, lower
from mlops.declare.resources import replica
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.resources.policy_documents import statement
from mlops.declare.resources.replica import Replica
from mlops.declare.steps.shared_arguments import Count, Flag, Text
from mlops.ir import StepType, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    PLAIN,
    STRING,
    TEXT,
    Constructor,
    Field,
    Given,
    Of,
    Said,
    Spoken,
    Yielded,
    made,
    objects,
)
from mlops.ir.shape_notation import ANY_SHAPE, STRING_SHAPE, structure
from mlops.ir.surroundings import partition_of

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Bucket"]

STEP_TYPE = StepType(
    type="Bucket",
    service="s3",
    arguments=structure(
        ("Bucket", "Region"),
        Bucket={"type": "string", "pattern": r"(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]"},
        Region=STRING_SHAPE,
        ServerSideEncryptionConfiguration={"shape": "ServerSideEncryptionConfiguration", "service": "s3"},
        PublicAccessBlockConfiguration={"shape": "PublicAccessBlockConfiguration", "service": "s3"},
        OwnershipControls={"shape": "OwnershipControls", "service": "s3"},
        VersioningConfiguration={"shape": "VersioningConfiguration", "service": "s3"},
        LifecycleConfiguration={"shape": "BucketLifecycleConfiguration", "service": "s3"},
        ReplicationConfiguration={"shape": "ReplicationConfiguration", "service": "s3"},
        Policy=ANY_SHAPE,
        Tags={"shape": "TagList"},
    ),
    extra_response={"Bucket": None, "BucketArn": None},
    permissions=(),
)
_OWN_STATEMENTS = ("TlsAlone", "NothingUnencrypted")
_CLOSED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
_UNFINISHED_DAYS = 7


def _key(bucket: Bucket, lowering: Lowering) -> Value:
    return lower(bucket.kms_key) if bucket.kms_key is not None else lowering.environment.kms_key


def _encrypted(bucket: Bucket, lowering: Lowering, *_: object) -> Value:
    key = _key(bucket, lowering)
    if key is None:
        return {"Rules": ({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},)}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    # One key of the bucket's own for many objects: fewer requests to KMS.
    return {"Rules": ({"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True},)}


def _policy(bucket: Bucket, lowering: Lowering, *_: object) -> Value:
    itself = f"arn:{partition_of(lowering.environment.role)}:s3:::{bucket.declared_name}"
    found: list[Value] = [
        {
            "Sid": "TlsAlone",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": (itself, f"{itself}/*"),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if _key(bucket, lowering) is not None:
        found.append(
            {
                "Sid": "NothingUnencrypted",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": f"{itself}/*",
                # Who asks for nothing gets the bucket's own key.
                "Condition": {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}},
            }
        )
    return {
        "Version": "2012-10-17",
        "Statement": (*found, *(statement(bucket, "access", item) for item in bucket.access)),
    }


def _lifecycle(bucket: Bucket, *_: object) -> Value:
    rules: list[Value] = [
        {
            "ID": "unfinished uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
        }
    ]
    for prefix, days in sorted(bucket.expire.items()):
        rules.append(
            {
                "ID": f"expire {prefix or 'everything'}"[:255],
                "Status": "Enabled",
                "Filter": {"Prefix": prefix},
                "Expiration": {"Days": lower(days)},
            }
        )
    if bucket.old_versions is not None:
        rules.append(
            {
                "ID": "old versions",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": lower(bucket.old_versions)},
            }
        )
    return {"Rules": tuple(rules)}


def _replication(bucket: Bucket, lowering: Lowering, *_: object) -> Value:
    if bucket.replica is None:
        return None
    encrypted = _key(bucket, lowering) is not None
    return replica.replication(bucket.replica, lowering, versions=bool(lower(bucket.versions)), encrypted=encrypted)


def _said_key(given: Given) -> Spoken | None:
    match given.at("ServerSideEncryptionConfiguration.Rules.0.ApplyServerSideEncryptionByDefault"):
        case {"KMSMasterKeyID": key}:
            return Of(TEXT, key)
    return None


def _said_expire(given: Given) -> Spoken | None:
    days: dict[str, Spoken] = {}
    for rule in objects(given.at("LifecycleConfiguration.Rules")):
        match rule:
            case {"Filter": {"Prefix": str(prefix)}, "Expiration": {"Days": int(after)}}:
                days[prefix] = Said(after)
    return days or None


def _said_old_versions(given: Given) -> Spoken | None:
    for rule in objects(given.at("LifecycleConfiguration.Rules")):
        match rule:
            case {"NoncurrentVersionExpiration": {"NoncurrentDays": int(days)}}:
                return Said(days)
    return None


def _said_access(given: Given) -> Spoken | None:
    own = [item for item in objects(given.at("Policy.Statement")) if item.get("Sid") not in _OWN_STATEMENTS]
    return Said(tuple(own)) if own else None


class Bucket(DeclaredResource):
    """A bucket whose name in the account is ``name``. Nobody owns an object but the account, nothing is public, nothing
    goes over plain HTTP, and what is put is encrypted with ``kms_key``, the environment's where none is given, or with
    S3's own where there is none.

    With ``versions`` nothing that is overwritten or deleted is lost, unless ``old_versions`` says after how many days.
    ``expire`` says so of objects, by prefix. ``access`` are further statements of its policy. A ``replica`` is where S3
    copies what is put from then on. It is removed only while it is empty.
    """

    named_by: ClassVar[str | None] = "Bucket"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("", "Region", PLAIN, to=lambda bucket, lowering, *_: lowering.environment.region),
            Field("kms_key", "ServerSideEncryptionConfiguration", TEXT, to=_encrypted, said=_said_key),
            Field("", "PublicAccessBlockConfiguration", PLAIN, to=lambda *_: dict(_CLOSED)),
            Field(
                "",
                "OwnershipControls",
                PLAIN,
                to=lambda *_: {"Rules": ({"ObjectOwnership": "BucketOwnerEnforced"},)},
            ),
            Field(
                "versions",
                "VersioningConfiguration.Status",
                FLAG,
                True,
                to=lambda bucket, *_: "Enabled" if lower(bucket.versions) else "Suspended",
                said=lambda given: Said(False) if given.at("VersioningConfiguration.Status") == "Suspended" else None,
            ),
            Field("expire", "LifecycleConfiguration", PLAIN, to=_lifecycle, said=_said_expire),
            Field("old_versions", "LifecycleConfiguration", COUNT, to=lambda *_: None, said=_said_old_versions),
            Field("replica", "ReplicationConfiguration", made(replica.RECORD), to=_replication),
            Field("access", "Policy", PLAIN, (), to=_policy, said=_said_access),
        ),
        yields={"Bucket": Yielded("bucket_name", STRING), "BucketArn": Yielded("bucket_arn", STRING)},
    )

    def __init__(
        self,
        name: str,
        *,
        kms_key: Text | None = None,
        versions: Flag = True,
        expire: Mapping[str, Count] | None = None,
        old_versions: Count | None = None,
        access: Sequence[Mapping[str, Any]] = (),
        replica: Replica | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.kms_key, self.versions, self.old_versions = kms_key, versions, old_versions
        self.expire, self.access, self.replica = dict(expire or {}), tuple(access), replica

    @property
    def bucket_name(self) -> StringProperty:
        return StringProperty(self.name, "Bucket")

    @property
    def bucket_arn(self) -> StringProperty:
        """For a policy or a stream that names it."""
        return StringProperty(self.name, "BucketArn")
