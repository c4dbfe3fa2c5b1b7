"""What a property takes that names another resource, and what a Ref of one gives.

Sources: CloudFormation's template reference, of each type "Return values" and of each property its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from mlops.ir.dataclass import dataclass


class Form(Enum):
    NAME = "name"
    ARN = "ARN"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Taken:
    """``types`` of resources that may be named; ``attribute`` of a GetAtt gives it, or a Ref where that is None."""

    types: tuple[str, ...]
    form: Form
    attribute: str | None


REF_GIVES: Mapping[str, Form] = {
    **{
        f"AWS::SageMaker::{name}": Form.ARN
        for name in (
            *("CodeRepository", "DataQualityJobDefinition", "Endpoint", "EndpointConfig", "Image", "Model"),
            *("ModelBiasJobDefinition", "ModelExplainabilityJobDefinition", "ModelQualityJobDefinition"),
            *("NotebookInstance", "NotebookInstanceLifecycleConfig"),
        )
    },
    "AWS::SageMaker::Domain": Form.ID,
    "AWS::IAM::Role": Form.NAME,
    "AWS::IAM::ManagedPolicy": Form.ARN,
    "AWS::S3::Bucket": Form.NAME,
    "AWS::Kinesis::Stream": Form.NAME,
    "AWS::OpenSearchService::Domain": Form.NAME,
    "AWS::Lambda::Function": Form.NAME,
}
_ENDPOINT = Taken(("AWS::SageMaker::Endpoint",), Form.NAME, "EndpointName")
_CONFIG = Taken(("AWS::SageMaker::EndpointConfig",), Form.NAME, "EndpointConfigName")
_MODEL = Taken(("AWS::SageMaker::Model",), Form.NAME, "ModelName")
_DOMAIN = Taken(("AWS::SageMaker::Domain",), Form.ID, "DomainId")
_SCRIPT = Taken(("AWS::SageMaker::NotebookInstanceLifecycleConfig",), Form.NAME, "NotebookInstanceLifecycleConfigName")
_IMAGE = Taken(("AWS::SageMaker::Image",), Form.NAME, "ImageName")
_JOB = Taken(
    tuple(
        f"AWS::SageMaker::{kind}JobDefinition"
        for kind in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    ),
    Form.NAME,
    "JobDefinitionName",
)
_BUCKET_NAME = Taken(("AWS::S3::Bucket",), Form.NAME, None)
_BUCKET = Taken(("AWS::S3::Bucket",), Form.ARN, "Arn")
_SEARCH = Taken(("AWS::OpenSearchService::Domain", "AWS::Elasticsearch::Domain"), Form.ARN, "Arn")
_STREAM = Taken(("AWS::Kinesis::Stream",), Form.ARN, "Arn")
_ROLE = Taken(("AWS::IAM::Role",), Form.NAME, None)
_POLICY = Taken(("AWS::IAM::ManagedPolicy",), Form.ARN, None)
_TAKEN: Mapping[str, Mapping[str, Taken]] = {
    "AWS::SageMaker::Endpoint": {"EndpointConfigName": _CONFIG},
    "AWS::SageMaker::EndpointConfig": {"ModelName": _MODEL},
    "AWS::SageMaker::InferenceComponent": {"ModelName": _MODEL, "EndpointName": _ENDPOINT},
    "AWS::SageMaker::ImageVersion": {"ImageName": _IMAGE},
    "AWS::SageMaker::MonitoringSchedule": {"EndpointName": _ENDPOINT, "MonitoringJobDefinitionName": _JOB},
    "AWS::SageMaker::NotebookInstance": {"LifecycleConfigName": _SCRIPT},
    "AWS::SageMaker::Pipeline": {"Bucket": _BUCKET_NAME},
    **{kind: {"EndpointName": _ENDPOINT} for kind in _JOB.types},
    "AWS::SageMaker::App": {"DomainId": _DOMAIN},
    "AWS::SageMaker::Space": {"DomainId": _DOMAIN},
    "AWS::SageMaker::UserProfile": {"DomainId": _DOMAIN},
    "AWS::KinesisFirehose::DeliveryStream": {"BucketARN": _BUCKET, "DomainARN": _SEARCH, "KinesisStreamARN": _STREAM},
    "AWS::IAM::InstanceProfile": {"Roles": _ROLE},
    "AWS::IAM::ManagedPolicy": {"Roles": _ROLE},
    "AWS::IAM::Policy": {"Roles": _ROLE},
    "AWS::IAM::Role": {"ManagedPolicyArns": _POLICY, "PermissionsBoundary": _POLICY},
}


def taken(kind: str, member: str) -> Taken | None:
    """
    >>> taken("AWS::SageMaker::UserProfile", "DomainId").attribute
    'DomainId'
    """
    return _TAKEN.get(kind, {}).get(member)
