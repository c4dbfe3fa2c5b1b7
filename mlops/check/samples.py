"""What the texts look like that references bring at run time: a name, an ARN, an S3 URI or a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.check import properties
from mlops.check.expressions import EXECUTION_TIMES
from mlops.ir import Ref, Value

if TYPE_CHECKING:
    from mlops.check.subject import Subject

NAME, ARN, URI, TIME = "a name", "an ARN", "an S3 URI", "a time"
SAMPLES = {
    NAME: "name",
    ARN: "arn:aws:sagemaker:us-east-1:111122223333:model/name",
    URI: "s3://bucket/key/name",
    TIME: "2026-11-22T06:09:15.123Z",
}


def form(subject: Subject, value: Value) -> str | None:
    """The key in ``SAMPLES`` of what a reference gives; None where its form is not known."""
    path = value.path if isinstance(value, Ref) else None
    if path is None:
        return None
    if path.root == "Execution":
        return TIME if path.name in EXECUTION_TIMES else ARN if path.name.endswith("Arn") else NAME
    if path.root != "Steps":
        return None
    found = properties.read(subject, path)
    source = None if isinstance(found, properties.Dead) else found.shape
    if source is None or source.kind != "string":
        return None
    if source.name in ("S3Uri", "Url"):
        return URI
    return ARN if source.name.endswith("Arn") else NAME if source.name.endswith("Name") else None
