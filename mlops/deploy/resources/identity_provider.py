"""Identity providers of IAM, declared beside pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Kept, ResourceType, Told


def _arn(name: str) -> Told:
    def taken(told: Mapping[str, Any]) -> str | None:
        arns = (str(item["Arn"]) for item in told.get("OpenIDConnectProviderList", ()))
        return next((arn for arn in arns if arn.partition(":oidc-provider/")[2] == name), None)

    return Told(f"arn:aws:iam::000000000000:oidc-provider/{name}", taken)


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"ClientIDList": sorted(properties.get("ClientIDList") or ())}


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
    audiences = list(properties["ClientIDList"])
    return (Call("CreateOpenIDConnectProvider", {"Url": f"https://{name}", "ClientIDList": audiences, **tags}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    provider = {"OpenIDConnectProviderArn": _arn(name)}
    was, now = set(reply.get("ClientIDList") or ()), set(properties.get("ClientIDList") or ())
    more = (Call("AddClientIDToOpenIDConnectProvider", {**provider, "ClientID": one}) for one in sorted(now - was))
    less = (Call("RemoveClientIDFromOpenIDConnectProvider", {**provider, "ClientID": one}) for one in sorted(was - now))
    return (*more, *less)


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
    return {"Url": f"https://{name}", "ClientIdList": properties["ClientIDList"], **tags}


_LIST = Call("ListOpenIDConnectProviders", {})

RESOURCE_TYPE = ResourceType(
    type="identity-provider",
    service="iam",
    cloudformation="AWS::IAM::OIDCProvider",
    describe=lambda name: (_LIST, Call("GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": _arn(name)})),
    read=_form,
    create=_create,
    update=None,
    delete=lambda name, inside: (
        _LIST,
        Call("DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": _arn(name)}),
    ),
    templated=_templated,
    retained=True,
    kept=Kept(
        called=r"[a-z0-9.\-]+(/[\w.\-/]+)?",
        named=None,
        arn="arn:{partition}:iam::{account}:oidc-provider/{name}",
        tags=lambda arn, name: Call("ListOpenIDConnectProviderTags", {"OpenIDConnectProviderArn": arn}),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn, "Tags": tags}),
        change=_change,
        form=_form,
        anywhere=("ListOpenIDConnectProviders",),
    ),
)
