"""Properties by the service's own shapes of the same members: lengths, patterns and values that the provider schemas
leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.check.shapes import Misfit, Mismatch, shape, walk

_REQUESTS: Mapping[str, tuple[str, str]] = {
    # What is kept of the earlier configuration, only a change says.
    "AWS::SageMaker::Endpoint": ("sagemaker", "UpdateEndpointInput"),
    "AWS::IAM::Role": ("iam", "CreateRoleRequest"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "CreateDeliveryStreamInput"),
    "AWS::OpenSearchService::Domain": ("opensearch", "CreateDomainRequest"),
    **{
        f"AWS::SageMaker::{name}": ("sagemaker", f"Create{name}Request")
        for name in (
            *("App", "AppImageConfig", "Cluster", "DataQualityJobDefinition", "DeviceFleet", "Domain", "FeatureGroup"),
            *("Image", "ImageVersion", "InferenceExperiment", "MlflowTrackingServer", "ModelBiasJobDefinition"),
            *("ModelCard", "ModelExplainabilityJobDefinition", "ModelQualityJobDefinition", "MonitoringSchedule"),
            *("PartnerApp", "Pipeline", "ProcessingJob", "Space", "StudioLifecycleConfig", "UserProfile", "Workteam"),
        )
    },
    **{
        f"AWS::SageMaker::{name}": ("sagemaker", f"Create{name}Input")
        for name in (
            *("CodeRepository", "EndpointConfig", "InferenceComponent", "Model", "ModelPackage"),
            *("ModelPackageGroup", "NotebookInstance", "NotebookInstanceLifecycleConfig", "Project"),
        )
    },
}
"""Of types whose properties are members of the request that makes one."""
_KINDS = frozenset({Mismatch.ENUM, Mismatch.PATTERN, Mismatch.LENGTH, Mismatch.RANGE, Mismatch.COUNT})
"""What there may be, and of which kind, the provider schema says: CloudFormation takes a text for a number."""
_GROWING = ("InstanceType", "MasterType", "WarmType")
"""Of which there are more by the month than an installed model knows."""
_INSTANCE = re.compile(
    r"(?:ml\.)?[a-z][a-z0-9-]*\.(?:nano|micro|small|medium|large|metal|(?:\d+)?xlarge)(?:\.search)?|system|ml\.geospatial\.\w+"
)


def beyond(kind: str, properties: Any) -> Iterator[Misfit]:
    """``at`` is a pointer from the properties."""
    request = _REQUESTS.get(kind)
    expected = shape(*request) if request is not None else None
    if expected is None or not isinstance(properties, Mapping):
        return
    for misfit in walk(properties, expected, ""):
        if not isinstance(misfit, Misfit) or misfit.kind not in _KINDS or misfit.doubtful:
            continue
        if (
            misfit.kind is not Mismatch.ENUM
            or not misfit.at.endswith(_GROWING)
            or not _is_instance(properties, misfit, kind)
        ):
            yield misfit


def _is_instance(properties: Any, misfit: Misfit, kind: str) -> bool:
    """By its form."""
    found: Any = properties
    for part in misfit.at.split("/")[1:]:
        found = found[int(part)] if isinstance(found, Sequence) else found[part]
    ours = not kind.startswith("AWS::SageMaker::") or str(found).startswith("ml.") or found == "system"
    return ours and _INSTANCE.fullmatch(str(found)) is not None
