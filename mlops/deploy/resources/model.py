"""Models, declared beside pipelines: nothing of one can be changed, so that another content has another name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, ResourceType, called_by

_MEMBERS = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """No isolation, and none that is spoken of, are the same; so are no environment and an empty one."""
    told = {member: reply[member] for member in _MEMBERS if reply.get(member)}
    return {member: _plain(value) for member, value in told.items()}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _plain(item) for key, item in value.items() if item not in (None, {}, [])}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


RESOURCE_TYPE = ResourceType(
    type="model",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Model",
    describe=lambda name: (Call("DescribeModel", {"ModelName": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreateModel", {"ModelName": name, **properties}),),
    update=None,
    delete=lambda name, inside: (Call("DeleteModel", {"ModelName": name}),),
    permissions=("iam:PassRole", "sagemaker:AddTags"),
    from_template=called_by("ModelName"),
)
