"""How Studio tells of its domains, users and spaces, which it calls by ids of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, Told

UNDER_WAY = frozenset({"Pending", "Updating", "Deleting"})
LIST = Call("ListDomains", {}, pages="Domains")
_FILLED: Mapping[str, tuple[Any, ...]] = {
    "AutoMountHomeEFS": (),
    "NotebookOutputOption": ("Disabled",),
    "StudioWebPortal": ("ENABLED",),
    "DefaultLandingUri": ("studio::",),
    "ExecutionRoleSessionNameMode": ("STATIC",),
    "SpaceManagedResources": ("DISABLED",),
    "RemoteAccess": ("DISABLED",),
    "HomeEfsFileSystemKmsKeyId": (),
}
"""What the service says where nothing was said; empty: whatever it says."""
_LISTED_BY_NAME = ("SubnetIds", "SecurityGroups")


def domain_id(name: str) -> Told:
    """Of the domain that is called so."""

    def taken(told: Mapping[str, Any]) -> str | None:
        ids = (str(item["DomainId"]) for item in told.get("Domains", ()) if item["DomainName"] == name)
        return next(ids, None)

    return Told("d-000000000000", taken)


def told_arn(like: str, member: str) -> Told:
    return Told(f"arn:aws:sagemaker:us-east-1:000000000000:{like}", lambda told: told.get(member))


def plain(value: Any, member: str = "") -> Any:
    """Without what the service fills in, and what is empty."""
    if isinstance(value, Mapping):
        told = {
            name: plain(inside, name)
            for name, inside in value.items()
            if name not in _FILLED or (_FILLED[name] and inside not in _FILLED[name])
        }
        return {name: inside for name, inside in told.items() if inside not in (None, {}, [], "")}
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        return sorted(items) if member in _LISTED_BY_NAME else items
    return value


def busy(reply: Mapping[str, Any]) -> str | None:
    status = str(reply.get("Status", ""))
    return status.lower() if status in UNDER_WAY else None


def failed(reply: Mapping[str, Any]) -> str | None:
    if "ailed" not in str(reply.get("Status", "")):
        return None
    return str(reply.get("FailureReason") or "the account does not say why")
