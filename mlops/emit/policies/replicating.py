"""What the role needs by which S3 copies a bucket into another one.

Source: "Setting up permissions for live replication" of S3's guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.arns import key_arn
from mlops.emit.policies.statements import Need
from mlops.ir import Step
from mlops.ir.members import get
from mlops.ir.surroundings import Surroundings
from mlops.ir.values import to_json

BUCKET = "Bucket"
_READ = ("s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging")
_WRITTEN = ("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags")


def is_copied_as(step: Step, role: str) -> bool:
    """Whether S3 takes ``role`` on to copy it."""
    return step.type == BUCKET and get(step.arguments, "ReplicationConfiguration", "Role") == role


def replicating_needs(step: Step, around: Surroundings) -> Iterator[Need]:
    told = to_json(step.arguments)
    if not isinstance(told, Mapping) or not is_copied_as(step, around.role):
        return
    source = f"arn:{around.partition}:s3:::{told[BUCKET]}"
    yield Need("SeeReplication", ("s3:GetReplicationConfiguration", "s3:ListBucket"), (source,), step.name)
    yield Need("ReadVersionsToCopy", _READ, (f"{source}/*",), step.name)
    for rule in told["ReplicationConfiguration"]["Rules"]:
        yield from _rule(step, rule["Destination"], around)
    for rule in (told.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or ():
        key = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        if isinstance(key, str):
            arn, conditions = key_arn(key, around)
            yield Need("DecryptWhatIsCopied", ("kms:Decrypt",), (arn,), step.name, conditions)


def _rule(step: Step, destination: Mapping[str, Any], around: Surroundings) -> Iterator[Need]:
    yield Need("CopyObjects", _WRITTEN, (f"{destination['Bucket']}/*",), step.name)
    key = (destination.get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID")
    if isinstance(key, str):
        arn, conditions = key_arn(key, around)
        yield Need("EncryptCopies", ("kms:Encrypt", "kms:GenerateDataKey"), (arn,), step.name, conditions)
