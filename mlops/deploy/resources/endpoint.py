"""Endpoints, declared beside pipelines. How the traffic of one that serves goes to another configuration is
:mod:`mlops.deploy.endpoints`'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import ITSELF_NAMED, Call, ResourceType, called_by, fingerprint

_SCALING = "Scaling"
"""Of a declared endpoint: no member of a request for one."""
_TARGET, _POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"


def _scaled(name: str, properties: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    several = len(properties.get(_SCALING) or ()) > 1
    for scaling in properties.get(_SCALING) or ():
        variant = scaling["VariantName"]
        suffix = _suffix(variant) if several else ""
        of = {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": scaling["ScalableDimension"],
            "ResourceId": {"Fn::Join": ["/", ["endpoint", ITSELF_NAMED, "variant", variant]]},
        }
        scheduled = [
            {member: value for member, value in action.items() if member not in of}
            for action in scaling.get("Scheduled") or ()
        ]
        bounds = {member: scaling[member] for member in ("MinCapacity", "MaxCapacity")}
        actions = {"ScheduledActions": scheduled} if scheduled else {}
        found[f"Scaled{suffix}"] = (_TARGET, {**of, **bounds, **actions})
        for policy in scaling.get("Policies") or ():
            told = {member: value for member, value in policy.items() if member not in of}
            # The target by its own place: the two are one in the account.
            target = {"ScalingTargetId": {"Ref": f"Beside:Scaled{suffix}"}}
            found[f"Scaled{suffix}{policy['PolicyName'].capitalize()}"] = (_POLICY, {**told, **target})
    return found


def _suffix(variant: str) -> str:
    """Letters and digits, others for ``a-b`` than for ``ab``."""
    plain = "".join(filter(str.isalnum, variant))
    return plain if plain == variant else plain + fingerprint({"VariantName": variant})[:8]


RESOURCE_TYPE = ResourceType(
    type="endpoint",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Endpoint",
    describe=lambda name: (Call("DescribeEndpoint", {"EndpointName": name}),),
    read=lambda reply: {"EndpointConfigName": reply["EndpointConfigName"]},
    create=lambda name, properties: (Call("CreateEndpoint", {"EndpointName": name, **properties}),),
    update=lambda name, properties: (
        Call("UpdateEndpoint", {"EndpointName": name, "EndpointConfigName": properties["EndpointConfigName"]}),
    ),
    delete=lambda name, inside: (Call("DeleteEndpoint", {"EndpointName": name}),),
    permissions=("sagemaker:AddTags",),
    templated=lambda name, properties: {
        "EndpointName": name,
        **{member: value for member, value in properties.items() if member != _SCALING},
    },
    accompanied=_scaled,
    from_template=called_by("EndpointName"),
)
