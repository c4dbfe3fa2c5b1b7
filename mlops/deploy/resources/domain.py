"""Domains of OpenSearch Service, declared beside pipelines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.ir.resource import Call, Kept, ResourceType
from mlops.knowledge.domains.pairing import tunes_by_itself

_DECLARED = (
    "EngineVersion",
    "ClusterConfig",
    "EBSOptions",
    "AccessPolicies",
    "VPCOptions",
    "CognitoOptions",
    "EncryptionAtRestOptions",
    "NodeToNodeEncryptionOptions",
    "AdvancedOptions",
    "DomainEndpointOptions",
    "AdvancedSecurityOptions",
)
_TUNE = "AutoTuneOptions"
_FILLED: Mapping[str, tuple[Any, ...]] = {
    # The service tells the key that it took, and nobody's name.
    "KmsKeyId": (),
    "MasterUserOptions": (),
    "Iops": (3000,),
    "Throughput": (125,),
    "EncryptionMode": ("DISK",),
    "rest.action.multi.allow_explicit_index": ("true",),
    "override_main_response_version": ("false",),
    "indices.query.bool.max_clause_count": ("1024",),
    "TLSSecurityPolicy": ("Policy-Min-TLS-1-0-2019-07",),
}
"""What the service says where nothing was said; empty: whatever it says."""
_STATES = {True: "ENABLED", False: "DISABLED"}
_NETWORK = ("SubnetIds", "SecurityGroupIds")
_SECURITY = ("Enabled", "InternalUserDatabaseEnabled")
_ENGINE = "EngineVersion"


def _form(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the service fills in, and what is off. A key and a master user are told by nobody: another one of
    them is no change that is seen."""
    found: dict[str, Any] = {}
    for member in _DECLARED:
        value = properties.get(member)
        if member == "AccessPolicies" and isinstance(value, str) and value:
            value = json.loads(value)
        elif member == "VPCOptions" and isinstance(value, Mapping):
            value = {name: sorted(value[name]) for name in _NETWORK if value.get(name)}
        elif member == "AdvancedSecurityOptions" and isinstance(value, Mapping):
            value = {name: value[name] for name in _SECURITY if name in value}
        told = value if member == "AccessPolicies" else _plain(value)
        if told not in (None, {}, [], "", False):
            found[member] = told
    tuned = _tuned(properties)
    if tuned is not None and tuned != tunes_by_itself(properties.get("ClusterConfig") or {}):
        found[_TUNE] = {"DesiredState": _STATES[tuned]}
    return found


def _tuned(properties: Mapping[str, Any]) -> bool | None:
    """Whether Auto-Tune is on, or is to be: a domain tells its State, also on the way there. None where nobody says."""
    told = properties.get(_TUNE) or {}
    state = told.get("DesiredState") or told.get("State")
    return None if state is None or state == "ERROR" else str(state).startswith("ENABLE")


def _plain(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    told = {
        name: _plain(inside)
        for name, inside in value.items()
        if name not in _FILLED or (_FILLED[name] and inside not in _FILLED[name])
    }
    return {name: inside for name, inside in told.items() if inside not in (None, {}, [], "", False)}


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return _form(reply["DomainStatus"])


def _create(name: str, properties: Mapping[str, Any]) -> tuple[Call, ...]:
    request = {member: value for member, value in properties.items() if member != "Tags"}
    tags = properties.get("Tags")
    return (Call("CreateDomain", {"DomainName": name, **request, **({"TagList": tags} if tags else {})}),)


def _change(name: str, properties: Mapping[str, Any], reply: Mapping[str, Any]) -> tuple[Call, ...]:
    """What is not said any more is said to be off. An engine is upgraded by a call of its own, behind the others."""
    before = reply.get("DomainStatus", {})
    now = {member: value for member, value in properties.items() if member in _DECLARED and member != _ENGINE}
    was, wanted = dict(_form(before)), dict(_form(properties))
    cluster = dict(now.get("ClusterConfig", {}))
    for switch in ("DedicatedMasterEnabled", "ZoneAwarenessEnabled", "WarmEnabled", "MultiAZWithStandbyEnabled"):
        if was.get("ClusterConfig", {}).get(switch) and switch not in cluster:
            cluster[switch] = False
    if was.get("ClusterConfig", {}).get("ColdStorageOptions") and "ColdStorageOptions" not in cluster:
        cluster["ColdStorageOptions"] = {"Enabled": False}
    now["ClusterConfig"] = cluster
    if "CognitoOptions" in was and "CognitoOptions" not in wanted:
        now["CognitoOptions"] = {"Enabled": False}
    if "AccessPolicies" in was and "AccessPolicies" not in wanted:
        now["AccessPolicies"] = ""
    if was.get(_TUNE) != wanted.get(_TUNE):
        now[_TUNE] = wanted.get(_TUNE) or {"DesiredState": _STATES[tunes_by_itself(cluster)]}
    was.pop(_ENGINE, None)
    engine = wanted.pop(_ENGINE, None)
    changed = () if was == wanted else (Call("UpdateDomainConfig", {"DomainName": name, **now}),)
    if engine is None or engine == before.get(_ENGINE):
        return changed
    return (*changed, Call("UpgradeDomain", {"DomainName": name, "TargetVersion": engine}))


def _busy(reply: Mapping[str, Any]) -> str | None:
    status = reply.get("DomainStatus", {})
    if status.get("Deleted"):
        return "being deleted"
    if status.get("UpgradeProcessing"):
        return "being upgraded"
    return "changing" if status.get("Processing") else None


def _templated(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A policy is an object there, and tags have another name."""
    told = {member: value for member, value in properties.items() if member != "TagList"}
    if isinstance(told.get("AccessPolicies"), str):
        told["AccessPolicies"] = json.loads(told["AccessPolicies"])
    tags = properties.get("TagList")
    return {"DomainName": name, **told, **({"Tags": tags} if tags else {})}


RESOURCE_TYPE = ResourceType(
    type="domain",
    service="opensearch",
    prefix="es",
    cloudformation="AWS::OpenSearchService::Domain",
    describe=lambda name: (Call("DescribeDomain", {"DomainName": name}),),
    read=_read,
    create=_create,
    update=None,
    delete=lambda name, inside: (Call("DeleteDomain", {"DomainName": name}),),
    permissions=("iam:PassRole",),
    templated=_templated,
    lacking=frozenset({_TUNE}),
    kept=Kept(
        called=r"[a-z][a-z0-9\-]{2,27}",
        arn="arn:{partition}:es:{region}:{account}:domain/{name}",
        tags=lambda arn, name: Call("ListTags", {"ARN": arn}),
        told=lambda reply: {item["Key"]: item.get("Value", "") for item in reply["TagList"]},
        tag=lambda arn, name, tags: Call("AddTags", {"ARN": arn, "TagList": tags}),
        change=_change,
        found=lambda reply: bool(reply.get("DomainStatus")),
        form=_form,
        busy=_busy,
        not_here=lambda properties: "domains of OpenSearch Service",
    ),
)
