"""A copy of what is put into a bucket, in a bucket of another region or account: S3 makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import Value
from mlops.ir.fields import REQUIRED, TEXT, Field, Record
from mlops.ir.surroundings import partition_of

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Replica"]

RULE = "mlops"


@record
class Replica:
    """Objects below ``prefix`` are copied into ``bucket``, which is there and keeps versions; encrypted by ``kms_key``,
    a key of its region. S3 takes ``role`` on, the environment's where none is given."""

    bucket: Text
    kms_key: Text | None = None
    prefix: Text = ""
    role: Text | None = None


RECORD = Record(
    Replica,
    (
        Field("bucket", "Rules.0.Destination.Bucket", TEXT, REQUIRED),
        Field("kms_key", "Rules.0.Destination.EncryptionConfiguration.ReplicaKmsKeyID", TEXT),
        Field("prefix", "Rules.0.Filter.Prefix", TEXT, ""),
        Field("role", "Role", TEXT),
    ),
    positional=1,
)


def replication(replica: Replica, lowering: Lowering, *, versions: bool, encrypted: bool) -> Value:
    """``versions`` and ``encrypted`` are of the bucket that is copied: whether it keeps them, and by a key of KMS."""
    if not versions:
        misuse("D064", "S3 copies versions, and this bucket keeps none", help="leave versions=False out")
    if encrypted and replica.kms_key is None:
        misuse(
            "D064",
            "what a key of KMS encrypts is copied by another one alone, and the replica has none",
            help='give Replica(…, kms_key="arn:aws:kms:…"), a key of the replica\'s region',
        )
    role = lowering.environment.role if replica.role is None else lower(replica.role)
    partition = partition_of(lowering.environment.role)
    destination: dict[str, Value] = {"Bucket": f"arn:{partition}:s3:::{lower(replica.bucket)}"}
    rule: dict[str, Value] = {
        "ID": RULE,
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": lower(replica.prefix)},
        "DeleteMarkerReplication": {"Status": "Disabled"},
    }
    if replica.kms_key is not None:
        destination["EncryptionConfiguration"] = {"ReplicaKmsKeyID": lower(replica.kms_key)}
        rule["SourceSelectionCriteria"] = {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    return {"Role": role, "Rules": ({**rule, "Destination": destination},)}
