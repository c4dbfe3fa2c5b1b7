"""What a policy may not allow: for each request that it has to, the same on something of the same kind that nobody
named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.emit.simulated import Request

_ANY_NAME = re.compile(
    r"arn:aws:(?:"
    r"(?P<job>sagemaker:[^:]*:\d+:(?:training|processing|transform|hyper-parameter-tuning|automl)-job)/.+"
    r"|(?P<group>sagemaker:[^:]*:\d+:model-package(?:-group)?)/.+"
    r"|(?P<pipeline>sagemaker:[^:]*:\d+:pipeline)/.+"
    r"|(?P<key>kms:[^:]*:\d+:key)/.+"
    r"|(?P<function>lambda:[^:]*:\d+:function):.+"
    r"|(?P<subnet>ec2:[^:]*:\d+:(?:subnet|security-group))/.+"
    r"|(?P<image>ecr:[^:]*:\d+:repository)/.+"
    r"|(?P<role>iam::\d+:role)/.+"
    r"|(?P<logs>logs:[^:]*:\d+:log-group):[^:]+(?P<stream>:log-stream:.+)?"
    r"|(?P<rule>events:[^:]*:\d+:rule)/.+"
    r"|(?P<queue>sqs:[^:]*:\d+):.+"
    r")"
)
_OTHER = {"function": ":other", "logs": ":/aws/lambda/other", "queue": ":other"}
_CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "iam:PassRole": {"iam:PassedToService": "lambda.amazonaws.com"},
    "kms:CreateGrant": {"kms:GrantIsForAWSResource": "false"},
    "cloudwatch:PutMetricData": {"cloudwatch:namespace": "AWS/Billing"},
}
NEVER = (
    ("iam:CreateRole", "arn:aws:iam::111122223333:role/admin"),
    ("iam:PutRolePolicy", "arn:aws:iam::111122223333:role/ml/pipelines"),
    ("kms:ScheduleKeyDeletion", "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("logs:DeleteLogGroup", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/sagemaker/TrainingJobs"),
    ("s3:DeleteBucket", "arn:aws:s3:::acme-ml-production"),
    ("s3:PutBucketPolicy", "arn:aws:s3:::acme-ml-production"),
    ("sagemaker:DeleteModelPackageGroup", "arn:aws:sagemaker:us-east-1:111122223333:model-package-group/churn"),
    ("sagemaker:UpdateModelPackage", "arn:aws:sagemaker:us-east-1:111122223333:model-package/churn/1"),
)
"""What no role of these has any business with."""


def refused(requests: Sequence[Request], wide: Sequence[str] = ()) -> tuple[Request, ...]:
    """``wide`` are actions that are allowed whatever something is called and whosever it is."""
    roots = {
        request.resource.split("/")[0]
        for request in requests
        if re.fullmatch(r"arn:aws:s3:::[^/]+/(?:part-0\.csv|job/output\.tar\.gz)", request.resource)
    }
    found = dict.fromkeys(other for request in requests for other in _others(request, roots, wide))
    return (*(other for other in found if other not in set(requests)), *(Request(*pair, {}, "never") for pair in NEVER))


def _others(request: Request, roots: set[str], wide: Sequence[str]) -> Iterator[Request]:
    resource = request.resource

    def other(why: str, at: str = resource, context: Mapping[str, Any] | None = None) -> Request:
        return Request(request.action, at, request.context if context is None else context, f"another {why}")

    if request.action in _CONTEXTS:
        yield other("condition", context=_CONTEXTS[request.action])
    if resource.startswith("arn:aws:s3:::"):
        bucket, _, key = resource.partition("/")
        yield other("bucket", f"arn:aws:s3:::somebodys-else{f'/{key}' if key else ''}")
        if key and bucket not in roots:
            yield other("prefix", f"{bucket}/elsewhere/secret.csv")
        return
    place = re.fullmatch(r"arn:aws:([\w-]+):([\w-]*):(\d*):(.+)", resource)
    if place is None:
        return
    service, region, account, rest = place.groups()
    if region:
        yield other("region", f"arn:aws:{service}:eu-south-2:{account}:{rest}")
    if request.action in wide:
        return
    yield other("account", f"arn:aws:{service}:{region}:999988887777:{rest}")
    named = _ANY_NAME.fullmatch(resource)
    if named is not None:
        kind, at = next((kind, at) for kind, at in named.groupdict().items() if at is not None)
        yield other("name", f"arn:aws:{at}{_OTHER.get(kind, '/other')}{named['stream'] or ''}")
