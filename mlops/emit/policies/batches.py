"""What the role of a batch needs: to make its Transform job when its time comes, and to read and write for it, where
its model has the same role."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.arns import arn_of, bucket_arn, objects_arn
from mlops.emit.policies.places import pattern
from mlops.emit.policies.statements import Need
from mlops.ir import Definition, Step
from mlops.ir.members import get
from mlops.ir.s3_uri import split_uri
from mlops.ir.surroundings import Surroundings

BATCH = "Batch"
_DATA = ("Transform", "TransformInput", "DataSource", "S3DataSource", "S3Uri")
_TO = ("Transform", "TransformOutput", "S3OutputPath")


def starts_batches(step: Step, role: str) -> bool:
    """Whether the clock takes ``role`` on for it."""
    return step.type == BATCH and get(step.arguments, "RoleArn") == role


def batch_needs(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    if not starts_batches(step, around.role):
        return
    name = str(get(step.arguments, BATCH)).lower()
    jobs = (arn_of(around, "sagemaker", f"transform-job/{name}-*"), arn_of(around, "sagemaker", "model/*"))
    yield Need("StartBatches", ("sagemaker:CreateTransformJob",), jobs, step.name)
    read, written = (pattern(definition, get(step.arguments, *path)) for path in (_DATA, _TO))
    if read and read.startswith("s3://"):
        yield Need("ReadObjects", ("s3:GetObject",), (objects_arn(read, around),), step.name)
        yield Need("ListBuckets", ("s3:ListBucket",), (bucket_arn(split_uri(read)[0], around),), step.name)
    if written and written.startswith("s3://"):
        put = ("s3:AbortMultipartUpload", "s3:PutObject")
        yield Need("WriteObjects", put, (objects_arn(written, around),), step.name)
