"""How inference components are scaled, declared beside pipelines: a target of Application Auto Scaling by the name of
the component, its policies and times, and the alarm that wakes one of which there is no copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.resource import BESIDE, ITSELF, Call, Kept, ResourceType, Told

_OF = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"}
_UNKNOWN = ("ValidationException",)
"""Where components are not known there is none that is scaled."""
_BOUNDS = ("MinCapacity", "MaxCapacity")
_ALARMS = "cloudwatch"
_STEPS = "StepScaling"
_CONFIGURED = ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
_FILLED: Mapping[str, Any] = {"DisableScaleIn": False, "Timezone": "UTC"}
"""What the service says where nothing was said."""
_POLICY = ("PolicyName", "PolicyType", *_CONFIGURED)
_ACTION = ("ScheduledActionName", "Schedule", "Timezone", "ScalableTargetAction")
_ARN = Told(
    "arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target/0",
    lambda told: next((item["ScalableTargetARN"] for item in told.get("ScalableTargets", ())), None),
)
_PUT = Told(
    "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:0:policyName/wakes", lambda told: told.get("PolicyARN")
)
"""Of the policy that was put last."""


def _target(name: str) -> dict[str, Any]:
    return {**_OF, "ResourceId": f"inference-component/{name}"}


def _alarm(name: str, action: Any) -> dict[str, Any]:
    """A request that finds no copy (guide: endpoint-auto-scaling-zero-instances)."""
    return {
        "AlarmName": _alarm_name(name),
        "AlarmDescription": f"a request found no copy of {name}",
        "Namespace": "AWS/SageMaker",
        "MetricName": "NoCapacityInvocationFailures",
        "Dimensions": [{"Name": "InferenceComponentName", "Value": name}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "AlarmActions": [action],
    }


def _alarm_name(name: str) -> str:
    return f"{name}-wakes"


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Policies and times by name; ``Wakes`` where an alarm does one of them."""
    policies = {item["PolicyName"]: _kept(item, _POLICY) for item in properties.get("Policies") or ()}
    scheduled = {item["ScheduledActionName"]: _kept(item, _ACTION) for item in properties.get("Scheduled") or ()}
    wakes = any(item["PolicyType"] == _STEPS for item in policies.values())
    told = {"Policies": policies, "Scheduled": scheduled, "Wakes": wakes}
    return {**_kept(properties, _BOUNDS), **{member: value for member, value in told.items() if value}}


def _kept(value: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    return {member: _plain(value[member]) for member in members if _is_said(member, value.get(member))}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {member: _plain(item) for member, item in value.items() if _is_said(member, item)}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def _is_said(member: str, value: Any) -> bool:
    return value is not None and _FILLED.get(member) != value


def _read(reply: Mapping[str, Any]) -> dict[str, Any]:
    policies = reply.get("ScalingPolicies") or ()
    told = {**reply["ScalableTargets"][0], "Policies": policies, "Scheduled": reply.get("ScheduledActions")}
    by_steps = {item["PolicyARN"] for item in policies if item["PolicyType"] == _STEPS}
    done = {action for alarm in reply.get("MetricAlarms") or () for action in alarm.get("AlarmActions", ())}
    found = _form(told)
    return found if by_steps <= done else {member: value for member, value in found.items() if member != "Wakes"}


def _describe(name: str) -> tuple[Call, ...]:
    target = _target(name)
    return (
        Call("DescribeScalableTargets", {**_OF, "ResourceIds": [target["ResourceId"]]}, nothing=_UNKNOWN),
        Call("DescribeScalingPolicies", target, pages="ScalingPolicies", nothing=_UNKNOWN),
        Call("DescribeScheduledActions", target, pages="ScheduledActions", nothing=_UNKNOWN),
        Call("DescribeAlarms", {"AlarmNames": [_alarm_name(name)]}, service=_ALARMS),
    )


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = {item["Key"]: item["Value"] for item in properties.get("Tags") or ()}
    bounds = {member: properties[member] for member in _BOUNDS}
    return (Call("RegisterScalableTarget", {**_target(name), **bounds, **({"Tags": tags} if tags else {})}),)


def _parts(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    target, found = _target(name), list[Call]()
    for action in properties.get("Scheduled") or ():
        found.append(Call("PutScheduledAction", {**action, **target}))
    for policy in sorted(properties.get("Policies") or (), key=_by_steps):
        found.append(Call("PutScalingPolicy", {**policy, **target}))
        if _by_steps(policy):
            found.append(Call("PutMetricAlarm", _alarm(name, _PUT), service=_ALARMS))
    return tuple(found)


def _by_steps(policy: Mapping[str, Any]) -> bool:
    return bool(policy["PolicyType"] == _STEPS)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    """What is not declared any more goes first; where nobody has looked, something of each is there."""
    wanted, target, gone = _form(properties), _target(name), list[Call]()
    for item in reply.get("ScalingPolicies", ({"PolicyName": "*"},)):
        if item["PolicyName"] not in wanted.get("Policies", {}):
            gone.append(Call("DeleteScalingPolicy", {**target, "PolicyName": item["PolicyName"]}))
    for item in reply.get("ScheduledActions", ({"ScheduledActionName": "*"},)):
        if item["ScheduledActionName"] not in wanted.get("Scheduled", {}):
            gone.append(Call("DeleteScheduledAction", {**target, "ScheduledActionName": item["ScheduledActionName"]}))
    if reply.get("MetricAlarms", True) and not wanted.get("Wakes"):
        gone.append(_without_alarm(name))
    bounds = {member: properties[member] for member in _BOUNDS}
    return (*gone, Call("RegisterScalableTarget", {**target, **bounds}), *_parts(name, properties))


def _without_alarm(name: str) -> Call:
    return Call("DeleteAlarms", {"AlarmNames": [_alarm_name(name)]}, service=_ALARMS)


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    scheduled = [
        {member: value for member, value in action.items() if member not in _OF}
        for action in properties.get("Scheduled") or ()
    ]
    actions = {"ScheduledActions": scheduled} if scheduled else {}
    return {**_target(name), **{member: properties[member] for member in _BOUNDS}, **actions}


def _accompanied(name: str, properties: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for policy in properties.get("Policies") or ():
        told = {member: value for member, value in policy.items() if member not in _OF}
        called = policy["PolicyName"].capitalize()
        found[called] = ("AWS::ApplicationAutoScaling::ScalingPolicy", {**told, "ScalingTargetId": ITSELF})
        if _by_steps(policy):
            found[f"{called}Alarm"] = ("AWS::CloudWatch::Alarm", _alarm(name, {"Ref": f"{BESIDE}{called}"}))
    return found


RESOURCE_TYPE = ResourceType(
    type="component-scaling",
    service="application-autoscaling",
    cloudformation="AWS::ApplicationAutoScaling::ScalableTarget",
    describe=_describe,
    read=_read,
    create=_create,
    update=_create,
    inside=_describe,
    delete=lambda name, inside: (
        *((_without_alarm(name),) if inside.get("MetricAlarms") else ()),
        Call("DeregisterScalableTarget", _target(name)),
    ),
    permissions=(),
    templated=_templated,
    accompanied=_accompanied,
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/*",
        tags=lambda arn, name: Call("ListTagsForResource", {"ResourceARN": _ARN}),
        told=lambda reply: reply["Tags"],
        tag=lambda arn, name, tags: Call(
            "TagResource", {"ResourceARN": _ARN, "Tags": {item["Key"]: item["Value"] for item in tags}}
        ),
        change=_change,
        found=lambda reply: bool(reply.get("ScalableTargets")),
        in_parts=True,
        form=_form,
        behind=("endpoint",),
        named=None,
        allowed=("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}-wakes",),
        anywhere=("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"),
    ),
)
