"""Domains of Studio, declared beside pipelines: called by their names, while the service gives each an id. One that has
users or spaces is not removed, and its file system outlives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.studio import LIST, busy, domain_id, failed, plain, told_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType, called_by

_CHANGED = ("DefaultUserSettings", "DefaultSpaceSettings", "SubnetIds", "AppNetworkAccessType", "VpcId")
_FIXED = ("AuthMode", "KmsKeyId")


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plain({member: properties.get(member) for member in (*_CHANGED, *_FIXED)})
    return found


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    asked = {member: properties[member] for member in _CHANGED if properties.get(member)}
    return (Call("UpdateDomain", {"DomainId": domain_id(name), **asked}),)


def _stays(inside: Mapping[str, Any]) -> str | None:
    has = [word for word, member in (("users", "UserProfiles"), ("spaces", "Spaces")) if inside.get(member)]
    return f"it has {' and '.join(has)}; remove these first" if has else None


RESOURCE_TYPE = ResourceType(
    type="studio-domain",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Domain",
    describe=lambda name: (LIST, Call("DescribeDomain", {"DomainId": domain_id(name)})),
    read=_form,
    create=lambda name, properties: (Call("CreateDomain", {"DomainName": name, **properties}),),
    update=None,
    inside=lambda name: (
        LIST,
        Call("ListUserProfiles", {"DomainIdEquals": domain_id(name)}, pages="UserProfiles"),
        Call("ListSpaces", {"DomainIdEquals": domain_id(name)}, pages="Spaces"),
    ),
    delete=lambda name, inside: (
        Call("DeleteDomain", {"DomainId": domain_id(name), "RetentionPolicy": {"HomeEfsFileSystem": "Retain"}}),
    ),
    permissions=("iam:PassRole", "iam:CreateServiceLinkedRole"),
    anew=frozenset(_FIXED),
    retained=True,
    from_template=called_by("DomainName"),
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        named="DomainName",
        arn="arn:{partition}:sagemaker:{region}:{account}:domain/*",
        tags=lambda arn, name: Call("ListTags", {"ResourceArn": told_arn("domain/d", "DomainArn")}, pages="Tags"),
        told=told_tags,
        tag=lambda arn, name, tags: Call("AddTags", {"ResourceArn": told_arn("domain/d", "DomainArn"), "Tags": tags}),
        change=_change,
        form=_form,
        busy=busy,
        failed=failed,
        stays=_stays,
        anywhere=("ListDomains",),
    ),
)
