"""Roles of IAM, declared beside pipelines: made with nobody's permissions, which come after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.deploy.tag_lists import told_tags
from mlops.ir.resource import Call, Declarable, FromTemplate, Kept, Others, ResourceType
from mlops.ir.values import Value

POLICY = "mlops"
"""What the role's own policy is called; others that it has are somebody else's."""
_ABSENT = ("NoSuchEntity",)
_FILLED: Mapping[str, Any] = {"MaxSessionDuration": 3600}
_PLAIN = ("Description", "MaxSessionDuration")
_LISTED = ("Action", "NotAction", "Resource", "NotResource")


def _named(name: str) -> dict[str, str]:
    return {"RoleName": name.rpartition("/")[2]}


def _path(name: str) -> str:
    return "/" + "".join(name.rpartition("/")[:2])


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    role = reply["Role"]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return _form(
        {
            **{member: role.get(member) for member in _PLAIN},
            "AssumeRolePolicyDocument": role.get("AssumeRolePolicyDocument"),
            "Policy": reply.get("PolicyDocument"),
            "ManagedPolicyArns": [item["PolicyArn"] for item in reply.get("AttachedPolicies", ())],
            "PermissionsBoundary": boundary,
        }
    )


def _form(properties: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        member: properties[member]
        for member in (*_PLAIN, "PermissionsBoundary")
        if properties.get(member) not in (None, "", _FILLED.get(member))
    }
    for member in ("AssumeRolePolicyDocument", "Policy"):
        if properties.get(member):
            told[member] = _document(properties[member])
    if properties.get("ManagedPolicyArns"):
        told["ManagedPolicyArns"] = sorted(properties["ManagedPolicyArns"])
    return told


def _document(policy: Any) -> Any:
    """IAM knows one and a list of one as the same, and no order among actions and resources."""
    if not isinstance(policy, Mapping):
        return policy
    statements = policy.get("Statement") or []
    return {**policy, "Statement": [_statement(item) for item in _several(statements)]}


def _statement(statement: Any) -> Any:
    """What ``arguments=`` brought may be none; IAM says so."""
    if not isinstance(statement, Mapping):
        return statement
    return {
        member: sorted(_several(item), key=str) if member in _LISTED else item for member, item in statement.items()
    }


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    told = {member: properties[member] for member in (*_PLAIN, "PermissionsBoundary") if properties.get(member)}
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    tags = {"Tags": list(properties["Tags"])} if properties.get("Tags") else {}
    made = {**_named(name), "Path": _path(name), "AssumeRolePolicyDocument": trust, **told, **tags}
    return (Call("CreateRole", made),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    return tuple(_changes(_named(name), _read(reply) if reply.get("Role") else {}, _form(properties), properties))


def _changes(
    role: Mapping[str, str], was: Mapping[str, Any], now: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[Call]:
    if was.get("PermissionsBoundary") != now.get("PermissionsBoundary"):
        # Before it may more.
        if "PermissionsBoundary" in now:
            boundary = {"PermissionsBoundary": now["PermissionsBoundary"]}
            yield Call("PutRolePermissionsBoundary", {**role, **boundary})
        else:
            yield Call("DeleteRolePermissionsBoundary", role)
    if was.get("AssumeRolePolicyDocument") != now.get("AssumeRolePolicyDocument"):
        document = json.dumps(properties["AssumeRolePolicyDocument"])
        yield Call("UpdateAssumeRolePolicy", {**role, "PolicyDocument": document})
    if any(was.get(member) != now.get(member) for member in _PLAIN):
        told = {"Description": now.get("Description", "")}
        session = now.get("MaxSessionDuration", _FILLED["MaxSessionDuration"])
        yield Call("UpdateRole", {**role, **told, "MaxSessionDuration": session})
    if was.get("Policy") != now.get("Policy"):
        if "Policy" in now:
            document = json.dumps(properties["Policy"], separators=(",", ":"))
            yield Call("PutRolePolicy", {**role, "PolicyName": POLICY, "PolicyDocument": document})
        else:
            yield Call("DeleteRolePolicy", {**role, "PolicyName": POLICY})
    before, after = set(was.get("ManagedPolicyArns", ())), set(now.get("ManagedPolicyArns", ()))
    yield from (Call("AttachRolePolicy", {**role, "PolicyArn": arn}) for arn in sorted(after - before))
    yield from (Call("DetachRolePolicy", {**role, "PolicyArn": arn}) for arn in sorted(before - after))


def _delete(name: str, inside: Mapping[str, Any]) -> tuple[Call, ...]:
    role = _named(name)
    own = (Call("DeleteRolePolicy", {**role, "PolicyName": policy}) for policy in inside["PolicyNames"])
    attached = (
        Call("DetachRolePolicy", {**role, "PolicyArn": item["PolicyArn"]}) for item in inside["AttachedPolicies"]
    )
    return (*own, *attached, Call("DeleteRole", role))


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {
        member: properties[member]
        for member in (*_PLAIN, "PermissionsBoundary", "ManagedPolicyArns", "Tags")
        if properties.get(member)
    }
    policy = properties.get("Policy")
    own = {"Policies": [{"PolicyName": POLICY, "PolicyDocument": policy}]} if policy else {}
    trust = {"AssumeRolePolicyDocument": properties["AssumeRolePolicyDocument"]}
    return {**_named(name), "Path": _path(name), **trust, **own, **told}


_BESIDE = {"AWS::IAM::Policy": "Roles", "AWS::IAM::ManagedPolicy": "Roles", "AWS::IAM::RolePolicy": "RoleName"}
_READ = ("AssumeRolePolicyDocument", "ManagedPolicyArns", "Description", "MaxSessionDuration", "PermissionsBoundary")


def _from_template(properties: Mapping[str, Value], others: Others, region: str) -> Declarable:
    """All policies of its own become one."""
    inline = properties.get("Policies", ())
    beside = [item for kind in _BESIDE for item in others.get(kind, ())]
    found = [
        (str(item.get("PolicyName", item.get("ManagedPolicyName", "a managed one"))), document)
        for item in (*(inline if isinstance(inline, tuple) else ()), *beside)
        if isinstance(item, Mapping) and isinstance(document := item.get("PolicyDocument"), Mapping)
    ]
    told = {**_FILLED, **{member: properties[member] for member in (*_READ, "Tags") if member in properties}}
    if found:
        documents = [document for _, document in found]
        told["Policy"] = documents[0] if len(documents) == 1 else _together(documents)
    name, path = properties.get("RoleName"), str(properties.get("Path", "/")).removeprefix("/")
    names = ", ".join(dict.fromkeys(name for name, _ in found))
    left = (f"PolicyName: what {names} says is its policy {POLICY}",) if found and names != POLICY else ()
    more = tuple(f"{member}: it is not declared" for member in properties if member not in (*_READ, *_TAKEN))
    return Declarable(name if isinstance(name, str) else None, told, (*left, *more), path)


_TAKEN = ("RoleName", "Path", "Policies", "Tags")


def _together(documents: Sequence[Value]) -> Value:
    """Statements of several policies, whose Sids may be the same."""
    statements = [
        {member: item for member, item in statement.items() if member != "Sid"}
        for document in documents
        for statement in _several(document.get("Statement", ()) if isinstance(document, Mapping) else ())
        if isinstance(statement, Mapping)
    ]
    return {"Version": "2012-10-17", "Statement": tuple(statements)}


RESOURCE_TYPE = ResourceType(
    type="role",
    service="iam",
    cloudformation="AWS::IAM::Role",
    describe=lambda name: (
        # The local account tells of every role that it may be taken on, and has tags of those that were made.
        Call("ListRoleTags", _named(name)),
        Call("GetRole", _named(name)),
        Call("GetRolePolicy", {**_named(name), "PolicyName": POLICY}, nothing=_ABSENT),
        Call("ListAttachedRolePolicies", _named(name), pages="AttachedPolicies"),
    ),
    read=_read,
    create=_create,
    update=None,
    inside=lambda name: (
        Call("ListRolePolicies", _named(name), pages="PolicyNames"),
        Call("ListAttachedRolePolicies", _named(name), pages="AttachedPolicies"),
    ),
    delete=_delete,
    templated=_templated,
    from_template=FromTemplate(_from_template, _BESIDE),
    retained=True,
    kept=Kept(
        called=r"([\w+=,.@\-]+/)*[\w+=,.@\-]{1,64}",
        named="RoleName",
        arn="arn:{partition}:iam::{account}:role/{name}",
        tags=lambda arn, name: Call("ListRoleTags", _named(name)),
        told=told_tags,
        tag=lambda arn, name, tags: Call("TagRole", {**_named(name), "Tags": tags}),
        change=_change,
        form=_form,
        in_parts=True,
        behind=("identity-provider",),
    ),
)
