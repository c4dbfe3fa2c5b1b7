"""Members of a domain of OpenSearch Service that do not go together, or that another one has to stand beside: what the
model of the service does not say.

Sources: the API reference on ClusterConfig, EBSOptions, VPCOptions, MasterUserOptions and ColdStorageOptions; the
developer guide's pages on dedicated masters, multi-AZ domains, UltraWarm, cold storage, fine-grained access control,
custom endpoints and supported instance types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STORED = frozenset({"i3", "i4g", "i4i", "i8g", "im4gn", "r6gd", "r7gd"})
"""Families whose instances bring their own storage, and take no other."""
_BARE = frozenset(
    {
        *("c5", "c6g", "c7g", "c8g", "m4", "m5", "m6g", "m7g", "m8g", "or1", "or2", "om2"),
        *("r4", "r5", "r6g", "r7g", "r8g", "t2", "t3", "t4g"),
    }
)
"""Those that bring none; of others nobody says here."""
_NOT_WARM = frozenset({"t2", "t3"})
_OLD = frozenset({"t2", "m3", "r3"})
"""Which neither encrypt what they store nor know fine-grained access."""
_BURSTING = frozenset({"t2", "t3", "t4g"})
_UNTUNED = frozenset({"t2", "t3"})
"""'Autotune is not supported in t2/t3 instance types', says CreateDomain (terraform-provider-aws#30205); it is on for
all others where nothing is said."""
_TYPE = re.compile(r"([a-z0-9]+)\.[a-z0-9]+\.search")
_TYPED = ("InstanceType", "DedicatedMasterType", "WarmType")
_LEAST_PASSWORD = 8
_ELSEWHERE = "{{resolve:"
"""Begins a value that CloudFormation fetches."""
_ENGINE = re.compile(r"(OpenSearch|Elasticsearch)_(\d{1,4})\.(\d{1,4})")
_WITH_IOPS, _WITH_THROUGHPUT = frozenset({"gp3", "io1"}), frozenset({"gp3"})
_LEAST_IOPS, _LEAST_THROUGHPUT = 3000, 125
_ZONES = (2, 3)
_STANDBY_ZONES = 3
_LAST_HOUR = 23
_UNKNOWN: Mapping[str, Any] = {"ZoneAwarenessEnabled": None, "DedicatedMasterEnabled": None, "WarmEnabled": None}
"""Switches of which nobody knows whether they are on."""
_COMPATIBLE = "override_main_response_version"


def faults(domain: Mapping[str, Any]) -> Iterator[str]:
    """Of a domain as CreateDomain and CloudFormation take it; what is no plain value is left alone."""
    engine = _engine(domain)
    if not isinstance(cluster := domain.get("ClusterConfig", {}), Mapping):
        cluster = _UNKNOWN
    yield from _masters(cluster)
    yield from _zones(cluster, _table(domain.get("VPCOptions")))
    yield from _tiers(cluster, engine)
    yield from _standby(cluster, _table(domain.get("EBSOptions")), engine)
    yield from _storage(cluster, domain.get("EBSOptions"))
    yield from _access(domain, engine)
    yield from _doors(domain)
    yield from _kinds(domain, cluster)
    if _table(domain.get("AutoTuneOptions")).get("DesiredState") == "ENABLED" and not tunes_by_itself(cluster):
        yield f"Auto-Tune (AutoTuneOptions) does not go with {cluster['InstanceType']}"
    hour = _number(_table(domain.get("SnapshotOptions")).get("AutomatedSnapshotStartHour"))
    if hour is not None and not 0 <= hour <= _LAST_HOUR:
        yield f"AutomatedSnapshotStartHour is {hour}: it is an hour of the day, 0 to {_LAST_HOUR}"


def tunes_by_itself(cluster: Mapping[str, Any]) -> bool:
    """Whether the service turns Auto-Tune on where nobody says anything."""
    return _family(cluster.get("InstanceType")) not in _UNTUNED


def remarks(domain: Mapping[str, Any]) -> Iterator[str]:
    """What the service takes, and what is better otherwise."""
    engine = _engine(domain)
    if engine is not None and engine[0] == "Elasticsearch":
        first = "7.10" if engine[1:] < (7, 10) else "OpenSearch_1.3"
        yield (
            f"Elasticsearch_{engine[1]}.{engine[2]} gets no new versions: upgrade it to {first}, and from "
            "OpenSearch_1.3 to OpenSearch_2.19; clients that ask for Elasticsearch's version need the other ones"
        )
    compatible = _table(domain.get("AdvancedOptions")).get(_COMPATIBLE)
    if engine is not None and engine[0] == "OpenSearch" and str(compatible).lower() == "true":
        yield f"{_COMPATIBLE} says to clients that this is Elasticsearch 7.10: it is for those that refuse OpenSearch"
    for member, why in (
        ("EncryptionAtRestOptions", "what is stored is not encrypted"),
        ("NodeToNodeEncryptionOptions", "what nodes tell each other is not encrypted"),
    ):
        if _is_off(domain.get(member), "Enabled"):
            yield f"{why}: {member}.Enabled"
    if _is_off(domain.get("DomainEndpointOptions"), "EnforceHTTPS"):
        yield "requests may come in clear: DomainEndpointOptions.EnforceHTTPS"


def _kinds(domain: Mapping[str, Any], cluster: Mapping[str, Any]) -> Iterator[str]:
    for member in _TYPED:
        given = cluster.get(member)
        if isinstance(given, str) and not given.endswith(".search"):
            yield f"{member} is {given}: types of domains end with .search, as r6g.large.search"
    if _family(cluster.get("InstanceType")) in _OLD:
        for name in ("EncryptionAtRestOptions", "AdvancedSecurityOptions"):
            if _table(domain.get(name)).get("Enabled") is True:
                yield f"{cluster['InstanceType']} does not go with {name}"
    audit = _table(_table(domain.get("LogPublishingOptions")).get("AUDIT_LOGS"))
    if audit.get("Enabled") is True and _is_off(domain.get("AdvancedSecurityOptions"), "Enabled"):
        yield "AUDIT_LOGS need fine-grained access (AdvancedSecurityOptions)"
    password = _table(_table(domain.get("AdvancedSecurityOptions")).get("MasterUserOptions")).get("MasterUserPassword")
    if isinstance(password, str) and _ELSEWHERE not in password and not _is_strong(password):
        yield (
            f"MasterUserPassword has to have {_LEAST_PASSWORD} characters, among them a small and a capital letter, a "
            "digit and another one"
        )


def _is_strong(password: str) -> bool:
    wanted = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
    return len(password) >= _LEAST_PASSWORD and all(re.search(kind, password) for kind in wanted)


def _masters(cluster: Mapping[str, Any]) -> Iterator[str]:
    enabled, count = cluster.get("DedicatedMasterEnabled"), _number(cluster.get("DedicatedMasterCount"))
    if _is_off(cluster, "DedicatedMasterEnabled"):
        for member in ("DedicatedMasterCount", "DedicatedMasterType"):
            if member in cluster:
                yield f"{member} is given and DedicatedMasterEnabled is not"
    if enabled is True:
        for member in ("DedicatedMasterCount", "DedicatedMasterType"):
            if member not in cluster:
                yield f"DedicatedMasterEnabled needs {member}"
        if count is not None and (count < 3 or count == 4):
            yield f"DedicatedMasterCount is {count}: it has to be 3, or 5 and more"


def _zones(cluster: Mapping[str, Any], network: Mapping[str, Any]) -> Iterator[str]:
    enabled = cluster.get("ZoneAwarenessEnabled")
    given, unsaid = _zone_count(cluster)
    if _is_off(cluster, "ZoneAwarenessEnabled") and given is not None:
        yield "ZoneAwarenessConfig is given and ZoneAwarenessEnabled is not"
    if given is not None and given not in _ZONES:
        yield f"AvailabilityZoneCount is {given}: it has to be 2 or 3"
        return
    if _is_off(cluster, "ZoneAwarenessEnabled"):
        zones: int | None = 1
    else:
        zones = (2 if unsaid else given) if enabled is True else None
    if zones is None:
        return
    nodes = _number(cluster.get("InstanceCount", 1))
    if nodes is not None and nodes < 1:
        yield f"InstanceCount is {nodes}: at least one data node is needed"
        return
    if zones > 1 and nodes is not None and nodes < zones:
        yield f"{nodes} data node{'s' if nodes != 1 else ''} (InstanceCount) cannot be in {zones} zones"
    elif zones == 2 and nodes is not None and nodes % 2:
        yield f"{nodes} data nodes (InstanceCount) do not part evenly into 2 zones: an even number is needed"
    subnets = network.get("SubnetIds")
    if isinstance(subnets, list | tuple) and all(isinstance(item, str) for item in subnets) and len(subnets) != zones:
        there = f"{len(subnets)} subnet{'s' if len(subnets) != 1 else ''} (SubnetIds)"
        yield f"{there} for {zones} zone{'s' if zones != 1 else ''}"


def _zone_count(cluster: Mapping[str, Any]) -> tuple[int | None, bool]:
    """What is said, and whether nothing is."""
    written = cluster.get("ZoneAwarenessConfig")
    if written is None:
        return None, True
    if not isinstance(written, Mapping):
        return None, False
    return _number(written.get("AvailabilityZoneCount")), "AvailabilityZoneCount" not in written


def _tiers(cluster: Mapping[str, Any], engine: tuple[str, int, int] | None) -> Iterator[str]:
    family = _family(cluster.get("InstanceType"))
    if cluster.get("WarmEnabled") is True:
        if _is_off(cluster, "DedicatedMasterEnabled"):
            yield "UltraWarm (WarmEnabled) needs dedicated masters"
        for member in ("WarmType", "WarmCount"):
            if member not in cluster:
                yield f"WarmEnabled needs {member}"
        count = _number(cluster.get("WarmCount"))
        if count is not None and count < 2:
            yield f"WarmCount is {count}: at least 2 are needed"
        if family in _NOT_WARM:
            yield f"data nodes of {cluster['InstanceType']} go with no UltraWarm"
        if engine is not None and engine[0] == "Elasticsearch" and engine[1:] < (6, 8):
            yield "UltraWarm needs OpenSearch, or Elasticsearch 6.8"
    elif _is_off(cluster, "WarmEnabled"):
        for member in ("WarmType", "WarmCount"):
            if member in cluster:
                yield f"{member} is given and WarmEnabled is not"
        if _table(cluster.get("ColdStorageOptions")).get("Enabled") is True:
            yield "cold storage (ColdStorageOptions) needs UltraWarm (WarmEnabled)"


def _standby(
    cluster: Mapping[str, Any], volumes: Mapping[str, Any], engine: tuple[str, int, int] | None
) -> Iterator[str]:
    if cluster.get("MultiAZWithStandbyEnabled") is not True:
        return
    what = "a standby zone (MultiAZWithStandbyEnabled)"
    zones, unsaid = _zone_count(cluster)
    if _is_off(cluster, "ZoneAwarenessEnabled") or unsaid or (zones is not None and zones != _STANDBY_ZONES):
        yield f"{what} needs 3 zones (ZoneAwarenessConfig.AvailabilityZoneCount)"
    if _is_off(cluster, "DedicatedMasterEnabled"):
        yield f"{what} needs dedicated masters"
    for member in ("InstanceCount", "WarmCount"):
        count = _number(cluster.get(member))
        if count is not None and count % _STANDBY_ZONES:
            yield f"{what} needs a multiple of 3 nodes, and {member} is {count}"
    if _family(cluster.get("InstanceType")) in _BURSTING:
        yield f"{what} does not go with {cluster['InstanceType']}"
    kind = volumes.get("VolumeType")
    if isinstance(kind, str) and kind != "gp3":
        yield f"{what} needs volumes of gp3, and these are {kind}"
    if engine is not None and (engine[0] == "Elasticsearch" or engine[1:] < (1, 3)):
        yield f"{what} needs OpenSearch_1.3"


def _storage(cluster: Mapping[str, Any], written: object) -> Iterator[str]:
    volumes = _table(written)
    enabled, kind, family = volumes.get("EBSEnabled"), volumes.get("VolumeType"), _family(cluster.get("InstanceType"))
    if family in _STORED and enabled is True:
        yield f"{cluster['InstanceType']} has storage of its own, and takes no EBS volumes (EBSEnabled)"
    if family in _BARE and _is_off(written, "EBSEnabled"):
        yield f"{cluster['InstanceType']} has no storage of its own and needs EBSEnabled with VolumeSize"
    if enabled is True and "VolumeSize" not in volumes:
        yield "EBSEnabled needs VolumeSize"
    size = _number(volumes.get("VolumeSize"))
    if size is not None and size < 10:
        yield f"VolumeSize is {size} GiB: at least 10 are needed"
    if isinstance(kind, str):
        if "Iops" in volumes and kind not in _WITH_IOPS:
            yield f"Iops is of gp3 and io1, and VolumeType is {kind}"
        if "Throughput" in volumes and kind not in _WITH_THROUGHPUT:
            yield f"Throughput is of gp3, and VolumeType is {kind}"
        iops, throughput = _number(volumes.get("Iops")), _number(volumes.get("Throughput"))
        if kind == "gp3" and iops is not None and iops < _LEAST_IOPS:
            yield f"Iops is {iops}: gp3 has at least {_LEAST_IOPS:,}"
        if kind == "gp3" and throughput is not None and throughput < _LEAST_THROUGHPUT:
            yield f"Throughput is {throughput} MiB/s: gp3 has at least {_LEAST_THROUGHPUT}"
        if kind == "io1" and "Iops" not in volumes:
            yield "VolumeType io1 needs Iops"


def _access(domain: Mapping[str, Any], engine: tuple[str, int, int] | None) -> Iterator[str]:
    security = _table(domain.get("AdvancedSecurityOptions"))
    if security.get("Enabled") is True:
        for member, inside in (
            ("EncryptionAtRestOptions", "Enabled"),
            ("NodeToNodeEncryptionOptions", "Enabled"),
            ("DomainEndpointOptions", "EnforceHTTPS"),
        ):
            if _is_off(domain.get(member), inside):
                yield f"fine-grained access (AdvancedSecurityOptions) needs {member}.{inside}"
        if engine is not None and engine[0] == "Elasticsearch" and engine[1:] < (6, 7):
            yield "fine-grained access needs OpenSearch, or Elasticsearch 6.7"
    elif _is_off(security, "Enabled") and security.get("InternalUserDatabaseEnabled") is True:
        yield "InternalUserDatabaseEnabled is given and AdvancedSecurityOptions.Enabled is not"
    written = security.get("MasterUserOptions", {})
    if not isinstance(written, Mapping):
        return
    master = written
    own = security.get("InternalUserDatabaseEnabled")
    named = [member for member in ("MasterUserName", "MasterUserPassword") if member in master]
    if "MasterUserARN" in master and (named or own is True):
        yield "MasterUserARN goes with no InternalUserDatabaseEnabled and no MasterUserName"
    elif named and (len(named) == 1 or _is_off(security, "InternalUserDatabaseEnabled")):
        yield "MasterUserName and MasterUserPassword go together, with InternalUserDatabaseEnabled"
    elif own is True and not named:
        yield "InternalUserDatabaseEnabled needs MasterUserOptions with MasterUserName and MasterUserPassword"


def _doors(domain: Mapping[str, Any]) -> Iterator[str]:
    for member, switch, needed in (
        ("CognitoOptions", "Enabled", ("UserPoolId", "IdentityPoolId", "RoleArn")),
        ("DomainEndpointOptions", "CustomEndpointEnabled", ("CustomEndpoint", "CustomEndpointCertificateArn")),
    ):
        given = _table(domain.get(member))
        if given.get(switch) is True:
            for name in needed:
                if name not in given:
                    yield f"{member}.{switch} needs {name}"


def _engine(domain: Mapping[str, Any]) -> tuple[str, int, int] | None:
    found = _ENGINE.fullmatch(version) if isinstance(version := domain.get("EngineVersion"), str) else None
    return None if found is None else (found[1], int(found[2]), int(found[3]))


def _family(type: object) -> str | None:
    found = _TYPE.fullmatch(type) if isinstance(type, str) else None
    return None if found is None else found[1]


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_off(table: object, member: str) -> bool:
    """Whether it is said to be off, or not said; not where nobody knows."""
    if table is None:
        return True
    if not isinstance(table, Mapping):
        return False
    return table.get(member, False) is False
