"""Components, experiments, versions and clusters: members of their requests that exclude or name each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot, called_twice
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import instead

FINDINGS: Mapping[str, Told] = {
    "T053": Told(
        "members-that-exclude-each-other",
        Severity.ERROR,
        """An inference component says in two ways what it serves, or wants at least more memory than at most; an
experiment names a variant that it does not have; a version has a name and a group; or two groups of a cluster have one
name.

Bad:  Specification: {ModelName: …, Container: {…}}
Good: Specification: {ModelName: …}""",
    ),
}
_COMPONENT, _EXPERIMENT = "AWS::SageMaker::InferenceComponent", "AWS::SageMaker::InferenceExperiment"
_PACKAGE, _CLUSTER = "AWS::SageMaker::ModelPackage", "AWS::SageMaker::Cluster"
_CALLED = ("ModelPackageName", "ModelPackageGroupName")
_SERVED = ("ModelName", "Container")
_BASE = "BaseInferenceComponentName"
_MEMORY = ("MinMemoryRequiredInMb", "MaxMemoryRequiredInMb")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        if resource.type == _COMPONENT:
            yield from _component(resource)
        elif resource.type == _EXPERIMENT:
            yield from _experiment(resource)
        elif resource.type == _PACKAGE and all(member in resource.properties.members for member in _CALLED):
            at = resource.properties.members[_CALLED[0]].at
            yield Fault("T053", at, f"{resource.label} has {' and '.join(_CALLED)}", "a version of a group has no name")
        elif resource.type == _CLUSTER:
            yield from _cluster(resource)


def _cluster(resource: Resource) -> Iterator[Fault]:
    both = (resource.properties.get(member) for member in ("InstanceGroups", "RestrictedInstanceGroups"))
    groups = [item for listed in both if listed is not None for item in listed.items]
    for name, at in called_twice(groups, "InstanceGroupName"):
        yield Fault("T053", at, f"two groups of {resource.label} are {name!r}", "call one otherwise")


def _component(resource: Resource) -> Iterator[Fault]:
    asked = resource.properties.get("Specification")
    if asked is None or not isinstance(asked.value, dict):
        return
    given = [member for member in _SERVED if member in asked.members]
    if len(given) > 1:
        yield Fault("T053", asked.at, f"{resource.label} has {' and '.join(given)}", "leave one of them out")
    elif not given and _BASE not in asked.members:
        yield Fault("T053", asked.at, f"{resource.label} serves nothing: it has neither {' nor '.join(_SERVED)}")
    least, most = (_number(asked.get("ComputeResourceRequirements", member)) for member in _MEMORY)
    if least is not None and most is not None and least > most:
        at = asked.members["ComputeResourceRequirements"].members[_MEMORY[0]].at
        yield Fault("T053", at, f"{resource.label} wants at least {least:g} MB and at most {most:g}")


def _experiment(resource: Resource) -> Iterator[Fault]:
    listed = resource.properties.get("ModelVariants")
    names = [item.text("VariantName") for item in listed.items] if listed is not None else [None]
    shadow = resource.properties.get("ShadowModeConfig")
    if shadow is None or None in names or not names:
        return
    known = [name for name in names if name is not None]
    shadows = shadow.get("ShadowModelVariants")
    named = [shadow.get("SourceModelVariantName")]
    named += [item.get("ShadowModelVariantName") for item in (shadows.items if shadows is not None else ())]
    for spot in named:
        if spot is not None and isinstance(spot.value, str) and spot.value not in known:
            said = f"{resource.label} has no variant {spot.value}{instead(spot.value, known)}"
            yield Fault("T053", spot.at, said)


def _number(spot: Spot | None) -> float | None:
    try:
        return None if spot is None or isinstance(spot.value, bool) else float(spot.value)
    except (TypeError, ValueError, OverflowError):
        return None
