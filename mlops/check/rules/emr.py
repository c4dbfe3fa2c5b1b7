"""EMR, EMRServerless and Lineage steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import Misfit, scalar, shape, shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get


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
        elif instances[kinds[0]] == ():
            yield Fault(f"{here}/{kinds[0]}", "the cluster has no instances", "add a master", placed)


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


@rule("X734", "nothing-submitted", Severity.WARNING, source="EMR docs: command-runner.jar runs what its Args say")
def nothing_submitted(subject: Subject) -> Iterator[Fault]:
    """A step of a cluster starts Spark by command-runner.jar, and names no application.

    Bad:  "Args": ["spark-submit", "--deploy-mode", "cluster"]
    Good: "Args": ["spark-submit", "--deploy-mode", "cluster", "s3://acme/code/features.py"]
    """
    for placed, arguments in subject.of_type("EMR"):
        jar = get(arguments, "StepConfig", "HadoopJarStep")
        words = get(jar, "Args")
        if get(jar, "Jar") != "command-runner.jar" or not isinstance(words, tuple) or not words:
            continue
        at = f"{placed.pointer}/Arguments/StepConfig/HadoopJarStep/Args"
        texts = [word for word in words if isinstance(word, str)]
        if len(texts) < len(words) or texts[0] != "spark-submit":
            continue
        if all(word.startswith("-") or _takes_value(before) for before, word in pairwise(texts)):
            yield Fault(at, "spark-submit is given no application", "add the script or the jar", placed)


def _takes_value(option: str) -> bool:
    """Of spark-submit, whose other options are written with = or say all by themselves."""
    return option.startswith("--") and "=" not in option and option not in ("--supervise", "--verbose")


@rule(
    "X732",
    "association-end",
    Severity.ERROR,
    source="official SDK's lineage_step; AddAssociation API: AssociationEntityArn",
)
def association_end(subject: Subject) -> Iterator[Fault]:
    """An end of a lineage association is given by the Arn of an entity of lineage, or by Name and Type of one of the
    same step.

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
                elif isinstance(end.get("Arn"), str) and any(_no_entity(end["Arn"])):
                    message = f"{shown(end['Arn'])} is no artifact, action, context or component of a trial"
                    yield Fault(f"{here}/Arn", message, "give the ARN of one", placed)
                elif isinstance(end.get("Name"), str) and isinstance(end.get("Type"), str):
                    known = names.get(str(end["Type"]))
                    if known is not None and end["Name"] not in known:
                        message = f"the step declares no {end['Type']} {end['Name']!r}"
                        yield Fault(f"{here}/Name", message, "declare it, or give its Arn", placed)


def _no_entity(arn: Value) -> Iterator[Misfit]:
    against = shape("sagemaker", "AssociationEntityArn")
    return scalar(arn, against, "") if against is not None else iter(())


def _names(listed: Value, key: str) -> set[str] | None:
    """The names of a list of entities, None where one of them is not known yet."""
    if not isinstance(listed, tuple):
        return None
    names = [item.get(key) if isinstance(item, Mapping) else None for item in listed]
    texts = {name for name in names if isinstance(name, str)}
    return texts if all(isinstance(name, str) for name in names) else None


@rule("X735", "emr-cluster-parts", Severity.ERROR, source="EMR API: RunJobFlow, InstanceGroups, cluster ids")
def emr_cluster_parts(subject: Subject) -> Iterator[Fault]:
    """A cluster id that has the form of none, or a cluster of its own without a release, of a release that has not the
    form of one, without a master, of SageMaker's instance types, or with a place for logs that is none in S3.

    Bad:  "ClusterId": "my-cluster"
    Good: "ClusterId": "j-2AXXXXXXGAPLF"
    """
    for placed, arguments in subject.of_type("EMR"):
        at = f"{placed.pointer}/Arguments"
        cluster, config = arguments.get("ClusterId"), arguments.get("ClusterConfig")
        if isinstance(cluster, str) and not cluster.startswith("j-"):
            yield Fault(f"{at}/ClusterId", f"{shown(cluster)} is no cluster id", "ids begin with j-", placed)
        if not isinstance(config, Mapping):
            continue
        if not any(config.get(name) is not None for name in ("ReleaseLabel", "AmiVersion", "CustomAmiId")):
            message = "the cluster names no release"
            yield Fault(f"{at}/ClusterConfig/ReleaseLabel", message, 'e.g. "emr-7.5.0"', placed)
        logs = config.get("LogUri")
        if isinstance(logs, str) and not logs.startswith(("s3://", "s3n://", "s3a://")):
            message = f"{shown(logs)} is no URI in S3"
            help_text = f'e.g. "s3://{logs.rpartition(":")[2].lstrip("/") or "acme-logs"}"'
            yield Fault(f"{at}/ClusterConfig/LogUri", message, help_text, placed)
        release = config.get("ReleaseLabel")
        if isinstance(release, str) and not release.startswith("emr-"):
            message = f"{shown(release)} is no release of EMR"
            yield Fault(f"{at}/ClusterConfig/ReleaseLabel", message, 'e.g. "emr-7.5.0"', placed)
        for member, role in (("InstanceGroups", "InstanceRole"), ("InstanceFleets", "InstanceFleetType")):
            for where, item in entries(config, "Instances", member):
                kind = item.get("InstanceType")
                if isinstance(kind, str) and kind.startswith("ml."):
                    place = f"{at}/ClusterConfig{where}/InstanceType"
                    yield Fault(place, f"{kind} is an instance type of SageMaker", f"write {kind[3:]}", placed)
                for inner, typed in entries(item, "InstanceTypeConfigs"):
                    kind = typed.get("InstanceType")
                    if isinstance(kind, str) and kind.startswith("ml."):
                        place = f"{at}/ClusterConfig{where}{inner}/InstanceType"
                        yield Fault(place, f"{kind} is an instance type of SageMaker", f"write {kind[3:]}", placed)
            kinds = [item.get(role) for _, item in entries(config, "Instances", member)]
            if kinds and all(isinstance(kind, str) for kind in kinds) and "MASTER" not in kinds:
                where = f"{at}/ClusterConfig/Instances/{member}"
                yield Fault(where, "the cluster has no master", f'add one with "{role}": "MASTER"', placed)


@rule("X736", "serverless-job", Severity.WARNING, source="EMR Serverless API: StartJobRun, CreateApplication")
def serverless_job(subject: Subject) -> Iterator[Fault]:
    """An EMR Serverless job whose program is a path of the author's machine, whose two roles differ, that streams
    without an end, or (an error) whose application is neither of Spark nor of Hive.

    Bad:  "entryPoint": "job.py"
    Good: "entryPoint": "s3://acme/code/job.py"
    """
    for placed, arguments in subject.of_type("EMRServerless"):
        at = f"{placed.pointer}/Arguments"
        script = get(arguments, "JobConfig", "jobDriver", "sparkSubmit", "entryPoint")
        if isinstance(script, str) and "://" not in script and not script.startswith("/"):
            where = f"{at}/JobConfig/jobDriver/sparkSubmit/entryPoint"
            yield Fault(where, f"{shown(script)} is on the author's machine", "upload it, give its S3 URI", placed)
        own, inner = arguments.get("ExecutionRoleArn"), get(arguments, "JobConfig", "executionRoleArn")
        if isinstance(own, str) and isinstance(inner, str) and own != inner:
            message = "ExecutionRoleArn and JobConfig.executionRoleArn are different roles"
            yield Fault(f"{at}/JobConfig/executionRoleArn", message, "give the same role twice", placed)
        if get(arguments, "JobConfig", "mode") == "STREAMING":
            message = "a streaming job does not end, and the step waits for its end"
            yield Fault(f"{at}/JobConfig/mode", message, "run it as BATCH, or outside of the pipeline", placed)
        kind = get(arguments, "ApplicationConfig", "type")
        if isinstance(kind, str) and kind.upper() not in ("SPARK", "HIVE"):
            message = f"{shown(kind)} is no type of application"
            yield Fault(f"{at}/ApplicationConfig/type", message, "SPARK or HIVE", placed, severity=Severity.ERROR)


@rule(
    "X737",
    "repeated-entity",
    Severity.WARNING,
    source="official SDK's lineage_step: entities are named within the step; botocore: names are unique in an account",
)
def repeated_entity(subject: Subject) -> Iterator[Fault]:
    """A Lineage step declares two entities of one kind and name; or (a warning) declares nothing, associates an entity
    with itself, or two entities twice.

    Bad:  two Artifacts "tables"
    Good: "tables" and "views"
    """
    for placed, arguments in subject.of_type("Lineage"):
        at = f"{placed.pointer}/Arguments"
        members = ("Actions", "Artifacts", "Contexts", "Associations")
        if not any(arguments.get(member) for member in members):
            yield Fault(at, "the step declares nothing", "add Artifacts, Actions, Contexts or Associations", placed)
        for member in members[:3]:
            seen: set[str] = set()
            for where, item in entries(arguments, member):
                name = item.get(f"{member[:-1]}Name")
                if isinstance(name, str):
                    if name in seen:
                        place = f"{at}{where}/{member[:-1]}Name"
                        message = f"two {member} are named {name!r}"
                        yield Fault(place, message, "rename one of them", placed, severity=Severity.ERROR)
                    seen.add(name)
        listed: list[Mapping[str, Value]] = []
        for where, item in entries(arguments, "Associations"):
            source = item.get("Source")
            if item in listed:
                yield Fault(f"{at}{where}", "this association stands twice", "remove it", placed)
            listed.append(item)
            if isinstance(source, Mapping) and source and source == item.get("Destination"):
                yield Fault(f"{at}{where}/Destination", "an entity is associated with itself", None, placed)
