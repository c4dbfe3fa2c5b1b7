"""The house policy: what a team wrote into ``[house]`` of its ``mlops.toml``; silent without one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from mlops.check.expressions import literal
from mlops.check.images import parse
from mlops.check.jobs import PROCESSING, TRAINING, Machine
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Ref, Severity, Value
from mlops.ir.members import get
from mlops.ir.values import pointer

_SOURCE = "[house] of the project's mlops.toml"
_DEFAULT_HOURS = 24
"""How long a job may run whose StoppingCondition says nothing."""


def _written(subject: Subject, at: str, value: Value) -> str:
    """Where a value is decided: at a parameter's default, if it reads one."""
    path = value.path if isinstance(value, Ref) else None
    declared = subject.parameters.get(path.name) if path is not None and path.root == "Parameters" else None
    return f"{declared.at}/DefaultValue" if declared else at


@rule("H901", "house-instance", Severity.WARNING, source=_SOURCE)
def house_instance(subject: Subject) -> Iterator[Fault]:
    """An instance type that the house does not allow.

    Bad:  "InstanceType": "ml.p4d.24xlarge" with instances = ["ml.m5.*"]
    Good: "InstanceType": "ml.m5.xlarge"
    """
    policy = subject.policy
    if policy is None or not policy.instances:
        return
    for machine in subject.machines:
        kind = literal(subject, machine.type)
        if isinstance(kind, str) and not any(fnmatchcase(kind, glob) for glob in policy.instances):
            help_text = f"[house] instances allows {', '.join(policy.instances)}"
            where = _written(subject, machine.type_at, machine.type)
            yield Fault(where, f"{kind} is not allowed here", help_text, machine.placed)


@rule("H902", "house-tags", Severity.WARNING, source=_SOURCE)
def house_tags(subject: Subject) -> Iterator[Fault]:
    """A job, a model or a registration lacks a tag that the house requires. The pipeline's own tags count too.

    Bad:  no "Tags" with required_tags = ["team"]
    Good: "Tags": [{"Key": "team", "Value": "growth"}]
    """
    policy = subject.policy
    if policy is None or not policy.required_tags:
        return
    kinds = ("Training", "Processing", "Transform", "Tuning", "AutoML", "Model", "QualityCheck", "ClarifyCheck")
    for placed, arguments in subject.of_type(*kinds):
        listed = arguments.get("Tags", ())
        if not isinstance(listed, tuple):
            continue
        keys = {item.get("Key") for item in listed if isinstance(item, Mapping)} | subject.definition.tags.keys()
        missing = [tag for tag in policy.required_tags if tag not in keys]
        if missing:
            message = f"the step has no tag {', '.join(repr(tag) for tag in missing)}"
            help_text = f'[house] required_tags wants it: {{"Key": "{missing[0]}", "Value": ...}}'
            yield Fault(f"{placed.pointer}/Arguments/Tags", message, help_text, placed)


@rule("H903", "house-cap", Severity.WARNING, source=_SOURCE)
def house_cap(subject: Subject) -> Iterator[Fault]:
    """More instances, a larger volume or a longer time than the house allows; also a job whose time has no limit of its
    own, which may run for a day.

    Bad:  "InstanceCount": 8 with max_instances = 4
    Good: "InstanceCount": 4
    """
    policy = subject.policy
    if policy is None:
        return
    for machine in subject.machines:
        for member, cap in ((machine.counted, policy.max_instances), ("VolumeSizeInGB", policy.max_volume_gb)):
            value = literal(subject, machine.settings.get(member))
            if cap is not None and isinstance(value, int) and not isinstance(value, bool) and value > cap:
                where = _written(subject, f"{machine.at}/{member}", machine.settings.get(member))
                yield Fault(where, f"{member} is {shown(value)}, the house allows {cap}", "lower it", machine.placed)
        yield from _together(subject, machine, policy.max_instances)
    hours = policy.max_runtime_hours
    timed = (*subject.jobs[TRAINING], *subject.jobs[PROCESSING])
    for at, job, placed in timed if hours is not None else ():
        value = get(job, "StoppingCondition", "MaxRuntimeInSeconds")
        seconds = literal(subject, value) if value is not None else _DEFAULT_HOURS * 3600
        if isinstance(seconds, int) and not isinstance(seconds, bool) and hours is not None and seconds > hours * 3600:
            where = _written(subject, f"{at}/StoppingCondition/MaxRuntimeInSeconds", value)
            what = f"the job may run {seconds / 3600:g} hours" if seconds < 10**9 else "the job may run for ever"
            message = f"{what}, the house allows {hours:g}"
            yield Fault(where, message, f"set MaxRuntimeInSeconds to at most {int(hours * 3600)}", placed)


def _together(subject: Subject, machine: Machine, cap: int | None) -> Iterator[Fault]:
    """What no single count says: the groups of a job run together, and a variant may grow."""
    if cap is None:
        return
    grown = get(machine.settings, "ManagedInstanceScaling", "MaxInstanceCount")
    most = literal(subject, grown)
    if isinstance(most, int) and not isinstance(most, bool) and most > cap:
        where = _written(subject, f"{machine.at}/ManagedInstanceScaling/MaxInstanceCount", grown)
        yield Fault(where, f"MaxInstanceCount is {shown(most)}, the house allows {cap}", "lower it", machine.placed)
    groups = [literal(subject, group.get("InstanceCount")) for _, group in entries(machine.settings, "InstanceGroups")]
    counts = [count for count in groups if isinstance(count, int) and not isinstance(count, bool)]
    if sum(counts) > cap and all(count <= cap for count in counts):
        message = f"the groups have {sum(counts)} instances together, the house allows {cap}"
        yield Fault(f"{machine.at}/InstanceGroups", message, "lower their counts", machine.placed)


@rule("H904", "house-name", Severity.WARNING, source=_SOURCE)
def house_name(subject: Subject) -> Iterator[Fault]:
    """The name of the pipeline, of a step or of a parameter is not of the form that the house wants.

    Bad:  "Name": "train2" with step_names = "[A-Z][A-Za-z0-9]*"
    Good: "Name": "Train2"
    """
    policy = subject.policy
    if policy is None:
        return
    name = subject.definition.name
    if policy.pipeline_names and name and len(name) < 300 and not re.fullmatch(policy.pipeline_names, name):
        help_text = f"[house] pipeline_names wants {policy.pipeline_names}"
        yield Fault("", f"the pipeline's name {shown(name)} is not of the house's form", help_text)
    for placed in subject.placed if policy.step_names else ():
        name = placed.step.name
        if name and len(name) < 300 and not re.fullmatch(policy.step_names or "", name):
            help_text = f"[house] step_names wants {policy.step_names}"
            message = f"step name {shown(name)} is not of the house's form"
            yield Fault(f"{placed.pointer}/Name", message, help_text, placed)
    for declared in subject.parameters.values() if policy.parameter_names else ():
        name = declared.parameter.name
        if len(name) < 300 and not re.fullmatch(policy.parameter_names or "", name):
            help_text = f"[house] parameter_names wants {policy.parameter_names}"
            message = f"parameter name {shown(name)} is not of the house's form"
            yield Fault(f"{declared.at}/Name", message, help_text, where=declared.parameter.where)


@rule("H905", "house-protection", Severity.WARNING, source=_SOURCE)
def house_protection(subject: Subject) -> Iterator[Fault]:
    """A job has no KMS key for what it writes, is in no VPC, or is not isolated from the network, and the house
    requires it.

    Bad:  no "KmsKeyId" with require = ["kms"]
    Good: "OutputDataConfig": {"S3OutputPath": "...", "KmsKeyId": "alias/ml"}
    """
    policy = subject.policy
    wanted = policy.require if policy is not None else ()
    every = subject.jobs.items() if wanted else ()
    for kind, (at, job, placed) in ((kind, job) for kind, jobs in every for job in jobs):
        output = job.get(kind.output) if kind.output else None
        if "kms" in wanted and isinstance(output, Mapping) and output.get("KmsKeyId") is None:
            where = f"{at}/{kind.output}/KmsKeyId"
            yield Fault(where, f"{kind.output} has no KmsKeyId", "[house] requires kms", placed)
        if kind.network is None:
            continue
        if "vpc" in wanted and get(job, *kind.network, "VpcConfig") is None:
            where = at + pointer(*kind.network, "VpcConfig")
            yield Fault(where, "the job runs outside of a VPC", "[house] requires vpc: add VpcConfig", placed)
        if "isolation" in wanted and get(job, *kind.network, "EnableNetworkIsolation") in (None, False):
            where = at + pointer(*kind.network, "EnableNetworkIsolation")
            help_text = "[house] requires isolation: set EnableNetworkIsolation"
            yield Fault(where, "the container may use the network", help_text, placed)
    for placed, arguments in subject.of_type("Model"):
        at = f"{placed.pointer}/Arguments"
        if "vpc" in wanted and arguments.get("VpcConfig") is None:
            yield Fault(f"{at}/VpcConfig", "the model runs outside of a VPC", "[house] requires vpc", placed)
        if "isolation" in wanted and arguments.get("EnableNetworkIsolation") in (None, False):
            message = "the model's containers may use the network"
            yield Fault(f"{at}/EnableNetworkIsolation", message, "[house] requires isolation", placed)


@rule("H906", "house-image", Severity.WARNING, source=_SOURCE)
def house_image(subject: Subject) -> Iterator[Fault]:
    """An image is in another account's registry than the house allows; or, where the house requires pinned images, its
    tag may mean another image tomorrow.

    Bad:  "TrainingImage": "999999999999.dkr.ecr.eu-west-1.amazonaws.com/fit:latest" with registries = ["111122223333"]
    Good: "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/fit:1.4"
    """
    policy = subject.policy
    if policy is None or not (policy.registries or "pinned-images" in policy.require):
        return
    for at, text, placed in subject.texts:
        image = parse(text) if at.endswith(("Image", "ImageUri")) else None
        if image is None or placed is None:
            continue
        if policy.registries and image.account not in policy.registries:
            help_text = f"[house] registries allows {', '.join(policy.registries)}"
            yield Fault(at, f"the image is in the registry of {image.account}", help_text, placed)
        if "pinned-images" in policy.require and image.tag in (None, "latest") and "@sha256:" not in text:
            yield Fault(at, f"{shown(text)} may be another image tomorrow", "give a version or a digest", placed)
