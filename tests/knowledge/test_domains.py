"""What of a domain goes together: each fault has a row, and beside it what is sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlops.ir import Unknown
from mlops.knowledge.domains.pairing import faults, remarks

MASTERS = {"DedicatedMasterEnabled": True, "DedicatedMasterType": "m6g.large.search", "DedicatedMasterCount": 3}
ZONES = {"ZoneAwarenessEnabled": True, "ZoneAwarenessConfig": {"AvailabilityZoneCount": 3}}
WARM = {"WarmEnabled": True, "WarmType": "ultrawarm1.medium.search", "WarmCount": 3}
SOUND: dict[str, Any] = {
    "EngineVersion": "OpenSearch_2.19",
    "ClusterConfig": {"InstanceType": "r6g.large.search", "InstanceCount": 3, **MASTERS, **ZONES, **WARM,
                      "ColdStorageOptions": {"Enabled": True}, "MultiAZWithStandbyEnabled": True},
    "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 100, "Iops": 3000, "Throughput": 250},
    "VPCOptions": {"SubnetIds": ["subnet-1", "subnet-2", "subnet-3"]},
    "EncryptionAtRestOptions": {"Enabled": True},
    "NodeToNodeEncryptionOptions": {"Enabled": True},
    "DomainEndpointOptions": {"EnforceHTTPS": True, "CustomEndpointEnabled": True, "CustomEndpoint": "a.example.org",
                              "CustomEndpointCertificateArn": "arn:aws:acm:x"},
    "CognitoOptions": {"Enabled": True, "UserPoolId": "a", "IdentityPoolId": "b", "RoleArn": "c"},
    "AdvancedSecurityOptions": {"Enabled": True, "MasterUserOptions": {"MasterUserARN": "arn:aws:iam::1:role/a"}},
}  # fmt: skip
SMALL = {"ClusterConfig": {"InstanceType": "t3.small.search", "InstanceCount": 1}, "EBSOptions": SOUND["EBSOptions"]}
ROWS: list[tuple[Mapping[str, Any], str]] = [
    ({"ClusterConfig": {**MASTERS, "DedicatedMasterCount": 2}}, "is 2: it has to be 3, or 5 and more"),
    ({"ClusterConfig": {**MASTERS, "DedicatedMasterCount": 4}}, "DedicatedMasterCount is 4"),
    ({"ClusterConfig": {"DedicatedMasterCount": 3}}, "DedicatedMasterCount is given and DedicatedMasterEnabled is not"),
    ({"ClusterConfig": {"DedicatedMasterEnabled": True}}, "DedicatedMasterEnabled needs DedicatedMasterCount"),
    ({"ClusterConfig": {"ZoneAwarenessConfig": {"AvailabilityZoneCount": 2}}}, "ZoneAwarenessEnabled is not"),
    ({"ClusterConfig": {**ZONES, "ZoneAwarenessConfig": {"AvailabilityZoneCount": 4}}}, "it has to be 2 or 3"),
    ({"ClusterConfig": {**ZONES, "InstanceCount": 2}}, "2 data nodes (InstanceCount) cannot be in 3 zones"),
    ({"ClusterConfig": {"ZoneAwarenessEnabled": True, "InstanceCount": 3}}, "an even number is needed"),
    ({"VPCOptions": {"SubnetIds": ["a", "b"]}}, "2 subnets (SubnetIds) for 1 zone"),
    ({"ClusterConfig": {**ZONES, "InstanceCount": 3}, "VPCOptions": {"SubnetIds": ["a"]}}, "(SubnetIds) for 3 zones"),
    ({"ClusterConfig": WARM}, "UltraWarm (WarmEnabled) needs dedicated masters"),
    ({"ClusterConfig": {**MASTERS, "WarmEnabled": True, "WarmType": "x"}}, "WarmEnabled needs WarmCount"),
    ({"ClusterConfig": {**MASTERS, **WARM, "WarmCount": 1}}, "at least 2 are needed"),
    ({"ClusterConfig": {**MASTERS, **WARM, "InstanceType": "t3.small.search"}}, "go with no UltraWarm"),
    ({"ClusterConfig": {"WarmCount": 2}}, "WarmCount is given and WarmEnabled is not"),
    ({"ClusterConfig": {"ColdStorageOptions": {"Enabled": True}}}, "needs UltraWarm"),
    ({"ClusterConfig": {**MASTERS, **WARM}, "EngineVersion": "Elasticsearch_6.7"}, "or Elasticsearch 6.8"),
    ({"ClusterConfig": {**MASTERS, "MultiAZWithStandbyEnabled": True}}, "needs 3 zones"),
    ({"ClusterConfig": {**ZONES, "InstanceCount": 3, "MultiAZWithStandbyEnabled": True}}, "needs dedicated masters"),
    ({"ClusterConfig": {**MASTERS, **ZONES, "InstanceCount": 4, "MultiAZWithStandbyEnabled": True}}, "a multiple of 3"),
    ({**SOUND, "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp2", "VolumeSize": 10}}, "needs volumes of gp3"),
    ({**SOUND, "EngineVersion": "OpenSearch_1.2"}, "needs OpenSearch_1.3"),
    ({**SOUND, "ClusterConfig": {**SOUND["ClusterConfig"], "InstanceType": "i3.large.search"}}, "takes no EBS volumes"),
    ({"ClusterConfig": {"InstanceType": "m5.large.search"}}, "needs EBSEnabled with VolumeSize"),
    ({"EBSOptions": {"EBSEnabled": True}}, "EBSEnabled needs VolumeSize"),
    ({"EBSOptions": {"EBSEnabled": True, "VolumeSize": 5}}, "at least 10 are needed"),
    ({"EBSOptions": {"EBSEnabled": True, "VolumeSize": 10, "VolumeType": "gp2", "Iops": 1}}, "Iops is of gp3 and io1"),
    ({"EBSOptions": {"EBSEnabled": True, "VolumeSize": 10, "VolumeType": "io1", "Iops": 1, "Throughput": 1}},
     "Throughput is of gp3, and VolumeType is io1"),
    ({"EBSOptions": {"EBSEnabled": True, "VolumeSize": 10, "VolumeType": "io1"}}, "VolumeType io1 needs Iops"),
    ({"AdvancedSecurityOptions": {"Enabled": True}}, "needs EncryptionAtRestOptions.Enabled"),
    ({**SOUND, "NodeToNodeEncryptionOptions": {"Enabled": False}}, "needs NodeToNodeEncryptionOptions.Enabled"),
    ({**SOUND, "DomainEndpointOptions": {}}, "needs DomainEndpointOptions.EnforceHTTPS"),
    ({"AdvancedSecurityOptions": {"InternalUserDatabaseEnabled": True}}, "AdvancedSecurityOptions.Enabled is not"),
    ({"AdvancedSecurityOptions": {"InternalUserDatabaseEnabled": True, "MasterUserOptions": {"MasterUserARN": "a"}}},
     "MasterUserARN goes with no InternalUserDatabaseEnabled"),
    ({"AdvancedSecurityOptions": {"MasterUserOptions": {"MasterUserName": "a", "MasterUserPassword": "b"}}},
     "go together, with InternalUserDatabaseEnabled"),
    ({"CognitoOptions": {"Enabled": True, "UserPoolId": "a"}}, "CognitoOptions.Enabled needs IdentityPoolId"),
    ({"DomainEndpointOptions": {"CustomEndpointEnabled": True}}, "CustomEndpointEnabled needs CustomEndpoint"),
]  # fmt: skip


@pytest.mark.parametrize(("domain", "said"), ROWS, ids=lambda item: item if isinstance(item, str) else "")
def test_what_does_not_go_together_is_told(domain: Mapping[str, Any], said: str) -> None:
    assert any(said in fault for fault in faults(domain)), [*faults(domain)]


@pytest.mark.parametrize("domain", [SOUND, SMALL, {}, {"ClusterConfig": {"InstanceType": "i3.large.search"}}])
def test_of_what_is_sound_nothing_is_said(domain: Mapping[str, Any]) -> None:
    assert [*faults(domain)] == []


def test_of_what_nobody_knows_nothing_is_said() -> None:
    """Each member in turn, and each inside, as when a parameter of a template says it."""
    told = {name: Unknown() for name in SOUND}
    assert [*faults(told)] == []
    for name, value in SOUND.items():
        assert [*faults({**SOUND, name: Unknown()})] == [], name
        for inside in value if isinstance(value, Mapping) else ():
            assert [*faults({**SOUND, name: {**value, inside: Unknown()}})] == [], (name, inside)


REMARKS = [
    ({**SOUND, "EngineVersion": "Elasticsearch_7.1"}, "upgrade it to 7.10"),
    ({**SOUND, "EngineVersion": "Elasticsearch_7.10"}, "upgrade it to OpenSearch_1.3"),
    ({**SOUND, "AdvancedOptions": {"override_main_response_version": "true"}}, "says to clients"),
    ({**SOUND, "EncryptionAtRestOptions": {"Enabled": False}}, "what is stored is not encrypted"),
    ({**SOUND, "NodeToNodeEncryptionOptions": {}}, "what nodes tell each other"),
    ({**SOUND, "DomainEndpointOptions": {"EnforceHTTPS": False}}, "may come in clear"),
]


def test_what_is_better_otherwise_is_told() -> None:
    assert [*remarks(SOUND)] == [*remarks({**SOUND, "EngineVersion": f"OpenSearch_{'9' * 5000}.1"})] == []
    for domain, said in REMARKS:
        (remark,) = remarks(domain)
        assert said in remark
