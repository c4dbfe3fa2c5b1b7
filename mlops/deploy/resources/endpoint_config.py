"""Endpoint configurations, declared beside pipelines: nothing of one can be changed, so that another content has
another name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, ResourceType, called_by

_ANSWERED = frozenset({"EndpointConfigName", "EndpointConfigArn", "CreationTime", "ResponseMetadata"})


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return {member: value for member, value in reply.items() if member not in _ANSWERED and value not in (None, [], {})}


RESOURCE_TYPE = ResourceType(
    type="endpoint-config",
    service="sagemaker",
    cloudformation="AWS::SageMaker::EndpointConfig",
    describe=lambda name: (Call("DescribeEndpointConfig", {"EndpointConfigName": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreateEndpointConfig", {"EndpointConfigName": name, **properties}),),
    update=None,
    delete=lambda name, inside: (Call("DeleteEndpointConfig", {"EndpointConfigName": name}),),
    permissions=("iam:PassRole", "sagemaker:AddTags"),
    from_template=called_by("EndpointConfigName"),
)
