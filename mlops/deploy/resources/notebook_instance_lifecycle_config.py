"""Lifecycle configurations of notebook instances, declared beside pipelines: what is changed holds from an instance's
next start on."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType, called_by

_HOOKS = ("OnCreate", "OnStart")
_MEMBER = "NotebookInstanceLifecycleConfigName"


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Scripts as people read them."""
    found: dict[str, Any] = {}
    for hook in _HOOKS:
        scripts = [_text(str(item["Content"])) for item in properties.get(hook) or () if item.get("Content")]
        if scripts:
            found[hook] = scripts[0]
    return found


def _text(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, ValueError):
        return content


def _update(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    """What is left out would stay."""
    hooks = {hook: list(properties.get(hook) or ()) for hook in _HOOKS}
    return (Call("UpdateNotebookInstanceLifecycleConfig", {_MEMBER: name, **hooks}),)


RESOURCE_TYPE = ResourceType(
    type="notebook-instance-lifecycle-config",
    service="sagemaker",
    cloudformation="AWS::SageMaker::NotebookInstanceLifecycleConfig",
    describe=lambda name: (Call("DescribeNotebookInstanceLifecycleConfig", {_MEMBER: name}),),
    read=_form,
    create=lambda name, properties: (Call("CreateNotebookInstanceLifecycleConfig", {_MEMBER: name, **properties}),),
    update=_update,
    delete=lambda name, inside: (Call("DeleteNotebookInstanceLifecycleConfig", {_MEMBER: name}),),
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:sagemaker:{region}:{account}:notebook-instance-lifecycle-config/{lower}",
        tags=lambda arn, name: Call("ListTags", {"ResourceArn": arn}, pages="Tags"),
        told=told_tags,
        tag=lambda arn, name, tags: Call("AddTags", {"ResourceArn": arn, "Tags": tags}),
        change=lambda name, properties, reply: _update(name, properties),
        form=_form,
    ),
    from_template=called_by(_MEMBER),
)
