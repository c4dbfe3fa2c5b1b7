"""A domain of OpenSearch Service: a cluster, encrypted, by HTTPS alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, get_args

from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.records import record
from mlops.declare.references import StringProperty, lower
from mlops.declare.resources.base import DeclaredResource
from mlops.declare.steps.shared_arguments import Count, Flag, Network, Text
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import (
    COUNT,
    FLAG,
    PLAIN,
    REQUIRED,
    STRING,
    TEXT,
    Constructor,
    Field,
    Record,
    Yielded,
    choice,
    made,
    nothing,
)
from mlops.knowledge.domains import pairing

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Cognito", "Domain", "Nodes", "Volume"]

STEP_TYPE = StepType(
    type="Domain",
    service="opensearch",
    request="CreateDomainRequest",
    response="DomainStatus",
    permissions=(),
)

VolumeType: TypeAlias = Literal["gp3", "gp2", "io1", "standard"]
_CLUSTER, _EBS, _COGNITO, _TUNE = "ClusterConfig", "EBSOptions", "CognitoOptions", "AutoTuneOptions"
_TLS = "Policy-Min-TLS-1-2-2019-07"


@record
class Nodes:
    """So many nodes of an ``instance`` type, that hold no hot data."""

    instance: Text
    count: Count


@record
class Volume:
    """Of each data node, in GiB. ``iops`` are of gp3 and io1, ``throughput`` (MiB a second) of gp3."""

    size: Count
    type: VolumeType = "gp3"
    iops: Count | None = None
    throughput: Count | None = None


@record
class Cognito:
    """Who logs in to Dashboards: a user pool, an identity pool, and the role by which the service asks both."""

    user_pool: Text
    identity_pool: Text
    role: Text


MASTERS = Record(
    Nodes,
    (
        Field("instance", "DedicatedMasterType", TEXT, REQUIRED),
        Field("count", "DedicatedMasterCount", COUNT, REQUIRED),
    ),
    positional=2,
)
WARM = Record(
    Nodes, (Field("instance", "WarmType", TEXT, REQUIRED), Field("count", "WarmCount", COUNT, REQUIRED)), positional=2
)
VOLUME = Record(
    Volume,
    (
        Field("size", "VolumeSize", COUNT, REQUIRED),
        Field("type", "VolumeType", choice(*get_args(VolumeType)), "gp3"),
        Field("iops", "Iops", COUNT),
        Field("throughput", "Throughput", COUNT),
    ),
    positional=1,
)
COGNITO = Record(
    Cognito,
    (
        Field("user_pool", "UserPoolId", TEXT, REQUIRED),
        Field("identity_pool", "IdentityPoolId", TEXT, REQUIRED),
        Field("role", "RoleArn", TEXT, REQUIRED),
    ),
    positional=3,
)


def _whole(domain: Domain, lowering: Lowering, *_: object) -> Value:
    told: dict[str, Value] = {
        "EngineVersion": lower(domain.engine),
        _CLUSTER: _cluster(domain),
        "EncryptionAtRestOptions": _known({"Enabled": True, "KmsKeyId": lower(domain.kms_key)}),
        "NodeToNodeEncryptionOptions": {"Enabled": True},
        "DomainEndpointOptions": {"EnforceHTTPS": True, "TLSSecurityPolicy": _TLS},
    }
    if domain.volume is not None:
        volume = domain.volume
        told[_EBS] = _known(
            {
                "EBSEnabled": True,
                "VolumeType": lower(volume.type),
                "VolumeSize": lower(volume.size),
                "Iops": lower(volume.iops),
                "Throughput": lower(volume.throughput),
            }
        )
    if domain.network is not None:
        vpc = domain.network.vpc(lowering)
        if isinstance(vpc, Mapping):
            names = {"Subnets": "SubnetIds", "SecurityGroupIds": "SecurityGroupIds"}
            told["VPCOptions"] = {names[name]: value for name, value in vpc.items()}
    if domain.cognito is not None:
        told[_COGNITO] = {
            "Enabled": True,
            "UserPoolId": lower(domain.cognito.user_pool),
            "IdentityPoolId": lower(domain.cognito.identity_pool),
            "RoleArn": lower(domain.cognito.role),
        }
    if domain.access is not None:
        told["AccessPolicies"] = _policy(domain)
    if domain.master is not None:
        told["AdvancedSecurityOptions"] = {
            "Enabled": True,
            "InternalUserDatabaseEnabled": False,
            "MasterUserOptions": {"MasterUserARN": lower(domain.master)},
        }
    if domain.auto_tune is not None:
        told[_TUNE] = {"DesiredState": "ENABLED" if domain.auto_tune else "DISABLED"}
    return told


def _policy(domain: Domain) -> Value:
    try:
        return json.dumps(domain.access, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        with speaking_of(domain.where):
            message = f"the domain {domain.declared_name}: access has a value that is none of JSON"
            misuse("D042", message, help="write ARNs as texts: a policy is stored as it is, before others have one")
        return Unknown()


def _cluster(domain: Domain) -> dict[str, Value]:
    told: dict[str, Value] = {"InstanceType": lower(domain.instance), "InstanceCount": lower(domain.count)}
    if domain.masters is not None:
        told |= {
            "DedicatedMasterEnabled": True,
            "DedicatedMasterType": lower(domain.masters.instance),
            "DedicatedMasterCount": lower(domain.masters.count),
        }
    if domain.zones is not None:
        told |= {
            "ZoneAwarenessEnabled": True,
            "ZoneAwarenessConfig": {"AvailabilityZoneCount": lower(domain.zones)},
        }
    if domain.standby:
        told["MultiAZWithStandbyEnabled"] = True
    if domain.warm is not None:
        told |= {
            "WarmEnabled": True,
            "WarmType": lower(domain.warm.instance),
            "WarmCount": lower(domain.warm.count),
        }
    if domain.cold:
        told["ColdStorageOptions"] = {"Enabled": True}
    return told


def _known(members: Mapping[str, Value]) -> dict[str, Value]:
    return {member: value for member, value in members.items() if value is not None}


class Domain(DeclaredResource):
    """A cluster of ``count`` data nodes of an ``instance`` type, each with a ``volume`` where the type has no storage.
    ``name`` is its name in the account.

    ``masters`` are dedicated ones, ``zones`` 2 or 3, ``standby`` keeps one of three for when another fails. ``warm`` is
    UltraWarm, behind which ``cold`` storage may lie. In a ``network`` it is reached from there alone. With a ``master``
    (the ARN of a role or user) access is fine-grained; ``access`` is its resource policy, ``cognito`` who logs in to
    Dashboards. ``auto_tune`` says whether the service may tune memory and queues; unsaid it does where it can. What is
    stored, what nodes tell each other and all requests are encrypted.
    """

    named_by: ClassVar[str | None] = "DomainName"
    step_type = STEP_TYPE
    constructor = Constructor(
        (
            Field("instance", "", TEXT, REQUIRED, to=_whole),
            Field("count", "ClusterConfig.InstanceCount", COUNT, 1, to=nothing),
            Field("engine", "EngineVersion", TEXT, "OpenSearch_2.19", to=nothing),
            Field("volume", _EBS, made(VOLUME), to=nothing),
            Field("masters", _CLUSTER, made(MASTERS), to=nothing),
            Field("zones", "ClusterConfig.ZoneAwarenessConfig.AvailabilityZoneCount", COUNT, to=nothing),
            Field("standby", "ClusterConfig.MultiAZWithStandbyEnabled", FLAG, False, to=nothing),
            Field("warm", _CLUSTER, made(WARM), to=nothing),
            Field("cold", "ClusterConfig.ColdStorageOptions.Enabled", FLAG, False, to=nothing),
            Field("network", "VPCOptions", PLAIN, to=nothing),
            Field("master", "AdvancedSecurityOptions.MasterUserOptions.MasterUserARN", TEXT, to=nothing),
            Field("access", "AccessPolicies", PLAIN, to=nothing),
            Field("cognito", _COGNITO, made(COGNITO), to=nothing),
            Field("kms_key", "EncryptionAtRestOptions.KmsKeyId", TEXT, to=nothing),
            Field("auto_tune", f"{_TUNE}.DesiredState", FLAG, to=nothing),
        ),
        yields={
            "DomainName": Yielded("domain_name", STRING),
            "ARN": Yielded("domain_arn", STRING),
        },
    )

    def __init__(
        self,
        name: str,
        *,
        instance: Text,
        count: Count = 1,
        engine: Text = "OpenSearch_2.19",
        volume: Volume | None = None,
        masters: Nodes | None = None,
        zones: Count | None = None,
        standby: Flag | None = None,
        warm: Nodes | None = None,
        cold: Flag | None = None,
        network: Network | None = None,
        master: Text | None = None,
        access: Mapping[str, Any] | None = None,
        cognito: Cognito | None = None,
        kms_key: Text | None = None,
        auto_tune: bool | None = None,
        tags: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self.known(name, tags, arguments)
        self.instance, self.count, self.engine, self.volume = instance, count, engine, volume
        self.masters, self.zones, self.standby, self.warm, self.cold = masters, zones, standby, warm, cold
        self.network, self.master, self.access, self.cognito, self.kms_key = network, master, access, cognito, kms_key
        self.auto_tune = auto_tune

    def request(self, lowering: Lowering) -> dict[str, Value]:
        told = super().request(lowering)
        if "Tags" in told:
            told["TagList"] = told.pop("Tags")
        with speaking_of(self.where):
            for fault in pairing.faults(told):
                misuse("D064", f"the domain {self.declared_name}: {fault}", help="see docs/search.md")
        return told

    @property
    def domain_name(self) -> StringProperty:
        return StringProperty(self.name, "DomainName")

    @property
    def domain_arn(self) -> StringProperty:
        """For the policy or the stream that names it."""
        return StringProperty(self.name, "ARN")
