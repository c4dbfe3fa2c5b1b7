"""Roles: kept as they are made; and whoever asks is told that all is allowed, since nobody is kept from anything here.

A role that an author's pipeline names belongs to another account and was never made here. Clients look such roles up by
name before they use them, so a name that nobody has made is told as a role that SageMaker may take on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND = "Role"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_SINCE = "2020-01-01T00:00:00.000000+00:00"
_KEPT = ("Description", "MaxSessionDuration", "Tags")


def create_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["RoleName"]
    need_json(request["AssumeRolePolicyDocument"])
    kept = {member: request[member] for member in _KEPT if request.get(member) is not None}
    body = {"Path": request.get("Path") or "/", "Trust": request["AssumeRolePolicyDocument"], **kept}
    if request.get("PermissionsBoundary"):
        body["Boundary"] = request["PermissionsBoundary"]
    taken = Refusal("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
    resources.insert(state, KIND, name, body, taken=taken)
    return {"Role": _role(name, body_of_role(state, name))}


def get_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["RoleName"]
    body = resources.find(state, KIND, name)
    return {"Role": _role(name, body if body is not None else _supposed())}


def list_roles(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    rows, token = query.page(state.store, {"MaxResults": request.get("MaxItems"), "NextToken": request.get("Marker")})
    found = [(row["name"], resources.body_of(row)) for row in rows]
    prefix = request.get("PathPrefix") or "/"
    roles = [_role(name, body) for name, body in found if body["Path"].startswith(prefix)]
    return {"Roles": roles, "IsTruncated": token is not None, "Marker": token}


def delete_role(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        body = body_of_role(state, request["RoleName"])
        if body.get("Policies") or body.get("Attached"):
            raise Refusal("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        resources.remove(state, KIND, request["RoleName"], _arn("/", request["RoleName"]))
    return {}


def attach_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        body = made_role(state, request["RoleName"])
        attached = sorted({*body.get("Attached", ()), request["PolicyArn"]})
        resources.replace(state, KIND, request["RoleName"], {**body, "Attached": attached})
    return {}


def detach_role_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        body = body_of_role(state, request["RoleName"])
        if request["PolicyArn"] not in body.get("Attached", ()):
            raise no_entity(f"Policy {request['PolicyArn']} was not found.")
        left = [arn for arn in body["Attached"] if arn != request["PolicyArn"]]
        resources.replace(state, KIND, request["RoleName"], {**body, "Attached": left})
    return {}


def list_attached_role_policies(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    body = resources.find(state, KIND, request["RoleName"]) or _supposed()
    attached = body.get("Attached", ())
    return {
        "AttachedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached],
        "IsTruncated": False,
    }


def simulate_principal_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    places = request.get("ResourceArns") or ["*"]
    return {
        "EvaluationResults": [
            {"EvalActionName": action, "EvalResourceName": place, "EvalDecision": "allowed"}
            for action in request["ActionNames"]
            for place in places
        ],
        "IsTruncated": False,
    }


def need_json(document: str) -> None:
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal("MalformedPolicyDocument", "This policy contains invalid Json")


def body_of_role(state: State, name: str) -> dict[str, Any]:
    body = resources.find(state, KIND, name)
    if body is None:
        raise no_entity(f"The role with name {name} cannot be found.")
    return body


def made_role(state: State, name: str) -> dict[str, Any]:
    """The role; one that was taken to be there is there from now on."""
    if resources.find(state, KIND, name) is None:
        supposed = {"Path": "/", "Trust": json.dumps(_TRUST)}
        resources.insert(state, KIND, name, supposed, taken=no_entity(f"The role with name {name} cannot be found."))
    return body_of_role(state, name)


def no_entity(message: str) -> Refusal:
    return Refusal("NoSuchEntity", message, 404)


def _supposed() -> dict[str, Any]:
    return {"Path": "/", "Trust": json.dumps(_TRUST), "CreationTime": _SINCE}


def _role(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    # By its name: whoever looks twice finds the same.
    number = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:17].upper()
    return {
        "RoleName": name,
        "Path": body["Path"],
        "RoleId": f"AROA{number}",
        "Arn": _arn(body["Path"], name),
        "CreateDate": body["CreationTime"],
        "AssumeRolePolicyDocument": quote(body["Trust"]),
        **({"PermissionsBoundary": _bounded(body["Boundary"])} if body.get("Boundary") else {}),
        **{member: body[member] for member in _KEPT if member in body},
    }


def _bounded(arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _arn(path: str, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:role{path}{name}"


OPERATIONS = {
    "AttachRolePolicy": attach_role_policy,
    "CreateRole": create_role,
    "DeleteRole": delete_role,
    "DetachRolePolicy": detach_role_policy,
    "GetRole": get_role,
    "ListAttachedRolePolicies": list_attached_role_policies,
    "ListRoles": list_roles,
    "SimulatePrincipalPolicy": simulate_principal_policy,
}
