"""Models, endpoint configurations and endpoints: what the rules for steps of the same request say, and what is true of
templates alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlops.check import check
from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Definition, Finding, Severity, Step, Unknown, Value, Where

FINDINGS: Mapping[str, Told] = {
    "T040": Told(
        "container-forms",
        Severity.ERROR,
        """A model has both PrimaryContainer and Containers, or neither: CreateModel refuses it, and the schema does
not say.

Bad:  PrimaryContainer: {Image: a}  Containers: [{Image: b}]
Good: Containers: [{Image: a}, {Image: b}]""",
    ),
    "T041": Told(
        "long-environment",
        Severity.ERROR,
        """A variable of a container has a name or value of more than 1,024 characters, or there are more than 100.

Bad:  Environment: {CONFIG: a document of 2,000 characters}
Good: a file in the model's archive, or in S3""",
    ),
    "T042": Told(
        "model-without-role",
        Severity.WARNING,
        """A model has no ExecutionRoleArn. The schema allows it; without one nothing may read its archive or pull
its image.

Bad:  PrimaryContainer: {Image: …, ModelDataUrl: s3://…}
Good: ExecutionRoleArn: !GetAtt ModelRole.Arn""",
    ),
    "T043": Told(
        "moving-image",
        Severity.WARNING,
        """An image is named by the tag latest, or by none: what serves changes without a change of the template.

Bad:  Image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:latest
Good: Image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn@sha256:…""",
    ),
    "T044": Told(
        "isolation-off",
        Severity.WARNING,
        """A model says EnableNetworkIsolation: false, so its containers reach the network.

Bad:  EnableNetworkIsolation: false
Good: EnableNetworkIsolation: true""",
    ),
    "T045": Told(
        "isolation-unsaid",
        Severity.INFO,
        """A model does not say EnableNetworkIsolation: its containers reach the network.

Bad:  PrimaryContainer: {…}
Good: EnableNetworkIsolation: true, or false where they need it""",
    ),
    "T046": Told(
        "name-blocks-replacement",
        Severity.WARNING,
        """A model or endpoint configuration has a fixed name. Nothing of one can be changed, so a change replaces
it, and the new one cannot be made while the earlier one has its name.

Bad:  ModelName: churn
Good: no ModelName, and !GetAtt Model.ModelName where it is named""",
    ),
    "T047": Told(
        "unread-variable",
        Severity.WARNING,
        """A container of Amazon's frameworks does not read this variable: it knows another one.

Bad:  MODEL_SERVER_TIMEOUT: "60"
Good: SAGEMAKER_MODEL_SERVER_TIMEOUT: "60\"""",
    ),
    "T048": Told(
        "repeated-variant",
        Severity.ERROR,
        """Two variants of an endpoint configuration have one name.

Bad:  ProductionVariants: [{VariantName: a, …}, {VariantName: a, …}]
Good: [{VariantName: a, …}, {VariantName: b, …}]""",
    ),
    "T049": Told(
        "several-shadows",
        Severity.ERROR,
        """An endpoint configuration has at most one shadow variant, beside one production variant.

Bad:  ShadowProductionVariants: [{VariantName: a, …}, {VariantName: b, …}]
Good: ShadowProductionVariants: [{VariantName: a, …}]""",
    ),
}
_STEPS = {
    "AWS::SageMaker::Model": "Model",
    "AWS::SageMaker::EndpointConfig": "EndpointConfig",
    "AWS::SageMaker::Endpoint": "Endpoint",
}
_NAMED = {"AWS::SageMaker::Model": "ModelName", "AWS::SageMaker::EndpointConfig": "EndpointConfigName"}
_LONGEST, _MOST = 1024, 100
_AMAZONS = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+).*")
_FRAMEWORKS = re.compile(
    r"(?:pytorch|tensorflow|huggingface|mxnet|sagemaker)[a-z-]*inference[a-z0-9-]*|sagemaker-(?:scikit-learn|xgboost)|xgboost"
)
_OTHER_NAMES = {
    "MODEL_SERVER_TIMEOUT": "SAGEMAKER_MODEL_SERVER_TIMEOUT",
    "MODEL_SERVER_WORKERS": "SAGEMAKER_MODEL_SERVER_WORKERS",
    "PROGRAM": "SAGEMAKER_PROGRAM",
    "SUBMIT_DIRECTORY": "SAGEMAKER_SUBMIT_DIRECTORY",
}
_MULTI = ("SAGEMAKER_MULTI_MODEL_UNIVERSAL_BUCKET", "SAGEMAKER_MULTI_MODEL_UNIVERSAL_PREFIX")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault | Finding]:
    told: dict[str, set[str]] = {}
    found = {item.name: item for item in template.resources(scenario) if item.type in _STEPS}
    served = {name: item for name, item in found.items() if isinstance(item.properties.value, dict)}
    for name, resource in served.items():
        own = list(_own(template, resource))
        yield from own
        told[name] = {place for fault in own for place in (fault.at, fault.at.rpartition("/")[0])}
    if served:
        yield from _as_steps(template, served, told)


def _own(template: Template, resource: Resource) -> Iterator[Fault]:
    properties = resource.properties
    name = _NAMED.get(resource.type)
    if name is not None and name in properties.members:
        said = f"{resource.label} has a fixed {name}: no change can replace it"
        yield Fault("T046", properties.members[name].at, said, f"leave {name} out")
    if resource.type == "AWS::SageMaker::Model":
        yield from _model(resource)
    elif resource.type == "AWS::SageMaker::EndpointConfig":
        yield from _variants(template, resource)


def _model(resource: Resource) -> Iterator[Fault]:
    properties = resource.properties
    primary, several = properties.get("PrimaryContainer"), properties.get("Containers")
    if primary is not None and several is not None:
        yield Fault(
            "T040", several.at, f"{resource.label} has PrimaryContainer and Containers", "leave one of them out"
        )
    elif primary is None and several is None:
        yield Fault("T040", properties.at, f"{resource.label} has no container", "give PrimaryContainer or Containers")
    if "ExecutionRoleArn" not in properties.members:
        said = f"{resource.label} has no ExecutionRoleArn: nothing may read its archive or pull its image"
        yield Fault("T042", properties.at, said, "give ExecutionRoleArn")
    isolated = properties.get("EnableNetworkIsolation")
    if isolated is None:
        yield Fault(
            "T045",
            properties.at,
            f"{resource.label} does not say EnableNetworkIsolation",
            "EnableNetworkIsolation: true",
        )
    elif str(isolated.value).lower() == "false":
        yield Fault(
            "T044", isolated.at, f"the containers of {resource.label} reach the network", "EnableNetworkIsolation: true"
        )
    containers = [*([primary] if primary is not None else []), *(several.items if several is not None else ())]
    for container in containers:
        yield from _container(resource, container)


def _container(resource: Resource, container: Spot) -> Iterator[Fault]:
    image = container.get("Image")
    uri = image.value if image is not None and isinstance(image.value, str) else None
    if image is not None and uri is not None and "@sha256:" not in uri:
        tag = uri.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            told = "the tag latest" if tag else "no tag, which is latest"
            yield Fault("T043", image.at, f"an image of {resource.label} has {told}", "name it by its digest")
    variables = container.get("Environment")
    if variables is None:
        return
    if len(variables.members) > _MOST:
        yield Fault(
            "T041", variables.at, f"{resource.label} has {len(variables.members)} variables, and {_MOST} may be"
        )
    for name, spot in variables.members.items():
        text = spot.value if isinstance(spot.value, str) else (spot.draft or "").replace(HOLE, "")
        longest = max(len(name), len(text))
        if longest > _LONGEST:
            said = f"the variable {name[:40]} of {resource.label} has {longest:,} characters, and {_LONGEST:,} may be"
            yield Fault("T041", spot.at, said, "put it into a file of the model's archive")
    yield from _framework(resource, container, variables, uri)


def _framework(resource: Resource, container: Spot, variables: Spot, uri: str | None) -> Iterator[Fault]:
    found = _AMAZONS.fullmatch(uri or "")
    if found is None or _FRAMEWORKS.fullmatch(found[1].partition(":")[0]) is None:
        return
    for name, spot in variables.members.items():
        if name in _OTHER_NAMES:
            said = f"the container of {resource.label} does not read {name}"
            yield Fault("T047", spot.at, said, f"it reads {_OTHER_NAMES[name]}")
    multi = container.text("Mode") == "MultiModel"
    if multi and "tensorflow" in found[1]:
        for name in ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"):
            if name in variables.members:
                said = f"TensorFlow's container of many models does not read {name}"
                yield Fault("T047", variables.members[name].at, said, f"it reads {' and '.join(_MULTI)}")
    elif "SAGEMAKER_PROGRAM" in variables.members and "SAGEMAKER_SUBMIT_DIRECTORY" not in variables.members:
        said = f"{resource.label} names SAGEMAKER_PROGRAM, and not where it lies"
        yield Fault("T047", variables.members["SAGEMAKER_PROGRAM"].at, said, "give SAGEMAKER_SUBMIT_DIRECTORY, too")


def _variants(template: Template, resource: Resource) -> Iterator[Fault]:
    production = resource.properties.get("ProductionVariants")
    shadows = resource.properties.get("ShadowProductionVariants")
    met: set[str] = set()
    for listed in (production, shadows):
        for variant in listed.items if listed is not None else ():
            named = variant.get("VariantName")
            if named is None:
                continue
            # The same function is the same name, whatever that is.
            name = named.value if isinstance(named.value, str) else repr(template.at(named.at))
            if name in met:
                yield Fault("T048", named.at, f"two variants of {resource.label} are {name!r}")
            met.add(name)
    if shadows is not None and shadows.items:
        if len(shadows.items) > 1:
            yield Fault(
                "T049", shadows.at, f"{resource.label} has {len(shadows.items)} shadow variants, and one may be"
            )
        if production is not None and len(production.items) > 1:
            said = f"beside a shadow {resource.label} may have one production variant, and has {len(production.items)}"
            yield Fault("T049", production.at, said)


def _as_steps(template: Template, served: Mapping[str, Resource], told: Mapping[str, set[str]]) -> Iterator[Finding]:
    """What is known of the requests; members that the stack fills in are there. What was told already is not told
    twice."""
    steps = tuple(_step(resource) for resource in served.values())
    for finding in _findings_of(steps, template):
        found = _PLACE.fullmatch(finding.path or "")
        # The provider schema says what there may be.
        if found is None or finding.code.startswith(_SHAPES):
            continue
        name = steps[int(found[1])].name
        at = served[name].properties.below(found[2]).at
        if at not in told[name]:
            line, column = template.document.at(at)
            yield replace(finding, step=None, path=at, where=Where(template.document.file, line, column))


def _findings_of(steps: tuple[Step, ...], template: Template) -> tuple[Finding, ...]:
    """Each combination of conditions asks again, mostly for the same."""
    return template.asked(repr(steps), lambda: check(Definition("stack", steps=steps, of_resources=True)).findings)


def _step(resource: Resource) -> Step:
    kind = _STEPS[resource.type]
    members = {name: spot for name, spot in resource.properties.members.items() if name != "Tags"}
    arguments: dict[str, Value] = {name: spot.plain() for name, spot in members.items()}
    arguments.setdefault(f"{kind}Name", Unknown())
    return Step(resource.name, kind, arguments)


_PLACE = re.compile(r"/Steps/(\d+)/Arguments(.*)", re.DOTALL)
_SHAPES = ("S", "A", "H", "E", "D")
