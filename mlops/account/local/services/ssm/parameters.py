"""Parameters by name. The value of a SecureString lies in :mod:`mlops.account.local.kept_values`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops.account.local import kept_values
from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State

KIND = "Parameter"
_SECURE = "SecureString"
_HIDDEN = "kms:alias/aws/ssm:hidden"
"""Told of a SecureString to who does not ask for it decrypted; the service tells its letters encrypted."""
_NAME = re.compile(r"[A-Za-z0-9_.\-/]+")


def put_parameter(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    if not _NAME.fullmatch(name):
        raise Refusal(
            "ValidationException",
            "Parameter name must be a fully qualified name: letters, digits and . - _ in parts between slashes.",
        )
    with state.store.transaction():
        before = resources.find(state, KIND, name)
        if before is not None and not request.get("Overwrite"):
            raise Refusal(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to "
                "true.",
            )
        kind = request.get("Type") or (before or {}).get("Type")
        if kind is None:
            raise Refusal("ValidationException", "A parameter type is required when you create a parameter.")
        secure = kind == _SECURE
        value = kept_values.keep(state, request["Value"]) if secure else request["Value"]
        version = 1 if before is None else before["Version"] + 1
        body = {"Type": kind, "Value": value, "Version": version, "DataType": request.get("DataType") or "text"}
        if before is None:
            resources.insert(state, KIND, name, body, taken=Refusal("InternalServerError", "Ask again.", 500))
        else:
            resources.replace(state, KIND, name, body)
    _forget(state, before)
    return {"Version": version, "Tier": "Standard"}


def get_parameter(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _told(state, request["Name"], request)
    if found is None:
        raise Refusal("ParameterNotFound", f"Parameter {request['Name']} not found.")
    return {"Parameter": found}


def get_parameters(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    told = {name: _told(state, name, request) for name in request["Names"]}
    return {
        "Parameters": [found for found in told.values() if found is not None],
        "InvalidParameters": [name for name, found in told.items() if found is None],
    }


def get_parameters_by_path(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    prefix = f"{request['Path'].rstrip('/')}/"
    query = Query("resource", ("name",), descending=False).where("kind = ?", KIND)
    query.where("substr(name, 1, ?) = ?", len(prefix), prefix)
    if not request.get("Recursive"):
        query.where("instr(substr(name, ?), '/') = 0", len(prefix) + 1)
    rows, token = query.page(state.store, request)
    told = [_told(state, row["name"], request) for row in rows]
    return {"Parameters": [found for found in told if found is not None], "NextToken": token}


def delete_parameter(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    with state.store.transaction():
        before = resources.find(state, KIND, name)
        if before is None:
            raise Refusal("ParameterNotFound", f"Parameter {name} not found.")
        resources.remove(state, KIND, name, _arn(state, name))
    _forget(state, before)
    return {}


def _forget(state: State, body: Mapping[str, Any] | None) -> None:
    if body is not None and body["Type"] == _SECURE:
        kept_values.forget(state, body["Value"])


def _told(state: State, asked: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """By its name or ARN, with or without ``:VERSION`` behind it, of which the newest alone is here."""
    by_arn = re.fullmatch(r"arn:aws[a-z-]*:ssm:[^:]*:[^:]*:parameter(/.*)", asked, re.DOTALL)
    name, _, version = (by_arn[1] if by_arn is not None else asked).partition(":")
    with state.store.transaction():  # whoever puts another value meanwhile waits, and then forgets this one
        return _read(state, name, version, by_arn is not None, bool(request.get("WithDecryption")))


def _read(state: State, name: str, version: str, by_arn: bool, decrypted: bool) -> dict[str, Any] | None:
    body = resources.find(state, KIND, name)
    if body is None and by_arn:  # a name of one part stands without its slash
        name = name.removeprefix("/")
        body = resources.find(state, KIND, name)
    if body is None or version not in ("", str(body["Version"])):
        return None
    value = body["Value"]
    if body["Type"] == _SECURE:
        value = kept_values.kept(state, value) if decrypted else _HIDDEN
    return {
        "Name": name,
        "Type": body["Type"],
        "Value": value,
        "Version": body["Version"],
        "LastModifiedDate": body["LastModifiedTime"],
        "ARN": _arn(state, name),
        "DataType": body["DataType"],
    }


def _arn(state: State, name: str) -> str:
    return f"arn:aws:ssm:{state.region}:{ACCOUNT_ID}:parameter/{name.removeprefix('/')}"


OPERATIONS = {
    "DeleteParameter": delete_parameter,
    "GetParameter": get_parameter,
    "GetParameters": get_parameters,
    "GetParametersByPath": get_parameters_by_path,
    "PutParameter": put_parameter,
}
