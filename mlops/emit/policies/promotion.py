"""What a machine must be allowed that promotes."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.policies.arns import arn_of
from mlops.emit.policies.places import STAR
from mlops.emit.policies.statements import Need, passing
from mlops.ir.promoted import Promoted
from mlops.ir.surroundings import Surroundings


def promotion_needs(promoted: Promoted, around: Surroundings) -> Iterator[Need]:
    group, endpoint = promoted.group.lower(), promoted.endpoint.lower()
    of = "promotion"
    versions = (
        arn_of(around, "sagemaker", f"model-package-group/{group}"),
        arn_of(around, "sagemaker", f"model-package/{group}/*"),
    )
    configs, models = arn_of(around, "sagemaker", "endpoint-config/*"), arn_of(around, "sagemaker", "model/*")
    served = arn_of(around, "sagemaker", f"endpoint/{endpoint}")
    # IAM knows no resource for lists.
    yield Need("FindVersions", ("sagemaker:ListModelPackages",), (STAR,), of)
    yield Need("ReadVersions", ("sagemaker:DescribeModelPackage",), versions, of)
    yield Need("UseModels", ("sagemaker:CreateModel", "sagemaker:DescribeModel"), (models, *versions), of)
    made = ("sagemaker:CreateEndpointConfig", "sagemaker:DescribeEndpointConfig")
    yield Need("UseEndpointConfigs", made, (configs,), of)
    by_weights = ("UpdateEndpointWeightsAndCapacities",) if promoted.engine == "weights" else ()
    verbs = ("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", *by_weights)
    yield Need("UseEndpoints", tuple(f"sagemaker:{verb}" for verb in verbs), (configs, served), of)
    yield passing("PassRoles", "sagemaker.amazonaws.com", (str(promoted.model["ExecutionRoleArn"]),), of)
    yield Need("SeeScaling", ("application-autoscaling:DescribeScalableTargets",), (STAR,), of)
    if promoted.engine == "weights":
        yield Need("Judge", ("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"), (STAR,), of)
    elif promoted.alarms:
        yield Need("Judge", ("cloudwatch:DescribeAlarms",), (STAR,), of)
