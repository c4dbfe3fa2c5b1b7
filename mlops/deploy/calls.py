"""The calls that a type of resource asks for, made: to see one, to write one, to remove one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlops.account import Account
from mlops.account.missing import NotThere, error_code, unless_missing
from mlops.deploy.pages import items
from mlops.ir import AccountError
from mlops.ir.resource import Call, Resource, ResourceType, Told


def see(account: Account, kind: ResourceType, name: str) -> Mapping[str, Any] | None:
    """Its properties; None where it is not there."""
    reply = unless_missing(lambda: make(account, kind, kind.describe(name)))
    return None if reply is None else kind.read(reply)


def put(account: Account, kind: ResourceType, resource: Resource, *, exists: bool) -> None:
    make(account, kind, kind.writes(resource.name, resource.plain, exists=exists))


def remove(account: Account, kind: ResourceType, name: str) -> None:
    """Nothing where it is gone already."""

    def removed() -> None:
        inside = make(account, kind, kind.inside(name))
        make(account, kind, kind.delete(name, inside), inside)

    unless_missing(removed)


def method(operation: str) -> str:
    """What boto3 calls an operation.

    >>> [method(name) for name in ("GetSchedule", "CreateAutoMLJobV2", "ListTargetsByRule")]
    ['get_schedule', 'create_auto_ml_job_v2', 'list_targets_by_rule']
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()


def make(
    account: Account, kind: ResourceType, calls: Iterable[Call], before: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """All replies in one, with what was told ``before``. Raises NotThere where a call needs what no reply tells."""
    told: dict[str, Any] = dict(before or {})
    for call in calls:
        if call.when is not None and not call.when(told):
            continue
        client = account.client(call.service or kind.service)
        request = {member: _known(call, value, told) for member, value in call.request.items()}
        try:
            if call.pages is not None:
                told[call.pages] = list(items(client, method(call.operation), call.pages, **request))
                continue
            reply = getattr(client, method(call.operation))(**request)
        except Exception as error:
            if error_code(error) in call.nothing:
                continue
            raise
        if reply.get("FailedEntryCount"):
            said = "; ".join(str(item.get("ErrorMessage")) for item in reply.get("FailedEntries", ()))
            raise AccountError(f"{call.operation} was refused in part: {said}")
        told.update(reply if call.below is None else {call.below: reply})
    return told


def _known(call: Call, value: Any, told: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_known(call, item, told) for item in value]
    if not isinstance(value, Told):
        return value
    found = value.taken(told)
    if found is None:
        raise NotThere(call.operation)
    return found
