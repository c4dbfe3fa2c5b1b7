"""Notebook instances, declared beside pipelines. Only one that is stopped can be changed or removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, Pause, ResourceType, called_by

_DISASSOCIATED = {
    "LifecycleConfigName": "DisassociateLifecycleConfig",
    "DefaultCodeRepository": "DisassociateDefaultCodeRepository",
    "AdditionalCodeRepositories": "DisassociateAdditionalCodeRepositories",
    "AcceleratorTypes": "DisassociateAcceleratorTypes",
}
"""What an update is told where it is not declared any more."""
_CHANGED = (
    "InstanceType",
    "IpAddressType",
    "RoleArn",
    "VolumeSizeInGB",
    "RootAccess",
    "PlatformIdentifier",
    "InstanceMetadataServiceConfiguration",
    *_DISASSOCIATED,
)
_FIXED = ("SubnetId", "SecurityGroupIds", "KmsKeyId", "DirectInternetAccess")
_TOLD = {"SecurityGroups": "SecurityGroupIds", "NotebookInstanceLifecycleConfigName": "LifecycleConfigName"}
"""What DescribeNotebookInstance calls otherwise than who makes one."""
_FILLED: Mapping[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "IpAddressType": "ipv4",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
"""What the service says where nothing was said."""
_UNDER_WAY = frozenset({"Pending", "Stopping", "Deleting", "Updating", "PendingMaintenance", "InMaintenance"})


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        member: properties[member]
        for member in (*_CHANGED, *_FIXED)
        if properties.get(member) not in (None, [], (), {}, _FILLED.get(member))
    }
    if "SecurityGroupIds" in told:
        told["SecurityGroupIds"] = sorted(told["SecurityGroupIds"])
    return told


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return _form({_TOLD.get(member, member): value for member, value in reply.items()})


def _update(name: str, properties: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[Call, ...]:
    asked = {member: properties[member] for member in _CHANGED if properties.get(member) not in (None, [], ())}
    gone = {_DISASSOCIATED[member]: True for member in _DISASSOCIATED if member in before and member not in asked}
    return (Call("UpdateNotebookInstance", {"NotebookInstanceName": name, **asked, **gone}),)


def _cannot(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    least = _FILLED["VolumeSizeInGB"]
    was, wanted = before.get("VolumeSizeInGB", least), now.get("VolumeSizeInGB", least)
    if wanted < was:
        yield f"its volume has {was} GB and can only grow"


def _busy(reply: Mapping[str, Any]) -> str | None:
    status = str(reply.get("NotebookInstanceStatus", ""))
    return status.lower() if status in _UNDER_WAY else None


def _failed(reply: Mapping[str, Any]) -> str | None:
    if reply.get("NotebookInstanceStatus") != "Failed":
        return None
    return str(reply.get("FailureReason") or "the account does not say why")


RESOURCE_TYPE = ResourceType(
    type="notebook-instance",
    service="sagemaker",
    cloudformation="AWS::SageMaker::NotebookInstance",
    describe=lambda name: (Call("DescribeNotebookInstance", {"NotebookInstanceName": name}),),
    read=_read,
    create=lambda name, properties: (Call("CreateNotebookInstance", {"NotebookInstanceName": name, **properties}),),
    update=None,
    delete=lambda name, inside: (Call("DeleteNotebookInstance", {"NotebookInstanceName": name}),),
    permissions=("iam:PassRole",),
    anew=frozenset(_FIXED),
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:sagemaker:{region}:{account}:notebook-instance/{lower}",
        tags=lambda arn, name: Call("ListTags", {"ResourceArn": arn}, pages="Tags"),
        told=told_tags,
        tag=lambda arn, name, tags: Call("AddTags", {"ResourceArn": arn, "Tags": tags}),
        change=lambda name, properties, reply: _update(name, properties, _read(reply)),
        form=_form,
        behind=("notebook-instance-lifecycle-config",),
        busy=_busy,
        failed=_failed,
        cannot=_cannot,
        pause=Pause(
            runs=lambda reply: reply.get("NotebookInstanceStatus") == "InService",
            stop=lambda name: Call("StopNotebookInstance", {"NotebookInstanceName": name}),
            start=lambda name: Call("StartNotebookInstance", {"NotebookInstanceName": name}),
            untag=lambda arn, keys: Call("DeleteTags", {"ResourceArn": arn, "TagKeys": keys}),
        ),
    ),
    from_template=called_by("NotebookInstanceName"),
)
