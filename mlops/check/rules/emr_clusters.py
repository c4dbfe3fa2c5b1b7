"""What the parts of an EMR step's own cluster must agree on: fleets, networks, volumes, scaling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from mlops.check.expressions import literal
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_TARGETS = ("TargetOnDemandCapacity", "TargetSpotCapacity")
_TYPES, _TYPES_BY_STRATEGY = 5, 30
_VOLUME_TYPES = ("gp3", "gp2", "io1", "st1", "sc1", "standard")
_PRICE = re.compile(r"\d+(\.\d+)?")
_FOUR = re.compile(r"emr-([4-9]|\d\d)\..*")


def _clusters(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for placed, arguments in subject.of_type("EMR"):
        config = arguments.get("ClusterConfig")
        if isinstance(config, Mapping):
            yield f"{placed.pointer}/Arguments/ClusterConfig", config, placed


@rule("X945", "emr-fleet", Severity.ERROR, source="EMR API: InstanceFleetConfig, InstanceTypeConfig")
def emr_fleet(subject: Subject) -> Iterator[Fault]:
    """A fleet asks for no capacity, a fleet of masters for another than one unit of one market; a cluster has two
    fleets of one kind; or a fleet lists no instance types or more than it may: 30 with an allocation strategy, five
    without.

    Bad:  {"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 2}
    Good: {"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1}
    """
    for at, config, placed in _clusters(subject):
        seen = set[str]()
        for where, fleet in entries(config, "Instances", "InstanceFleets"):
            given = {name: literal(subject, fleet.get(name, 0)) for name in _TARGETS}
            numbers = [value for value in given.values() if isinstance(value, int)]
            here = f"{at}{where}"
            if len(numbers) == len(given):
                is_master = fleet.get("InstanceFleetType") == "MASTER"
                if sum(numbers) == 0:
                    message = "the fleet asks for no instances"
                    yield Fault(f"{here}/{_TARGETS[0]}", message, f"set one of {' and '.join(_TARGETS)}", placed)
                elif is_master and sorted(numbers) != [0, 1]:
                    name = next(name for name in reversed(_TARGETS) if given[name])
                    message = "a fleet of masters has one unit, on demand or spot"
                    yield Fault(f"{here}/{name}", message, "write 1 in one of both", placed)
            kind = fleet.get("InstanceFleetType")
            if isinstance(kind, str) and kind in seen:
                message = f"the cluster has two fleets of {kind}"
                yield Fault(f"{here}/InstanceFleetType", message, "make one of them", placed)
            seen.add(str(kind))
            types = list(entries(fleet, "InstanceTypeConfigs"))
            if fleet.get("InstanceTypeConfigs") in (None, ()):
                message = "the fleet has no instance types to choose from"
                yield Fault(f"{here}/InstanceTypeConfigs", message, 'e.g. [{"InstanceType": "m5.xlarge"}]', placed)
            for inner, item in types if fleet.get("InstanceFleetType") == "MASTER" else ():
                if item.get("WeightedCapacity") not in (None, 1):
                    message = "a master counts for one unit"
                    yield Fault(f"{here}{inner}/WeightedCapacity", message, "write 1, or remove it", placed)
            specifications = get(fleet, "LaunchSpecifications")
            strategy = any(
                get(specifications, name, "AllocationStrategy") is not None
                for name in ("SpotSpecification", "OnDemandSpecification")
            )
            most = _TYPES_BY_STRATEGY if strategy else _TYPES
            if len(types) > most:
                message = f"the fleet lists {len(types)} instance types, at most {most} are allowed"
                help_text = "remove some" if strategy else "remove some, or add an AllocationStrategy"
                yield Fault(f"{here}/InstanceTypeConfigs", message, help_text, placed)


@rule("X946", "emr-cluster-members", Severity.ERROR, source="EMR API: RunJobFlow, JobFlowInstancesConfig")
def emr_cluster_members(subject: Subject) -> Iterator[Fault]:
    """Members of a cluster that exclude each other, or of which one is there without the other: one of the two managed
    security groups, a subnet in two forms, an AMI's version beside a release. Members without an effect are a warning.

    Bad:  "EmrManagedMasterSecurityGroup": "sg-1" alone
    Good: the same with "EmrManagedSlaveSecurityGroup": "sg-2"
    """
    for at, config, placed in _clusters(subject):
        instances = config.get("Instances")
        pair = ("EmrManagedMasterSecurityGroup", "EmrManagedSlaveSecurityGroup")
        missing = [name for name in pair if get(instances, name) is None]
        if len(missing) == 1:
            other = next(name for name in pair if name not in missing)
            yield Fault(f"{at}/Instances/{missing[0]}", f"{other} is there without {missing[0]}", "add it", placed)
        if get(instances, "Ec2SubnetIds") is not None:
            where = f"{at}/Instances/Ec2SubnetIds"
            if get(instances, "Ec2SubnetId") is not None:
                message = "Ec2SubnetId and Ec2SubnetIds exclude each other"
                yield Fault(where, message, "keep one of them", placed)
            elif get(instances, "InstanceGroups"):
                message = "Ec2SubnetIds is for fleets, and the cluster has groups"
                yield Fault(where, message, "write Ec2SubnetId", placed, severity=Severity.WARNING)
        if config.get("AmiVersion") is not None and _FOUR.fullmatch(str(config.get("ReleaseLabel"))):
            message = "AmiVersion is for releases before 4.0, and the cluster names a newer one"
            yield Fault(f"{at}/AmiVersion", message, "remove it", placed)
        if config.get("RepoUpgradeOnBoot") is not None and config.get("CustomAmiId") is None:
            message = "RepoUpgradeOnBoot has an effect with CustomAmiId only"
            yield Fault(f"{at}/RepoUpgradeOnBoot", message, "remove it", placed, severity=Severity.WARNING)
        if config.get("StepExecutionRoleArn") is not None:
            message = "the role is of steps that begin with the cluster, and the pipeline's comes after"
            where = f"{at}/StepExecutionRoleArn"
            yield Fault(where, message, "remove it", placed, severity=Severity.WARNING)
        if config.get("VisibleToAllUsers") is False:
            message = "VisibleToAllUsers has no effect any more"
            yield Fault(f"{at}/VisibleToAllUsers", message, "remove it", placed, severity=Severity.WARNING)
        for where, group in entries(instances, "InstanceGroups"):
            yield from _group(f"{at}/Instances{where}", group, config, placed)


def _group(at: str, group: Mapping[str, Value], config: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    price = group.get("BidPrice")
    if price is not None and group.get("Market") == "ON_DEMAND":
        message = "there is no bid for what is bought on demand"
        yield Fault(f"{at}/BidPrice", message, 'remove it, or set "Market": "SPOT"', placed, severity=Severity.WARNING)
    elif isinstance(price, str) and not _PRICE.fullmatch(price):
        yield Fault(f"{at}/BidPrice", f"{shown(price)} is no price", 'dollars in digits, e.g. "0.20"', placed)
    if group.get("AutoScalingPolicy") is not None and config.get("AutoScalingRole") is None:
        message = "a group scales by itself, and the cluster has no AutoScalingRole that would allow it"
        help_text = "add AutoScalingRole, e.g. EMR_AutoScaling_DefaultRole"
        yield Fault(f"{at}/AutoScalingPolicy", message, help_text, placed, severity=Severity.WARNING)


@rule("X947", "emr-volume", Severity.ERROR, source="EMR API: VolumeSpecification")
def emr_volume(subject: Subject) -> Iterator[Fault]:
    """A volume of a type that EMR does not have, or a throughput for another type than gp3.

    Bad:  {"VolumeType": "gp2", "SizeInGB": 100, "Throughput": 250}
    Good: {"VolumeType": "gp3", "SizeInGB": 100, "Throughput": 250}
    """
    for at, config, placed in _clusters(subject):
        groups = [(f"{at}{where}", item) for where, item in entries(config, "Instances", "InstanceGroups")]
        fleets = entries(config, "Instances", "InstanceFleets")
        typed = [
            (f"{at}{where}{inner}", item)
            for where, fleet in fleets
            for inner, item in entries(fleet, "InstanceTypeConfigs")
        ]
        for here, holder in chain(groups, typed):
            for where, device in entries(holder, "EbsConfiguration", "EbsBlockDeviceConfigs"):
                volume = f"{here}{where}/VolumeSpecification"
                kind = get(device, "VolumeSpecification", "VolumeType")
                if not isinstance(kind, str):
                    continue
                if kind not in _VOLUME_TYPES:
                    message = f"EMR has no volumes of type {kind!r}"
                    yield Fault(f"{volume}/VolumeType", message, f"one of {', '.join(_VOLUME_TYPES)}", placed)
                elif kind != "gp3" and get(device, "VolumeSpecification", "Throughput") is not None:
                    message = f"Throughput is for volumes of type gp3, and this is {kind}"
                    yield Fault(f"{volume}/Throughput", message, "remove it", placed)


@rule("X948", "emr-scaling", Severity.ERROR, source="EMR API: ComputeLimits, ScalingConstraints")
def emr_scaling(subject: Subject) -> Iterator[Fault]:
    """A cluster scales between limits of which the lower is above the upper, has a limit of a part above that of the
    whole, counts units of fleets where it has groups, or the other way round, or has two rules of one name or a rule
    that leads to no instances.

    Bad:  {"UnitType": "Instances", "MinimumCapacityUnits": 10, "MaximumCapacityUnits": 2}
    Good: {"UnitType": "Instances", "MinimumCapacityUnits": 2, "MaximumCapacityUnits": 10}
    """
    for at, config, placed in _clusters(subject):
        limits, where = get(config, "ManagedScalingPolicy", "ComputeLimits"), f"{at}/ManagedScalingPolicy/ComputeLimits"
        yield from _above(subject, where, limits, placed, "MinimumCapacityUnits", "MaximumCapacityUnits")
        for part in ("MaximumOnDemandCapacityUnits", "MaximumCoreCapacityUnits"):
            yield from _above(subject, where, limits, placed, part, "MaximumCapacityUnits")
        unit, instances = get(limits, "UnitType"), config.get("Instances")
        counts_fleets = unit == "InstanceFleetUnits"
        wrong = "InstanceGroups" if counts_fleets else "InstanceFleets"
        if isinstance(unit, str) and get(instances, wrong):
            message = f"the limits count {unit}, and the cluster has {wrong}"
            help_text = "write Instances" if counts_fleets else "write InstanceFleetUnits"
            yield Fault(f"{where}/UnitType", message, help_text, placed)
        for group, item in entries(instances, "InstanceGroups"):
            if limits is not None and item.get("AutoScalingPolicy") is not None:
                message = "EMR scales the whole cluster, and the group scales by itself"
                scaler = f"{at}/Instances{group}/AutoScalingPolicy"
                yield Fault(scaler, message, "keep one of them", placed, severity=Severity.WARNING)
            here = f"{at}/Instances{group}/AutoScalingPolicy/Constraints"
            constraints = get(item, "AutoScalingPolicy", "Constraints")
            yield from _above(subject, here, constraints, placed, "MinCapacity", "MaxCapacity")
            yield from _scaling_rules(f"{at}/Instances{group}/AutoScalingPolicy", item, placed)


def _scaling_rules(at: str, group: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    seen = set[str]()
    for where, item in entries(get(group, "AutoScalingPolicy"), "Rules"):
        name, action = item.get("Name"), get(item, "Action", "SimpleScalingPolicyConfiguration")
        if isinstance(name, str) and name in seen:
            yield Fault(f"{at}{where}/Name", f"two rules are named {name!r}", "rename one of them", placed)
        seen.add(str(name))
        number = get(action, "ScalingAdjustment")
        if get(action, "AdjustmentType") == "EXACT_CAPACITY" and isinstance(number, int) and number < 1:
            here = f"{at}{where}/Action/SimpleScalingPolicyConfiguration/ScalingAdjustment"
            yield Fault(here, f"a group cannot have {number} instances exactly", "a number above 0", placed)


def _above(subject: Subject, at: str, limits: Value, placed: Placed, part: str, whole: str) -> Iterator[Fault]:
    small, large = (literal(subject, get(limits, name)) for name in (part, whole))
    if isinstance(small, int) and isinstance(large, int) and small > large:
        message = f"{part} is {small}, which is above {whole}, {large}"
        yield Fault(f"{at}/{part}", message, "lower it, or raise the other", placed)
