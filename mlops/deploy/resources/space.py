"""Spaces of domains of Studio, declared beside pipelines: ``DOMAIN/SPACE``. One whose application runs is not removed;
its volume goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.studio import LIST, busy, domain_id, failed, plain, told_arn
from mlops.deploy.tag_lists import told_tags
from mlops.ir import UsageError
from mlops.ir.resource import Call, Kept, ResourceType

_CHANGED = ("SpaceSettings", "SpaceDisplayName")
_FIXED = ("OwnershipSettings", "SpaceSharingSettings")
_APPLICATIONS = ("JupyterLabAppSettings", "CodeEditorAppSettings")
_VOLUME = ("SpaceSettings", "SpaceStorageSettings", "EbsStorageSettings", "EbsVolumeSizeInGb")


def _of(name: str) -> dict[str, Any]:
    domain, _, space = name.partition("/")
    return {"DomainId": domain_id(domain), "SpaceName": space}


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plain({member: properties.get(member) for member in (*_CHANGED, *_FIXED)})
    return found


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    asked = {member: properties[member] for member in _CHANGED if properties.get(member)}
    return (Call("UpdateSpace", {**_of(name), **asked}),)


def _gigabytes(properties: Mapping[str, Any]) -> int:
    found: Any = properties
    for member in _VOLUME:
        found = found.get(member) or {}
    return found if isinstance(found, int) else 0


def _cannot(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if _gigabytes(now) < _gigabytes(before):
        yield f"its volume has {_gigabytes(before)} GB and can only grow"


def _stays(inside: Mapping[str, Any]) -> str | None:
    runs = [str(item["AppType"]) for item in inside.get("Apps", ()) if item.get("Status") in ("InService", "Pending")]
    return f"{', '.join(runs)} runs there; stop it first" if runs else None


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises UsageError for what CloudFormation's schema of a space lacks."""
    settings = properties.get("SpaceSettings") or {}
    if any("AppLifecycleManagement" in (settings.get(application) or {}) for application in _APPLICATIONS):
        raise UsageError(
            f"the space {name} has idle=, which CloudFormation has no member for",
            hint="leave it out: the domain's holds; or upsert it",
        )
    return {"SpaceName": name.partition("/")[2], **properties}


RESOURCE_TYPE = ResourceType(
    type="space",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Space",
    describe=lambda name: (LIST, Call("DescribeSpace", _of(name))),
    read=_form,
    create=lambda name, properties: (LIST, Call("CreateSpace", {**properties, **_of(name)})),
    update=None,
    inside=lambda name: (
        LIST,
        Call(
            "ListApps",
            {"DomainIdEquals": _of(name)["DomainId"], "SpaceNameEquals": _of(name)["SpaceName"]},
            pages="Apps",
        ),
    ),
    delete=lambda name, inside: (Call("DeleteSpace", _of(name)),),
    anew=frozenset(_FIXED),
    templated=_templated,
    kept=Kept(
        called=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        arn="arn:{partition}:sagemaker:{region}:{account}:space/*",
        tags=lambda arn, name: Call("ListTags", {"ResourceArn": told_arn("space/d/s", "SpaceArn")}, pages="Tags"),
        told=told_tags,
        tag=lambda arn, name, tags: Call("AddTags", {"ResourceArn": told_arn("space/d/s", "SpaceArn"), "Tags": tags}),
        change=_change,
        form=_form,
        behind=("user-profile",),
        busy=busy,
        failed=failed,
        cannot=_cannot,
        stays=_stays,
        anywhere=("ListDomains",),
    ),
)
