"""The least that a pipeline needs to be allowed: actions of its role by the types of its steps, and of who deploys it.

From the operation that a step's ``Arguments`` mirror; S3, ECR and logs are what any job needs.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlops.ir import Definition

_ANY_JOB = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)
_TRAINING = (
    "sagemaker:AddTags",
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:StopTrainingJob",
)
_PROCESSING = (
    "sagemaker:AddTags",
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
)
_BY_TYPE: dict[str, tuple[str, ...]] = {
    "Processing": (*_PROCESSING, "iam:PassRole", *_ANY_JOB),
    "ClarifyCheck": (*_PROCESSING, "iam:PassRole", *_ANY_JOB),
    "QualityCheck": (*_PROCESSING, "iam:PassRole", *_ANY_JOB),
    "Training": (*_TRAINING, "iam:PassRole", *_ANY_JOB),
    "Tuning": (
        "sagemaker:AddTags",
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "iam:PassRole",
        *_ANY_JOB,
    ),
    "AutoML": (
        "sagemaker:AddTags",
        "sagemaker:CreateAutoMLJobV2",
        "sagemaker:DescribeAutoMLJobV2",
        "sagemaker:StopAutoMLJob",
        "iam:PassRole",
        *_ANY_JOB,
    ),
    "Transform": (
        "sagemaker:AddTags",
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    ),
    "Model": ("sagemaker:AddTags", "sagemaker:CreateModel", "iam:PassRole", *_ANY_JOB),
    "RegisterModel": (
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "s3:GetObject",
    ),
    "EndpointConfig": ("sagemaker:CreateEndpointConfig",),
    "Endpoint": ("sagemaker:CreateEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpoint"),
    "Lambda": ("lambda:InvokeFunction",),
    "Callback": ("sqs:SendMessage",),
    "EMR": (
        "elasticmapreduce:AddJobFlowSteps",
        "elasticmapreduce:CancelSteps",
        "elasticmapreduce:DescribeStep",
    ),
    "EMRServerless": ("emr-serverless:StartJobRun", "emr-serverless:GetJobRun", "iam:PassRole"),
}
DEPLOYER = (
    "iam:PassRole",
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "sagemaker:AddTags",
    "sagemaker:CreatePipeline",
    "sagemaker:DescribePipeline",
    "sagemaker:ListPipelines",
    "sagemaker:ListTags",
    "sagemaker:UpdatePipeline",
    "sts:GetCallerIdentity",
)
"""Of who runs ``mlops upsert``; schedules and triggers add those of EventBridge."""


def actions_of(definitions: Iterable[Definition]) -> tuple[str, ...]:
    """What the pipelines' role needs, sorted."""
    found = {
        action
        for definition in definitions
        for placed in definition.placed()
        for action in _BY_TYPE.get(placed.step.type, ())
    }
    return tuple(sorted(found))
