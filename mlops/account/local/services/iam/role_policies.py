"""What roles are given after they are made: policies of their own, tags, another trust. Nobody is kept from anything by
them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.iam.roles import KIND, body_of_role, made_role, need_json, no_entity
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State


def put_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_json(request["PolicyDocument"])
    with state.store.transaction():
        policies = made_role(state, request["RoleName"]).get("Policies") or {}
        return _change(state, request, {"Policies": {**policies, request["PolicyName"]: request["PolicyDocument"]}})


def get_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    policy = _policies(state, request["RoleName"]).get(request["PolicyName"])
    if policy is None:
        raise _no_policy(request)
    named = {"RoleName": request["RoleName"], "PolicyName": request["PolicyName"]}
    return {**named, "PolicyDocument": quote(policy)}


def delete_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        policies = dict(_policies(state, request["RoleName"]))
        if policies.pop(request["PolicyName"], None) is None:
            raise _no_policy(request)
        return _change(state, request, {"Policies": policies})


def list_role_policies(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"PolicyNames": sorted(_policies(state, request["RoleName"])), "IsTruncated": False}


def update_assume_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    need_json(request["PolicyDocument"])
    return _change(state, request, {"Trust": request["PolicyDocument"]})


def update_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    members = ("Description", "MaxSessionDuration")
    return _change(state, request, {member: request[member] for member in members if request.get(member) is not None})


def put_role_permissions_boundary(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, {"Boundary": request["PermissionsBoundary"]})


def delete_role_permissions_boundary(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, {"Boundary": None})


def tag_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        before = {item["Key"]: item["Value"] for item in made_role(state, request["RoleName"]).get("Tags") or ()}
        after = {**before, **{item["Key"]: item["Value"] for item in request["Tags"]}}
        return _change(state, request, {"Tags": _listed(after)})


def untag_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        before = made_role(state, request["RoleName"]).get("Tags") or ()
        return _change(state, request, {"Tags": [item for item in before if item["Key"] not in request["TagKeys"]]})


def list_role_tags(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a role that was made; of one that is only taken to be there nobody knows any."""
    return {"Tags": body_of_role(state, request["RoleName"]).get("Tags") or [], "IsTruncated": False}


def _policies(state: State, name: str) -> Mapping[str, str]:
    found: Mapping[str, str] = (resources.find(state, KIND, name) or {}).get("Policies") or {}
    return found


def _change(state: State, request: Mapping[str, Any], changed: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        body = made_role(state, request["RoleName"])
        resources.replace(state, KIND, request["RoleName"], {**body, **changed})
    return {}


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _no_policy(request: Mapping[str, Any]) -> Refusal:
    return no_entity(f"The role policy with name {request['PolicyName']} cannot be found.")


OPERATIONS = {
    "DeleteRolePermissionsBoundary": delete_role_permissions_boundary,
    "DeleteRolePolicy": delete_role_policy,
    "GetRolePolicy": get_role_policy,
    "ListRolePolicies": list_role_policies,
    "ListRoleTags": list_role_tags,
    "PutRolePermissionsBoundary": put_role_permissions_boundary,
    "PutRolePolicy": put_role_policy,
    "TagRole": tag_role,
    "UntagRole": untag_role,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "UpdateRole": update_role,
}
