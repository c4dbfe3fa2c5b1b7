"""Users of domains of Studio, declared beside pipelines: ``DOMAIN/USER``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.studio import LIST, busy, domain_id, failed, plain, told_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType

_SETTINGS = "UserSettings"
_FIXED = ("SingleSignOnUserIdentifier", "SingleSignOnUserValue")


def _of(name: str) -> dict[str, Any]:
    domain, _, user = name.partition("/")
    return {"DomainId": domain_id(domain), "UserProfileName": user}


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plain({member: properties.get(member) for member in (_SETTINGS, *_FIXED)})
    return found


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    return (LIST, Call("CreateUserProfile", {**properties, **_of(name)}))


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    return (Call("UpdateUserProfile", {**_of(name), _SETTINGS: properties.get(_SETTINGS) or {}}),)


def _stays(inside: Mapping[str, Any]) -> str | None:
    own = [
        str(item["SpaceName"])
        for item in inside.get("Spaces", ())
        if item.get("OwnershipSettingsSummary", {}).get("OwnerUserProfileName") == inside.get("UserProfileName")
    ]
    return f"it owns {', '.join(own)}; remove these first" if own else None


RESOURCE_TYPE = ResourceType(
    type="user-profile",
    service="sagemaker",
    cloudformation="AWS::SageMaker::UserProfile",
    describe=lambda name: (LIST, Call("DescribeUserProfile", _of(name))),
    read=_form,
    create=_create,
    update=None,
    inside=lambda name: (
        LIST,
        Call("DescribeUserProfile", _of(name)),
        Call("ListSpaces", {"DomainIdEquals": _of(name)["DomainId"]}, pages="Spaces"),
    ),
    delete=lambda name, inside: (Call("DeleteUserProfile", _of(name)),),
    permissions=("iam:PassRole",),
    anew=frozenset(_FIXED),
    templated=lambda name, properties: {"UserProfileName": name.partition("/")[2], **properties},
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:sagemaker:{region}:{account}:user-profile/*",
        tags=lambda arn, name: Call(
            "ListTags", {"ResourceArn": told_arn("user-profile/d/u", "UserProfileArn")}, pages="Tags"
        ),
        told=told_tags,
        tag=lambda arn, name, tags: Call(
            "AddTags", {"ResourceArn": told_arn("user-profile/d/u", "UserProfileArn"), "Tags": tags}
        ),
        change=_change,
        form=_form,
        behind=("studio-domain",),
        busy=busy,
        failed=failed,
        stays=_stays,
        anywhere=("ListDomains",),
    ),
)
