"""Groups of the Feature Store: what CreateFeatureGroup says of features that are named elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead

FINDINGS: Mapping[str, Told] = {
    "T076": Told(
        "features-apart",
        Severity.ERROR,
        """The identifier or the event's time of a feature group is none of its features, or is of another kind;
two features have one name, or one that the store has itself; nothing keeps them, or no role may; or capacity is
given that is not provisioned.

Bad:  RecordIdentifierFeatureName: customer  FeatureDefinitions: [{FeatureName: id, FeatureType: String}, …]
Good: RecordIdentifierFeatureName: id""",
    ),
}
_TYPE = "AWS::SageMaker::FeatureGroup"
_NAMED = ("RecordIdentifierFeatureName", "EventTimeFeatureName")
_TIMES = ("String", "Fractional")
_RESERVED = frozenset({"is_deleted", "write_time", "api_invocation_time"})
"""Source: CreateFeatureGroup API, FeatureDefinition and EventTimeFeatureName."""
_PROVISIONED = ("ProvisionedReadCapacityUnits", "ProvisionedWriteCapacityUnits")
_STORES = ("OnlineStoreConfig", "OfflineStoreConfig")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if resource.type == _TYPE and isinstance(resource.properties.value, dict):
            yield from _group(resource)


def _group(resource: Resource) -> Iterator[Fault]:
    properties = resource.properties
    if not any(store in properties.members for store in _STORES):
        said = f"{resource.label} keeps nothing: it has neither {' nor '.join(_STORES)}"
        yield Fault("T076", properties.at, said, "give one of them")
    yield from _stores(resource, properties)
    listed = properties.get("FeatureDefinitions")
    if listed is None or not isinstance(listed.value, tuple):
        return
    kinds: dict[str, str | None] = {}
    for item in listed.items:
        name = item.text("FeatureName")
        if name is None:
            continue
        at = item.members["FeatureName"].at
        if name in kinds:
            yield Fault("T076", at, f"two features of {resource.label} are {name!r}")
        if name in _RESERVED:
            yield Fault("T076", at, f"the store itself has a feature {name!r}", "call it otherwise")
        kinds[name] = item.text("FeatureType")
    if all(item.text("FeatureName") for item in listed.items):
        yield from _roles(resource, properties, kinds)


def _stores(resource: Resource, properties: Spot) -> Iterator[Fault]:
    offline = properties.members.get("OfflineStoreConfig")
    if offline is not None and "RoleArn" not in properties.members:
        said = f"{resource.label} has an offline store, and no role that writes there"
        yield Fault("T076", offline.at, said, "give RoleArn")
    throughput = properties.get("ThroughputConfig")
    if throughput is not None and throughput.text("ThroughputMode") == "OnDemand":
        for member in _PROVISIONED:
            if member in throughput.members:
                said = f"{resource.label} is OnDemand, and {member} is of Provisioned"
                yield Fault("T076", throughput.members[member].at, said, "leave it out, or ThroughputMode: Provisioned")


def _roles(resource: Resource, properties: Spot, kinds: Mapping[str, str | None]) -> Iterator[Fault]:
    for member in _NAMED:
        name = properties.text(member)
        if name is not None and name not in kinds:
            said = f"{member} of {resource.label} is {name!r}, which is none of its features{instead(name, kinds)}"
            yield Fault("T076", properties.members[member].at, said)
    time = properties.text("EventTimeFeatureName")
    kind = kinds.get(time) if time is not None else None
    if kind is not None and kind not in _TIMES:
        said = f"the time of {resource.label}, {time!r}, is {kind}, and has to be {' or '.join(_TIMES)}"
        yield Fault("T076", properties.members["EventTimeFeatureName"].at, said)
