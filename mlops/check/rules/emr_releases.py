"""Members of a cluster that its release does not know, or knows with some values only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_RELEASE = re.compile(r"emr-(?P<major>\d+)\.(?P<minor>\d+)\..*")
_SINCE: Mapping[tuple[str, ...], tuple[int, int]] = {
    ("Instances", "InstanceFleets"): (4, 8),
    ("CustomAmiId",): (5, 7),
    ("LogEncryptionKmsKeyId",): (5, 30),
    ("EbsRootVolumeIops",): (6, 15),
    ("EbsRootVolumeThroughput",): (6, 15),
    ("ScaleDownBehavior",): (4, 1),
}
_OLD = (("Instances", "HadoopVersion"), ("SupportedProducts",), ("NewSupportedProducts",))
_STRATEGIES = (5, 12)
_LOGGED, _FILES = ("STEP_LOGS", "SPARK_DRIVER", "SPARK_EXECUTOR"), ("STDOUT", "STDERR")
_KEPT = "persistent-ui-logs"


@rule(
    "X918", "emr-release", Severity.ERROR, source="EMR API: RunJobFlow, 'available in Amazon EMR releases … and later'"
)
def emr_release(subject: Subject) -> Iterator[Fault]:
    """A cluster of a release that does not have a member of its request yet, or no more.

    Bad:  {"ReleaseLabel": "emr-6.10.0", "EbsRootVolumeIops": 3000}
    Good: {"ReleaseLabel": "emr-6.15.0", "EbsRootVolumeIops": 3000}
    """
    for placed, arguments in subject.of_type("EMR"):
        at, config = f"{placed.pointer}/Arguments/ClusterConfig", arguments.get("ClusterConfig")
        label = get(config, "ReleaseLabel")
        match = _RELEASE.fullmatch(label) if isinstance(label, str) else None
        if match is None:
            continue
        release = int(match["major"]), int(match["minor"])
        for path, since in _SINCE.items():
            if get(config, *path) is not None and release < since:
                message = f"{path[-1]} is there since release {since[0]}.{since[1]}, and the cluster is of {label}"
                yield Fault(f"{at}/{'/'.join(path)}", message, "name a newer release, or remove it", placed)
        for path in _OLD if release >= (4, 0) else ():
            if get(config, *path) is not None:
                message = f"{path[-1]} is for releases before 4.0, and the cluster is of {label}"
                yield Fault(f"{at}/{'/'.join(path)}", message, "remove it: Applications say what is installed", placed)
        for where, application in entries(config, "Applications") if release >= (4, 0) else ():
            for name in application.keys() - {"Name"}:
                message = f"an application of a release has a Name alone, and {name} is given"
                yield Fault(f"{at}{where}/{name}", message, "remove it", placed)
        for where, fleet in entries(config, "Instances", "InstanceFleets") if release < _STRATEGIES else ():
            for name in ("SpotSpecification", "OnDemandSpecification"):
                if get(fleet, "LaunchSpecifications", name, "AllocationStrategy") is not None:
                    message = f"strategies are there since release 5.12, and the cluster is of {label}"
                    here = f"{at}{where}/LaunchSpecifications/{name}/AllocationStrategy"
                    yield Fault(here, message, "name a newer release, or remove it", placed)


@rule("X919", "emr-cluster-settings", Severity.ERROR, source="EMR API: PlacementGroupConfig, ManagedScalingPolicy")
def emr_cluster_settings(subject: Subject) -> Iterator[Fault]:
    """A cluster places others than its masters, asks for an index of a strategy that it does not use, or keeps logs
    by a policy that they cannot have, or at a place that is not told.

    Bad:  "PlacementGroupConfigs": [{"InstanceRole": "CORE"}]
    Good: "PlacementGroupConfigs": [{"InstanceRole": "MASTER"}]
    """
    for placed, arguments in subject.of_type("EMR"):
        config = arguments.get("ClusterConfig")
        if isinstance(config, Mapping):
            yield from _settings(f"{placed.pointer}/Arguments/ClusterConfig", config, placed)


def _settings(at: str, config: Mapping[str, Value], placed: Placed) -> Iterator[Fault]:
    for where, group in entries(config, "PlacementGroupConfigs"):
        role, strategy = group.get("InstanceRole"), group.get("PlacementStrategy")
        if isinstance(role, str) and role != "MASTER":
            yield Fault(f"{at}{where}/InstanceRole", f"masters alone are placed, not {role}", "write MASTER", placed)
        elif isinstance(strategy, str) and strategy != "SPREAD":
            message = f"masters are placed by SPREAD, not by {strategy}"
            yield Fault(f"{at}{where}/PlacementStrategy", message, "write SPREAD", placed)
    policy = config.get("ManagedScalingPolicy")
    if get(policy, "UtilizationPerformanceIndex") is not None and get(policy, "ScalingStrategy") != "ADVANCED":
        where = f"{at}/ManagedScalingPolicy/UtilizationPerformanceIndex"
        yield Fault(where, "the index is of the strategy ADVANCED", 'add "ScalingStrategy": "ADVANCED"', placed)
    for where, item in entries(config, "Configurations"):
        if item.get("Classification") is None:
            message = "nothing says what these properties are of"
            here = f"{at}{where}/Classification"
            yield Fault(here, message, 'e.g. "spark-defaults"', placed, severity=Severity.WARNING)
    files = get(config, "MonitoringConfiguration", "CloudWatchLogConfiguration", "LogTypes")
    for name, listed in files.items() if isinstance(files, Mapping) else ():
        where = f"{at}/MonitoringConfiguration/CloudWatchLogConfiguration/LogTypes{pointer(name)}"
        if name not in _LOGGED:
            yield Fault(where, f"there are no logs {name!r}", f"one of {', '.join(_LOGGED)}", placed)
        elif isinstance(listed, tuple) and (unknown := [item for item in listed if item not in _FILES]):
            yield Fault(where, f"there is no log {shown(unknown[0])}", f"one of {', '.join(_FILES)}", placed)
    uploads = get(config, "MonitoringConfiguration", "S3LoggingConfiguration", "LogTypeUploadPolicy")
    for name, value in uploads.items() if isinstance(uploads, Mapping) else ():
        where = f"{at}/MonitoringConfiguration/S3LoggingConfiguration/LogTypeUploadPolicy/{name}"
        if name == _KEPT and value == "on-customer-s3only":
            yield Fault(where, f"{_KEPT} are kept by EMR, or not at all", "emr-managed or disabled", placed)
        elif value == "on-customer-s3only" and config.get("LogUri") is None:
            yield Fault(f"{at}/LogUri", f"{name} go to LogUri alone, and there is none", "add it", placed)
