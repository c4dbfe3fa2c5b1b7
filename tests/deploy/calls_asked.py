"""What calls of clients ask of IAM: actions on ARNs, roles that are passed, tags that are given with what is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tests.emit.simulated import Request

from .conftest import World
from .test_deployer_policy import ALLOWED_BY

SERVICES = (
    "application-autoscaling", "cloudwatch", "events", "firehose", "logs", "s3", "sagemaker", "sagemaker-runtime",
    "scheduler", "sts",
)  # fmt: skip
_NAMED = {
    "sagemaker": {
        "PipelineName": "pipeline/{}",
        "EndpointName": "endpoint/{}",
        "EndpointConfigName": "endpoint-config/{}",
        "ModelName": "model/{}",
        "ModelPackageGroupName": "model-package-group/{}",
        "NotebookInstanceName": "notebook-instance/{}",
        "NotebookInstanceLifecycleConfigName": "notebook-instance-lifecycle-config/{}",
        "ProcessingJobName": "processing-job/{}",
    },
    "firehose": {"DeliveryStreamName": "deliverystream/{}"},
    "cloudwatch": {"AlarmName": "alarm:{}"},
    "events": {"Name": "rule/{}", "Rule": "rule/{}"},
    "logs": {"logGroupName": "log-group:{}:*"},
    # Each has an id that nobody can know beforehand.
    "application-autoscaling": {"ResourceId": "scalable-target/0a1b"},
}
"""By the member that names it, the most telling one first."""
_OF_ALL = frozenset(
    {
        "sagemaker:ListPipelines", "sagemaker:ListModelPackages", "sagemaker:ListModelPackageGroups",
        "cloudwatch:PutMetricData", "sts:GetCallerIdentity",
        "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DescribeScheduledActions", "logs:DescribeLogGroups",
    }
)  # fmt: skip
"""For which IAM knows no resource."""
_TAGGING = {
    "application-autoscaling": "TagResource",
    "sagemaker": "AddTags",
    "firehose": "TagDeliveryStream",
    "cloudwatch": "TagResource",
    "events": "TagResource",
    "scheduler": "TagResource",
}
_MAKES = ("Create", "Put", "Register", "Update")


@contextmanager
def recorded(world: World) -> Iterator[list[Request]]:
    """Calls of the account's clients meanwhile, as requests."""
    made: list[Request] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        made.extend(asked(model.service_model.service_name, model.name, params, world))

    events = []
    for name in SERVICES:
        with suppress(Exception):  # the local account has not all of them
            events.append(world.account.client(name).meta.events)
    for emitter in events:
        emitter.register("provide-client-params.*.*", note)
    try:
        yield made
    finally:
        for emitter in events:
            emitter.unregister("provide-client-params.*.*", note)
        made[:] = dict.fromkeys(made)


def asked(service: str, operation: str, params: Mapping[str, Any], world: World) -> Iterator[Request]:
    prefix = "sagemaker" if service == "sagemaker-runtime" else service
    where = f"{world.environment.region}:{world.environment.account}"
    if service == "s3":
        yield from _of_s3(operation, params)
        return
    action = f"{prefix}:{operation}"
    places = ["*"] if action in _OF_ALL else list(_places(prefix, operation, params, where))
    context = {"cloudwatch:namespace": str(params["Namespace"])} if operation == "PutMetricData" else {}
    for place in places:
        yield Request(action, place, context, operation)
    if not operation.startswith(_MAKES):
        return
    if params.get("Tags") and prefix in _TAGGING:
        yield Request(f"{prefix}:{_TAGGING[prefix]}", places[0], {}, operation)
    for role in dict.fromkeys(_roles(params)):
        yield Request("iam:PassRole", role, {"iam:PassedToService": f"{prefix}.amazonaws.com"}, operation)


def _of_s3(operation: str, params: Mapping[str, Any]) -> Iterator[Request]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    action = ALLOWED_BY.get(operation, f"s3:{operation}")
    if "Key" in params:
        yield Request(action, f"{bucket}/{params['Key']}", {}, operation)
    else:
        yield Request(action, bucket, {"s3:prefix": str(params.get("Prefix", ""))}, operation)


def _places(service: str, operation: str, params: Mapping[str, Any], where: str) -> Iterator[str]:
    given = next((params[name] for name in ("ResourceArn", "ResourceARN", "resourceArn") if name in params), None)
    if given is not None:
        yield str(given)
        return
    if service == "scheduler":
        group = params.get("GroupName", "default")
        of_group = operation.endswith("ScheduleGroup")
        place = f"schedule-group/{params['Name']}" if of_group else f"schedule/{group}/{params['Name']}"
        yield f"arn:aws:scheduler:{where}:{place}"
        return
    if operation == "PutEvents":
        yield f"arn:aws:events:{where}:event-bus/default"
        return
    if operation == "DescribeAlarms":
        for name in params.get("AlarmNames") or ("*",):
            yield f"arn:aws:cloudwatch:{where}:alarm:{name}"
        return
    found = [(name, form) for name, form in _NAMED[service].items() if name in params]
    if str(params.get("ModelPackageName", "")).startswith("arn:"):
        yield params["ModelPackageName"]
    wanted = found if operation in ("CreateEndpoint", "UpdateEndpoint") else found[:1]
    if operation.startswith(("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig")):
        wanted = [item for item in found if item[0] == "EndpointConfigName"]
    for name, form in wanted:
        value = params[name].lower() if service == "sagemaker" else params[name]
        yield f"arn:aws:{service}:{where}:{form.format(value)}"


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in ("RoleArn", "RoleARN", "ExecutionRoleArn", "roleArn") and isinstance(item, str):
                yield item
            yield from _roles(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _roles(item)
