"""Secrets: what is told of them is in the account's table, what they are in :mod:`mlops.account.local.kept_values`."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account.local import kept_values
from mlops.account.local.listing import Query
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import ACCOUNT_ID, State, moment, now

KIND = "Secret"
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]*:[0-9]*:secret:(.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_LETTERS = string.ascii_letters + string.digits
_SUFFIX = 6
_RECOVERY = timedelta(days=30)
_KEPT = ("Description", "KmsKeyId", "Tags", "Type")


def create_secret(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request["Name"]
    if not _NAME.fullmatch(name):
        raise _invalid_parameter("Invalid name. Must be a valid name containing alphanumeric characters, or /_+=.@-!")
    with state.store.transaction():
        before = resources.find(state, KIND, name)
        if before is not None and "DeletedDate" in before:
            raise _invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        version = _version(request)
        if before is not None:
            if version is not None and version in before["Versions"] and _same(state, before, version, request):
                return _told(state, name, before, version)  # it comes again
            raise Refusal("ResourceExistsException", f"The operation failed because the secret {name} already exists.")
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))
        kept = {member: request[member] for member in _KEPT if member in request}
        body = {"Suffix": suffix, "Versions": {}, **kept}
        if version is not None:
            _add(state, body, version, request, [_CURRENT])
        resources.insert(state, KIND, name, body, taken=_invalid_request(f"{name} is being made."))
    return _told(state, name, body, version)


def get_secret_value(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():  # whoever puts another value meanwhile waits, and then forgets this one
        return _value_of(state, request)


def _value_of(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, body = _living(state, request)
    version, stage = request.get("VersionId"), request.get("VersionStage")
    if version is None:
        version = _staged(body, stage or _CURRENT)
        sought = f"staging label: {stage or _CURRENT}"
    else:
        sought = f"VersionId: {version}"
    found = body["Versions"].get(version)
    if found is not None and stage is not None and stage not in found["Stages"]:
        raise _invalid_request("You provided a VersionStage that is not associated to the provided VersionId.")
    value = kept_values.kept(state, found["Value"]) if found is not None else None
    if found is None or value is None:
        raise _missing(f"Secrets Manager can't find the specified secret value for {sought}")
    return {
        **_told(state, name, body, version),
        "CreatedDate": found["Created"],
        "VersionStages": found["Stages"],
        "SecretString" if isinstance(value, str) else "SecretBinary": value,
    }


def put_secret_value(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    version = _version(request)
    if version is None:
        raise _invalid_request("You must provide either SecretString or SecretBinary.")
    stages = request.get("VersionStages") or [_CURRENT]
    with state.store.transaction():
        name, body = _living(state, request)
        left = _put(state, body, version, request, stages)
        resources.replace(state, KIND, name, body)
    _forget(state, left)
    return {**_told(state, name, body, version), "VersionStages": body["Versions"][version]["Stages"]}


def update_secret(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    version = _version(request)
    left: Sequence[Mapping[str, Any]] = []
    with state.store.transaction():
        name, body = _living(state, request)
        body |= {member: request[member] for member in _KEPT if member in request}
        if version is not None:
            left = _put(state, body, version, request, [_CURRENT])
        resources.replace(state, KIND, name, body)
    _forget(state, left)
    return _told(state, name, body, version)


def describe_secret(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, body = _found(state, request)
    return _entry(state, name, body, "VersionIdsToStages")


def list_secrets(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    query = Query("resource", ("name",), descending=request.get("SortOrder") == "desc").where("kind = ?", KIND)
    if not request.get("IncludePlannedDeletion"):
        query.where("json_extract(body, '$.DeletedDate') IS NULL")
    for asked in request.get("Filters") or ():
        if asked.get("Key") not in ("name", "all"):
            raise _invalid_parameter(f"The local account filters secrets by name alone, not by {asked.get('Key')}.")
        values = asked.get("Values") or []
        query.where(" OR ".join(["substr(name, 1, ?) = ?"] * len(values)) or "0", *_lengths(values))
    rows, token = query.page(state.store, request)
    found = [_entry(state, row["name"], resources.body_of(row), "SecretVersionsToStages") for row in rows]
    return {"SecretList": found, "NextToken": token}


def delete_secret(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without a window its values are gone at once; else it can be restored, and nothing removes it here."""
    forced, days = request.get("ForceDeleteWithoutRecovery"), request.get("RecoveryWindowInDays")
    if forced and days is not None:
        raise _invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    with state.store.transaction():
        name, body = _living(state, request)
        time = datetime.now(UTC)
        arn = _arn(state, name, body)
        if not forced:
            time += _RECOVERY if days is None else timedelta(days=days)
            resources.replace(state, KIND, name, {**body, "DeletedDate": moment(time)})
        else:
            resources.remove(state, KIND, name, arn)
    if forced:
        _forget(state, body["Versions"].values())
    return {"ARN": arn, "Name": name, "DeletionDate": moment(time)}


def restore_secret(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        name, body = _found(state, request)
        body.pop("DeletedDate", None)
        resources.replace(state, KIND, name, body)
    return _told(state, name, body, None)


def _put(
    state: State, body: dict[str, Any], version: str, request: Mapping[str, Any], stages: list[str]
) -> Sequence[Mapping[str, Any]]:
    """A version that comes again with the same value is the same one. What is given back nobody can ask for any more,
    once this is in the store."""
    if version in body["Versions"]:
        if not _same(state, body, version, request):
            raise Refusal(
                "ResourceExistsException", "You can't modify an existing version, you can only create a new version."
            )
        return []
    return _add(state, body, version, request, stages)


def _add(
    state: State, body: dict[str, Any], version: str, request: Mapping[str, Any], stages: list[str]
) -> Sequence[Mapping[str, Any]]:
    versions: dict[str, dict[str, Any]] = body["Versions"]
    taken = {*stages, *([_PREVIOUS] if _CURRENT in stages else [])}
    for other in versions.values():
        was_current = _CURRENT in other["Stages"] and _CURRENT in stages
        other["Stages"] = [stage for stage in other["Stages"] if stage not in taken]
        if was_current:
            other["Stages"].append(_PREVIOUS)
    left = [versions.pop(key) for key in [key for key, other in versions.items() if not other["Stages"]]]
    if not versions and _CURRENT not in stages:
        stages = [*stages, _CURRENT]  # the first one is always current
    versions[version] = {"Stages": stages, "Created": now(), "Value": kept_values.keep(state, _value(request))}
    return left


def _forget(state: State, versions: Iterable[Mapping[str, Any]]) -> None:
    """Behind the commit: one that is taken back still has its values."""
    for version in versions:
        kept_values.forget(state, version["Value"])


def _value(request: Mapping[str, Any]) -> str | bytes:
    value = request.get("SecretString", request.get("SecretBinary"))
    if isinstance(value, str):
        return value
    return bytes(value.read() if hasattr(value, "read") else value)


def _version(request: Mapping[str, Any]) -> str | None:
    """None where no value is given. Its id is the request's token, by which the service knows what comes again."""
    given = [member for member in ("SecretString", "SecretBinary") if member in request]
    if len(given) > 1:
        raise _invalid_parameter("You can't specify both a binary secret value and a string secret value.")
    return (request.get("ClientRequestToken") or str(uuid.uuid4())) if given else None


def _same(state: State, body: Mapping[str, Any], version: str, request: Mapping[str, Any]) -> bool:
    return kept_values.kept(state, body["Versions"][version]["Value"]) == _value(request)


def _staged(body: Mapping[str, Any], stage: str) -> str | None:
    return next((key for key, found in body["Versions"].items() if stage in found["Stages"]), None)


def _living(state: State, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    name, body = _found(state, request)
    if "DeletedDate" in body:
        raise _invalid_request("You can't perform this operation on the secret because it was marked for deletion.")
    return name, body


def _found(state: State, request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """By its name, or by its ARN with or without the letters that the service puts behind."""
    asked: str = request["SecretId"]
    by_arn = _ARN.fullmatch(asked)
    name = by_arn[1] if by_arn is not None else asked
    body = resources.find(state, KIND, name)
    if body is None and by_arn is not None and name[-_SUFFIX - 1 : -_SUFFIX] == "-":
        name, suffix = name[: -_SUFFIX - 1], name[-_SUFFIX:]
        body = resources.find(state, KIND, name)
        body = body if body is not None and body["Suffix"] == suffix else None
    if body is None:
        raise _missing("Secrets Manager can't find the specified secret.")
    return name, body


def _lengths(values: list[str]) -> list[Any]:
    return [item for value in values for item in (len(value), value)]


def _missing(message: str) -> Refusal:
    return Refusal("ResourceNotFoundException", message)


def _invalid_request(message: str) -> Refusal:
    return Refusal("InvalidRequestException", message)


def _invalid_parameter(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)


def _told(state: State, name: str, body: Mapping[str, Any], version: str | None) -> dict[str, Any]:
    return {"ARN": _arn(state, name, body), "Name": name, "VersionId": version}


def _entry(state: State, name: str, body: Mapping[str, Any], versions: str) -> dict[str, Any]:
    return {
        "ARN": _arn(state, name, body),
        "Name": name,
        "CreatedDate": body["CreationTime"],
        "LastChangedDate": body["LastModifiedTime"],
        "DeletedDate": body.get("DeletedDate"),
        versions: {key: found["Stages"] for key, found in body["Versions"].items()},
        **{member: body[member] for member in _KEPT if member in body},
    }


def _arn(state: State, name: str, body: Mapping[str, Any]) -> str:
    return f"arn:aws:secretsmanager:{state.region}:{ACCOUNT_ID}:secret:{name}-{body['Suffix']}"


OPERATIONS = {
    "CreateSecret": create_secret,
    "DeleteSecret": delete_secret,
    "DescribeSecret": describe_secret,
    "GetSecretValue": get_secret_value,
    "ListSecrets": list_secrets,
    "PutSecretValue": put_secret_value,
    "RestoreSecret": restore_secret,
    "UpdateSecret": update_secret,
}
