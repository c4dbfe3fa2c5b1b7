"""Tags of whatever has an ARN in SageMaker. Only those that are ours are compared: see
:func:`mlops.deploy.pipelines.differences.tag_changes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import listed, told_tags
from mlops.ir.resource import Call, ResourceType


def _put(arn: str, tags: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("AddTags", {"ResourceArn": arn, "Tags": listed(tags)}),)


RESOURCE_TYPE = ResourceType(
    type="tags",
    service="sagemaker",
    cloudformation=None,
    describe=lambda arn: (Call("ListTags", {"ResourceArn": arn}, pages="Tags"),),
    read=told_tags,
    create=_put,
    update=_put,
    delete=lambda arn, tags: (Call("DeleteTags", {"ResourceArn": arn, "TagKeys": list(tags)}),),
)
"""Named by the ARN of what they belong to; ``delete`` is given the tags that are to go."""
