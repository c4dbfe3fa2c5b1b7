"""Groups of the model registry, declared beside pipelines: made bare, with tags, and then shared. One that has versions
is not removed, and the service changes no description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy.studio import told_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Declarable, FromTemplate, Kept, Others, ResourceType
from mlops.ir.values import Value, from_json

_NAME, _ABOUT, _POLICY = "ModelPackageGroupName", "ModelPackageGroupDescription", "ModelPackageGroupPolicy"
_ARN = told_arn("model-package-group/g", "ModelPackageGroupArn")


def _has_tags_of_ours(told: Mapping[str, Any]) -> bool:
    """The policy of somebody else's is nobody's business, and not every API of the kind knows policies."""
    return any(str(item["Key"]).startswith("mlops:") for item in told.get("Tags", ()))


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    policy = reply.get("ResourcePolicy")
    return _form({_ABOUT: reply.get(_ABOUT), _POLICY: json.loads(policy) if policy else None})


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {member: properties[member] for member in (_ABOUT, _POLICY) if properties.get(member)}


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    told = {member: properties[member] for member in (_ABOUT, "Tags") if properties.get(member)}
    return (Call("CreateModelPackageGroup", {_NAME: name, **told}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    policy = properties.get(_POLICY)
    if policy:
        return (Call("PutModelPackageGroupPolicy", {_NAME: name, "ResourcePolicy": json.dumps(policy)}),)
    return (Call("DeleteModelPackageGroupPolicy", {_NAME: name}),) if reply.get("ResourcePolicy") else ()


def _from_template(properties: Mapping[str, Value], others: Others, region: str) -> Declarable:
    """A policy may be written there as the text that it is of."""
    told = {member: properties[member] for member in (_ABOUT, _POLICY, "Tags") if member in properties}
    left: tuple[str, ...] = ()
    if isinstance(policy := told.get(_POLICY), str):
        try:
            told[_POLICY] = from_json(json.loads(policy))
        except (ValueError, RecursionError):
            del told[_POLICY]
            left = (f"{_POLICY}: it is no JSON",)
    name = properties.get(_NAME)
    return Declarable(name if isinstance(name, str) else None, told, left)


RESOURCE_TYPE = ResourceType(
    type="model-package-group",
    service="sagemaker",
    cloudformation="AWS::SageMaker::ModelPackageGroup",
    describe=lambda name: (
        Call("DescribeModelPackageGroup", {_NAME: name}),
        Call("ListTags", {"ResourceArn": _ARN}, pages="Tags"),
        # Of a group without one the service says that it cannot find it.
        Call("GetModelPackageGroupPolicy", {_NAME: name}, nothing=("ValidationException",), when=_has_tags_of_ours),
    ),
    read=_read,
    create=_create,
    update=None,
    anew=frozenset({_ABOUT}),
    inside=lambda name: (Call("ListModelPackages", {_NAME: name, "MaxResults": 1}),),
    delete=lambda name, inside: (Call("DeleteModelPackageGroup", {_NAME: name}),),
    from_template=FromTemplate(_from_template),
    retained=True,
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:sagemaker:{region}:{account}:model-package-group/{lower}",
        tags=lambda arn, name: Call("ListTags", {"ResourceArn": _ARN}, pages="Tags"),
        told=told_tags,
        tag=lambda arn, name, tags: Call("AddTags", {"ResourceArn": _ARN, "Tags": tags}),
        change=_change,
        form=_form,
        in_parts=True,
        stays=lambda inside: "it has versions; delete these first" if inside.get("ModelPackageSummaryList") else None,
        allowed=("arn:{partition}:sagemaker:{region}:{account}:model-package-group/{name}",),
    ),
)
