"""Properties by the service's own shapes of the same members: lengths, patterns and values that the provider schemas
leave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.check.shapes import Misfit, Mismatch, shape, walk

_REQUESTS: Mapping[str, tuple[str, str]] = {
    "AWS::IAM::Role": ("iam", "CreateRoleRequest"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "CreateDeliveryStreamInput"),
    "AWS::OpenSearchService::Domain": ("opensearch", "CreateDomainRequest"),
    **{
        f"AWS::SageMaker::{name}": ("sagemaker", f"Create{name}Request")
        for name in (
            "App",
            "Domain",
            "FeatureGroup",
            "Image",
            "ModelCard",
            "MonitoringSchedule",
            "Space",
            "UserProfile",
        )
    },
    **{
        f"AWS::SageMaker::{name}": ("sagemaker", f"Create{name}Input")
        for name in ("CodeRepository", "InferenceComponent", "ModelPackage", "ModelPackageGroup", "NotebookInstance")
    },
}
"""Of types whose properties are members of the request that makes one; models, configurations and endpoints are judged
as steps are."""
_KINDS = frozenset({Mismatch.ENUM, Mismatch.PATTERN, Mismatch.LENGTH, Mismatch.RANGE, Mismatch.COUNT})
"""What there may be, and of which kind, the provider schema says: CloudFormation takes a text for a number."""
_GROWING = "Type"
"""Values of instances and engines are more by the month than an installed model knows."""


def beyond(kind: str, properties: Any) -> Iterator[Misfit]:
    """``at`` is a pointer from the properties."""
    request = _REQUESTS.get(kind)
    expected = shape(*request) if request is not None else None
    if expected is None or not isinstance(properties, Mapping):
        return
    for misfit in walk(properties, expected, ""):
        if not isinstance(misfit, Misfit) or misfit.kind not in _KINDS or misfit.doubtful:
            continue
        if misfit.kind is not Mismatch.ENUM or not misfit.at.endswith(_GROWING):
            yield misfit
