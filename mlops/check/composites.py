"""Arguments that mirror no single request: put together here from the pieces of several service models.

Sources: the official SDK's emr_step, emr_serverless_step, lineage_step, cleanup_step, for_each_step and fail_step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.check.shapes import Shape

_STRING = {"type": "string"}
_ROLE = {"shape": "RoleArn"}


def _structure(required: tuple[str, ...] = (), **members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "structure", "required": required, "members": members}


def _list(member: Mapping[str, Any], **limits: int) -> dict[str, Any]:
    return {"type": "list", "member": member, **limits}


_EMR_STEP = _structure(
    ("HadoopJarStep",), HadoopJarStep={"service": "emr", "shape": "HadoopJarStepConfig"}, Properties={"type": "any"}
)
_EMR_CLUSTER = {"service": "emr", "shape": "RunJobFlowInput", "omits": ("Name", "Steps", "AutoTerminationPolicy")}

_ASSOCIATION_END = _structure(
    (), Arn=_STRING, Name=_STRING, Type={"type": "string", "enum": ("Action", "Artifact", "Context")}
)

_RAW: Mapping[str, Mapping[str, Any]] = {
    "Fail": _structure(("ErrorMessage",), ErrorMessage=_STRING),
    "EMR": _structure(
        ("StepConfig",), StepConfig=_EMR_STEP, ClusterId=_STRING, ClusterConfig=_EMR_CLUSTER, ExecutionRoleArn=_ROLE
    ),
    "EMRServerless": _structure(
        ("ExecutionRoleArn", "JobConfig"),
        ExecutionRoleArn=_ROLE,
        JobConfig={
            "service": "emr-serverless",
            "shape": "StartJobRunRequest",
            "omits": ("clientToken",),
            "optional": ("applicationId",),
        },
        ApplicationId=_STRING,
        ApplicationConfig={
            "service": "emr-serverless",
            "shape": "CreateApplicationRequest",
            "omits": ("clientToken",),
        },
    ),
    "Lineage": _structure(
        (),
        Actions=_list({"shape": "CreateActionRequest"}),
        Artifacts=_list({"shape": "CreateArtifactRequest"}),
        Contexts=_list({"shape": "CreateContextRequest"}),
        Associations=_list(
            _structure(
                ("Source", "Destination"),
                Source=_ASSOCIATION_END,
                Destination=_ASSOCIATION_END,
                AssociationType={"shape": "AssociationEdgeType"},
            )
        ),
    ),
    "Cleanup": _structure(
        ("Resources",),
        Resources=_structure(
            ("S3",),
            S3=_list(_structure(("StepName",), StepName=_STRING, S3Uris=_list(_STRING, min=1)), min=1),
        ),
    ),
    "ForEach": _structure(
        ("IterableItems", "MaxConcurrency"),
        IterableItems={"type": "any"},
        MaxConcurrency={"type": "integer", "min": 1, "max": 50},
        Selector=_structure(
            ("Pick", "Field"), Pick={"type": "string", "enum": ("MaxBy", "MinBy")}, Field={"type": "any"}
        ),
    ),
}

ARGUMENTS: Mapping[str, Shape] = {name: Shape("sagemaker", f"{name} arguments", raw) for name, raw in _RAW.items()}
"""By step type."""
