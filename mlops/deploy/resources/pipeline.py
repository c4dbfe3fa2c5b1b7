"""Pipelines. What is planned around one (its record, its code, who else writes) is
:mod:`mlops.deploy.pipelines`'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, ResourceType


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """An empty description and none are the same, so are the pipeline's name as its display name and none; versions,
    times and who changed it are no properties."""
    shown = reply.get("PipelineDisplayName")
    return {
        "PipelineDefinition": str(reply.get("PipelineDefinition", "")),
        "RoleArn": str(reply.get("RoleArn", "")),
        **({"PipelineDisplayName": shown} if shown and shown != reply.get("PipelineName") else {}),
        **{
            member: reply[member] for member in ("PipelineDescription", "ParallelismConfiguration") if reply.get(member)
        },
    }


RESOURCE_TYPE = ResourceType(
    type="pipeline",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Pipeline",
    describe=lambda name: (Call("DescribePipeline", {"PipelineName": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreatePipeline", {"PipelineName": name, **properties}),),
    update=lambda name, properties: (Call("UpdatePipeline", {"PipelineName": name, **properties}),),
    delete=lambda name, inside: (Call("DeletePipeline", {"PipelineName": name}),),
    permissions=("iam:PassRole",),
    templated=lambda name, properties: {"PipelineName": name, **properties},
)
