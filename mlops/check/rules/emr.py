"""EMR, EMRServerless and Lineage steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject, entries, get
from mlops.ir import Severity, Value


@rule("X730", "emr-cluster", Severity.ERROR, source="official SDK's emr_step")
def emr_cluster(subject: Subject) -> Iterator[Fault]:
    """An EMR step runs on a cluster that exists (ClusterId) or on one of its own (ClusterConfig), not on both; its own
    ends by itself and has either InstanceGroups or InstanceFleets.

    Bad:  {"ClusterId": "j-1", "ClusterConfig": {...}}
    Good: {"ClusterId": "j-1"}
    """
    for placed, arguments in subject.of_type("EMR"):
        at = f"{placed.pointer}/Arguments"
        given = [name for name in ("ClusterId", "ClusterConfig") if arguments.get(name) is not None]
        if len(given) == 2:
            yield Fault(f"{at}/ClusterConfig", "ClusterId and ClusterConfig exclude each other", "keep one", placed)
        elif not given:
            yield Fault(at, "neither ClusterId nor ClusterConfig", "add one", placed)
        if "ClusterConfig" in given and arguments.get("ExecutionRoleArn") is not None:
            yield Fault(f"{at}/ExecutionRoleArn", "ExecutionRoleArn goes with ClusterId only", "remove it", placed)
        instances = get(arguments, "ClusterConfig", "Instances")
        if not isinstance(instances, Mapping):
            continue
        here = f"{at}/ClusterConfig/Instances"
        for name in ("KeepJobFlowAliveWhenNoSteps", "TerminationProtected"):
            if name in instances:
                yield Fault(f"{here}/{name}", f"{name} is set by the service", "remove it", placed)
        kinds = [name for name in ("InstanceGroups", "InstanceFleets") if name in instances]
        if len(kinds) != 1:
            found = "both" if kinds else "neither"
            where = f"{here}/{kinds[1]}" if kinds else here
            yield Fault(where, f"exactly one of InstanceGroups and InstanceFleets, found {found}", None, placed)


@rule("X731", "serverless-application", Severity.ERROR, source="official SDK 3.27 emr_serverless_step")
def serverless_application(subject: Subject) -> Iterator[Fault]:
    """An EMRServerless step has an application (ApplicationId) or makes one (ApplicationConfig), not both.

    Bad:  {"ApplicationId": "00fa", "ApplicationConfig": {...}}
    Good: {"ApplicationId": "00fa"}
    """
    for placed, arguments in subject.of_type("EMRServerless"):
        at = f"{placed.pointer}/Arguments"
        given = [name for name in ("ApplicationId", "ApplicationConfig") if arguments.get(name) is not None]
        if len(given) == 2:
            message = "ApplicationId and ApplicationConfig exclude each other"
            yield Fault(f"{at}/ApplicationConfig", message, "keep one of them", placed)
        elif not given:
            yield Fault(at, "neither ApplicationId nor ApplicationConfig", "add one", placed)


@rule("X732", "association-end", Severity.ERROR, source="official SDK's lineage_step")
def association_end(subject: Subject) -> Iterator[Fault]:
    """An end of a lineage association is given by Arn, or by Name and Type of an entity of the same step.

    Bad:  {"Arn": "arn:aws:...", "Name": "tables", "Type": "Artifact"}
    Good: {"Name": "tables", "Type": "Artifact"}
    """
    declared = (("Action", "Actions"), ("Artifact", "Artifacts"), ("Context", "Contexts"))
    for placed, arguments in subject.of_type("Lineage"):
        names = {kind: _names(arguments.get(member, ()), f"{kind}Name") for kind, member in declared}
        for at, item in entries(arguments, "Associations"):
            for side in ("Source", "Destination"):
                end = item.get(side)
                here = f"{placed.pointer}/Arguments{at}/{side}"
                if not isinstance(end, Mapping):
                    continue
                if "Arn" in end and ("Name" in end or "Type" in end):
                    yield Fault(f"{here}/Arn", "Arn excludes Name and Type", "keep one form", placed)
                elif "Arn" not in end and not {"Name", "Type"} <= end.keys():
                    yield Fault(here, "the end has neither Arn nor Name and Type", "add them", placed)
                elif isinstance(end.get("Name"), str) and isinstance(end.get("Type"), str):
                    known = names.get(str(end["Type"]))
                    if known is not None and end["Name"] not in known:
                        message = f"the step declares no {end['Type']} {end['Name']!r}"
                        yield Fault(f"{here}/Name", message, "declare it, or give its Arn", placed)


def _names(listed: Value, key: str) -> set[str] | None:
    """The names of a list of entities, None where one of them is not known yet."""
    if not isinstance(listed, tuple):
        return None
    names = [item.get(key) if isinstance(item, Mapping) else None for item in listed]
    texts = {name for name in names if isinstance(name, str)}
    return texts if all(isinstance(name, str) for name in names) else None
