"""Statements that allow nothing, since their actions and resources do not meet: S3's actions on a bucket and on what is
in it, actions that there are not, names where ARNs are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from mlops.check.shapes import calls
from mlops.check.templates.resolving import HOLE, Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.ir.choices import one_edit
from mlops.knowledge.cloudformation.references import REF_GIVES, Form

FINDINGS: Mapping[str, Told] = {
    "T089": Told(
        "allows-nothing",
        Severity.WARNING,
        """A statement allows an action on resources that it is not on: what is done to an object on the ARN of a
bucket, what is done to a bucket on those of objects, anything on a name; or the action is none that there is. IAM takes
it, and whoever has the policy is refused.

Bad:  Action: s3:GetObject  Resource: arn:aws:s3:::acme
Good: Action: s3:GetObject  Resource: arn:aws:s3:::acme/*""",
    ),
}
_OF_OBJECTS = re.compile(
    r"s3:(?:(?:get|put|delete|restore|replicate)object(?!lockconfiguration)\w*|abortmultipartupload"
    r"|listmultipartuploadparts)"
)
_OF_BUCKETS = re.compile(
    r"s3:(?:listbucket(?:versions|multipartuploads)?|(?:get|put|delete|create)bucket\w*|getlifecycleconfiguration"
    r"|putlifecycleconfiguration|getencryptionconfiguration|putencryptionconfiguration)"
)
_PLACED = re.compile(r"arn:[^:]*:s3:(?!:)[^:]*:[^:]*:[^/]*(?:/.*)?|arn:[^:]*:s3::\d+:[^/]*(?:/.*)?", re.DOTALL)
"""A region or an account stands in the ARNs of access points, jobs and the like, and in none of a bucket."""
_OWN_PLACES = re.compile(r"[^:]*:[^:]*:s3:[^:]*:[^:]*:(?:accesspoint|job|storage-lens|access-grants|async-request)\b.*")
_BUCKET = re.compile(r"arn:[^:]*:s3:::([^/]*)(/.*)?", re.DOTALL)
_SERVICES: Mapping[str, Sequence[str]] = {
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "sagemaker-metrics"),
    **{name: (name,) for name in ("ecr", "firehose", "iam", "kms", "sns", "sqs")},
}
"""Whose actions are called as their operations are, but for some that have permissions alone."""
_PLACE = re.compile(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:([a-z-]+)/.*", re.DOTALL)
_KINDS = frozenset(
    {
        *("action", "algorithm", "app", "app-image-config", "artifact", "automl-job", "cluster", "code-repository"),
        *("compilation-job", "context", "data-quality-job-definition", "device", "device-fleet", "domain", "endpoint"),
        *("edge-deployment", "edge-packaging-job", "endpoint-config", "experiment", "experiment-trial", "hub"),
        *("experiment-trial-component", "feature-group", "flow-definition", "hub-content", "human-loop", "image"),
        *("human-task-ui", "hyper-parameter-tuning-job", "image-version", "inference-component", "labeling-job"),
        *("inference-experiment", "inference-recommendations-job", "lineage-group", "mlflow-tracking-server", "model"),
        *("model-bias-job-definition", "model-card", "model-explainability-job-definition", "model-package"),
        *("model-package-group", "model-quality-job-definition", "monitoring-schedule", "notebook-instance"),
        *("notebook-instance-lifecycle-config", "optimization-job", "partner-app", "pipeline", "processing-job"),
        *("project", "space", "studio-lifecycle-config", "training-job", "training-plan", "transform-job"),
        *("user-profile", "workforce", "workteam"),
    }
)
"""What ARNs of SageMaker have in front of a name (service authorization reference); there are more."""
_ON_ONE = re.compile(r"sagemaker:(?:Describe|Delete|Stop)([A-Z]\w*)")
_STARTED = {"StartPipelineExecution": "pipeline", "StartNotebookInstance": "notebook-instance"}
_DOCUMENTS = ("PolicyDocument", "ModelPackageGroupPolicy", "AccessPolicies", "KeyPolicy")


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        for spot in resource.properties.walk():
            for member in _DOCUMENTS:
                listed = spot.get(member, "Statement") if member in spot.members else None
                for statement in (listed.items or (listed,)) if listed is not None else ():
                    if isinstance(statement.value, dict):
                        yield from _statement(template, resource, statement)


def _statement(template: Template, resource: Resource, statement: Spot) -> Iterator[Fault]:
    actions = [item for item in _texts(statement.get("Action")) if isinstance(item.value, str)]
    for action in (*actions, *(item for item in _texts(statement.get("NotAction")) if isinstance(item.value, str))):
        yield from _action(resource, action)
    places = _texts(statement.get("Resource"))
    for place in places:
        yield from _place(template, resource, place)
    if statement.text("Effect") != "Allow" or not places:
        return
    yield from _of_kinds(resource, actions, places)
    for action in actions:
        name = str(action.value).lower()
        if _OF_OBJECTS.fullmatch(name) and not any(_may_be(template, place, inside=True) for place in places):
            said = f"{action.value} is on what is in a bucket, and {resource.label} names buckets alone"
            yield Fault("T089", places[0].at, said, "arn:aws:s3:::BUCKET/*")
        if _OF_BUCKETS.fullmatch(name) and not any(_may_be(template, place, inside=False) for place in places):
            said = f"{action.value} is on a bucket, and {resource.label} names what is in one alone"
            yield Fault("T089", places[0].at, said, "arn:aws:s3:::BUCKET, with nothing behind it")


def _action(resource: Resource, action: Spot) -> Iterator[Fault]:
    service, _, name = str(action.value).partition(":")
    if not name.isalnum() or service.lower() not in _SERVICES:
        return
    known = _known(service.lower())
    meant = (
        None if name.lower() in known else next((known[item] for item in one_edit(name.lower()) if item in known), None)
    )
    if meant is not None:
        said = f"{resource.label}: there is no action {action.value}; did you mean {service}:{meant}?"
        yield Fault("T089", action.at, said, f"{service}:{meant}")


@cache
def _known(service: str) -> Mapping[str, str]:
    return {name.lower(): name for model in _SERVICES[service] for name in calls(model)}


def _place(template: Template, resource: Resource, place: Spot) -> Iterator[Fault]:
    if isinstance(place.value, str) and _PLACED.fullmatch(place.value) and not _OWN_PLACES.fullmatch(place.value):
        said = f"a bucket's ARN has no region and no account: {place.value[:80]}"
        yield Fault("T089", place.at, f"{resource.label}: {said}", "arn:aws:s3:::BUCKET")
    match template.at(place.at):
        case {"Ref": str(name)} if REF_GIVES.get(str(template.type_of(name))) is Form.NAME:
            said = f"Resource of {resource.label} is the name of {name}, and takes an ARN"
            yield Fault("T089", place.at, said, f"!GetAtt {name}.Arn")


def _of_kinds(resource: Resource, actions: Sequence[Spot], places: Sequence[Spot]) -> Iterator[Fault]:
    """Of SageMaker's actions on one kind of resource."""
    found = [_PLACE.fullmatch(place.value if isinstance(place.value, str) else place.draft or "") for place in places]
    kinds = {match[1] for match in found if match is not None}
    if len(kinds) != 1 or None in found:
        return
    (kind,) = kinds
    if kind not in _KINDS:
        near = next((item for item in one_edit(kind) if item in _KINDS), None)
        if near is not None:
            said = f"{resource.label}: no ARN of SageMaker has {kind}/; did you mean {near}/?"
            yield Fault("T089", places[0].at, said, f"…:{near}/NAME")
        return
    for action in actions:
        name = str(action.value)
        match = _ON_ONE.fullmatch(name)
        wanted = _STARTED.get(name.partition(":")[2]) or (
            re.sub(r"(?<!^)(?=[A-Z])", "-", match[1]).lower() if match is not None else None
        )
        if wanted in _KINDS and wanted != kind:
            said = f"{name} is on a {wanted}, and {resource.label} names each a {kind}"
            yield Fault("T089", places[0].at, said, f"…:{wanted}/NAME")


def _may_be(template: Template, place: Spot, *, inside: bool) -> bool:
    """Whether it may name an object, or a bucket; also where that is not known."""
    match template.at(place.at):
        case {"Fn::GetAtt": [str(name), "Arn"]} if template.type_of(name) == "AWS::S3::Bucket":
            return not inside
    text = place.value if isinstance(place.value, str) else place.draft
    if text is None:
        return True
    if text.startswith(HOLE):
        rest = text.lstrip(HOLE)
        return "/" in rest if inside and rest else "/" not in rest or inside
    found = _BUCKET.fullmatch(text)
    if found is None:
        return text.startswith("*") or _PLACED.fullmatch(text) is not None or HOLE in text.partition("/")[0]
    open_end = any(mark in found[1] for mark in ("*", "?", HOLE))
    return found[2] is not None or open_end if inside else found[2] is None


def _texts(spot: Spot | None) -> tuple[Spot, ...]:
    if spot is None:
        return ()
    return spot.items if isinstance(spot.value, tuple) else (spot,)
