"""Domains of Studio, their users and spaces, as states: no JupyterLab is started here and no volume made, so that what
takes the service minutes has ended when it is answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.tags import STUDIO_DOMAIN, STUDIO_SPACE, STUDIO_USER
from mlops.account.local.state import State

_RUNS = "InService"
_OF_A_DOMAIN = (
    *("DomainName", "AuthMode", "DefaultUserSettings", "DefaultSpaceSettings", "DomainSettings", "SubnetIds", "VpcId"),
    *("AppNetworkAccessType", "HomeEfsFileSystemKmsKeyId", "KmsKeyId", "AppSecurityGroupManagement", "TagPropagation"),
)
_OF_A_USER = ("SingleSignOnUserIdentifier", "SingleSignOnUserValue", "UserSettings")
_OF_A_SPACE = ("SpaceSettings", "OwnershipSettings", "SpaceSharingSettings", "SpaceDisplayName")
_TIMES = ("CreationTime", "LastModifiedTime")


def create_domain(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["DomainName"]
    with state.store.transaction():
        if any(body["DomainName"] == name for _, body in _all(state, STUDIO_DOMAIN)):
            raise Refusal("ResourceInUse", f"A domain with the name {name} exists already.")
        made = f"d-{uuid.uuid4().hex[:12]}"
        resources.insert(state, STUDIO_DOMAIN, made, _given(request, _OF_A_DOMAIN), taken=invalid("Ask again."))
        resources.tag(state, _domain_arn(state, made), request)
    return {"DomainArn": _domain_arn(state, made), "DomainId": made, "Url": _url(state, made)}


def describe_domain(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    domain = request["DomainId"]
    body = _found(state, STUDIO_DOMAIN, domain)
    told = {"DomainArn": _domain_arn(state, domain), "DomainId": domain, "Status": _RUNS, "Url": _url(state, domain)}
    return {**told, **{member: body[member] for member in (*_OF_A_DOMAIN, *_TIMES) if member in body}}


def list_domains(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = [
        {
            "DomainArn": _domain_arn(state, name),
            "DomainId": name,
            "DomainName": body["DomainName"],
            "Status": _RUNS,
            "Url": _url(state, name),
            **{member: body[member] for member in _TIMES},
        }
        for name, body in _all(state, STUDIO_DOMAIN)
    ]
    return {"Domains": listed}


def update_domain(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    domain = request["DomainId"]
    _change(state, STUDIO_DOMAIN, domain, _given(request, _OF_A_DOMAIN))
    return {"DomainArn": _domain_arn(state, domain)}


def delete_domain(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    domain = request["DomainId"]
    with state.store.transaction():
        _found(state, STUDIO_DOMAIN, domain)
        inside = [*_inside(state, STUDIO_USER, domain), *_inside(state, STUDIO_SPACE, domain)]
        if inside:
            raise Refusal("ResourceInUse", f"Unable to delete Domain {domain} because it has user profiles or spaces.")
        resources.remove(state, STUDIO_DOMAIN, domain, _domain_arn(state, domain))
    return {}


def create_user_profile(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"UserProfileArn": _create(state, STUDIO_USER, request, "UserProfileName", _OF_A_USER)}


def describe_user_profile(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _described(state, STUDIO_USER, request, "UserProfile", _OF_A_USER)


def list_user_profiles(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"UserProfiles": _listed(state, STUDIO_USER, request, "UserProfileName")}


def update_user_profile(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"UserProfileArn": _update(state, STUDIO_USER, request, "UserProfileName", _OF_A_USER)}


def delete_user_profile(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _delete(state, STUDIO_USER, request, "UserProfileName")


def create_space(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    owner = (request.get("OwnershipSettings") or {}).get("OwnerUserProfileName")
    with state.store.transaction():
        if owner is not None:
            _found(state, STUDIO_USER, f"{request['DomainId']}/{owner}")
        return {"SpaceArn": _create(state, STUDIO_SPACE, request, "SpaceName", _OF_A_SPACE)}


def describe_space(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _described(state, STUDIO_SPACE, request, "Space", _OF_A_SPACE)


def list_spaces(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Spaces": _listed(state, STUDIO_SPACE, request, "SpaceName")}


def update_space(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"SpaceArn": _update(state, STUDIO_SPACE, request, "SpaceName", _OF_A_SPACE)}


def delete_space(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _delete(state, STUDIO_SPACE, request, "SpaceName")


def list_apps(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """None runs here."""
    return {"Apps": []}


def _create(state: State, kind: str, request: Mapping[str, Any], member: str, members: tuple[str, ...]) -> str:
    name = f"{request['DomainId']}/{request[member]}"
    arn = state.arn(f"{_SEGMENTS[kind]}/{name}")
    with state.store.transaction():
        _found(state, STUDIO_DOMAIN, request["DomainId"])
        taken = Refusal("ResourceInUse", f"{request[member]} exists already in {request['DomainId']}.")
        resources.insert(state, kind, name, _given(request, members), taken=taken)
        resources.tag(state, arn, request)
    return arn


def _update(state: State, kind: str, request: Mapping[str, Any], member: str, members: tuple[str, ...]) -> str:
    name = f"{request['DomainId']}/{request[member]}"
    _change(state, kind, name, _given(request, members))
    return state.arn(f"{_SEGMENTS[kind]}/{name}")


def _described(
    state: State, kind: str, request: Mapping[str, Any], noun: str, members: tuple[str, ...]
) -> Mapping[str, Any]:
    name = f"{request['DomainId']}/{request[f'{noun}Name']}"
    body = _found(state, kind, name)
    told = {
        "DomainId": request["DomainId"],
        f"{noun}Name": request[f"{noun}Name"],
        f"{noun}Arn": state.arn(f"{_SEGMENTS[kind]}/{name}"),
        "Status": _RUNS,
    }
    return {**told, **{member: body[member] for member in (*members, *_TIMES) if member in body}}


def _listed(state: State, kind: str, request: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    found = _inside(state, kind, request.get("DomainIdEquals"))
    part = request.get(f"{member}Contains") or ""
    return [
        {
            "DomainId": name.partition("/")[0],
            member: name.partition("/")[2],
            "Status": _RUNS,
            **{time: body[time] for time in _TIMES},
            **({"OwnershipSettingsSummary": body["OwnershipSettings"]} if "OwnershipSettings" in body else {}),
        }
        for name, body in found
        if part in name.partition("/")[2]
    ]


def _delete(state: State, kind: str, request: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    name = f"{request['DomainId']}/{request[member]}"
    with state.store.transaction():
        _found(state, kind, name)
        resources.remove(state, kind, name, state.arn(f"{_SEGMENTS[kind]}/{name}"))
    return {}


def _change(state: State, kind: str, name: str, given: Mapping[str, Any]) -> None:
    with state.store.transaction():
        resources.replace(state, kind, name, {**_found(state, kind, name), **given})


def _found(state: State, kind: str, name: str) -> dict[str, Any]:
    body = resources.find(state, kind, name)
    if body is None:
        raise Refusal("ResourceNotFound", f"{_SEGMENTS[kind]} {name} does not exist.")
    return body


def _inside(state: State, kind: str, domain: str | None) -> list[tuple[str, dict[str, Any]]]:
    return [item for item in _all(state, kind) if domain is None or item[0].startswith(f"{domain}/")]


def _all(state: State, kind: str) -> list[tuple[str, dict[str, Any]]]:
    rows = state.store.all("SELECT * FROM resource WHERE kind = ? ORDER BY name", kind)
    return [(row["name"], resources.body_of(row)) for row in rows]


def _given(request: Mapping[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {member: request[member] for member in members if request.get(member) is not None}


def _domain_arn(state: State, domain: str) -> str:
    return state.arn(f"domain/{domain}")


def _url(state: State, domain: str) -> str:
    return f"https://{domain}.studio.{state.region}.sagemaker.aws"


_SEGMENTS = {STUDIO_DOMAIN: "domain", STUDIO_USER: "user-profile", STUDIO_SPACE: "space"}

OPERATIONS = {
    "CreateDomain": create_domain,
    "CreateSpace": create_space,
    "CreateUserProfile": create_user_profile,
    "DeleteDomain": delete_domain,
    "DeleteSpace": delete_space,
    "DeleteUserProfile": delete_user_profile,
    "DescribeDomain": describe_domain,
    "DescribeSpace": describe_space,
    "DescribeUserProfile": describe_user_profile,
    "ListApps": list_apps,
    "ListDomains": list_domains,
    "ListSpaces": list_spaces,
    "ListUserProfiles": list_user_profiles,
    "UpdateDomain": update_domain,
    "UpdateSpace": update_space,
    "UpdateUserProfile": update_user_profile,
}
