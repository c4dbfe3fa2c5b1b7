"""What who upserts a pipeline needs: the calls of each type of resource on those that there are, and S3 below the
environment's prefix. It may neither start executions nor change roles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.arns import account_of, arn_of, bucket_arn, key_arn
from mlops.emit.policies.places import STAR
from mlops.emit.policies.statements import Need, passing
from mlops.ir import Definition
from mlops.ir.resource import GROUPS, Call, Resource, ResourceType
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Beside
from mlops.ir.values import refs
from mlops.knowledge.streams.pairing import ENCRYPTED

_PLACES = {
    "schedule": ("scheduler", "schedule/default/{name}"),
    "trigger": ("events", "rule/{name}"),
    "model": ("sagemaker", "model/{short}-*"),
    "endpoint-config": ("sagemaker", "endpoint-config/{short}-*"),
    "endpoint": ("sagemaker", "endpoint/{name}"),
    "pipeline": ("sagemaker", "pipeline/{name}"),
}
"""Others tell their ARN themselves. Models and configurations are named by their content, which the name is cut for."""
_CONTENT = 52
_PROMOTES = (
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:InvokeEndpoint",
    "sagemaker:UpdateEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
)
_JUDGES = ("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData")
_SCALES = (
    "application-autoscaling:DeleteScalingPolicy",
    "application-autoscaling:DeleteScheduledAction",
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:RegisterScalableTarget",
)
_SEES_SCALING = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
)
_LISTS = ("sagemaker:ListModelPackageGroups", "sagemaker:ListModelPackages")
_VERSIONS = ("sagemaker:DescribeModelPackage", "sagemaker:DescribeModelPackageGroup")
_VERSION = re.compile(r":model-package/([^/'\"]+)/\d+")
_TAGGED = ("sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags")


def deployer_needs(definition: Definition, around: Surroundings, beside: Beside) -> Iterator[Need]:
    """``step`` of a need is the resource that it is for."""
    yield Need("TellWhoIAm", ("sts:GetCallerIdentity",), (STAR,), "the account")
    if not definition.of_resources or definition.assets or any(map(_is_served, beside.declared)):
        yield from _bucket(around)
    if not definition.of_resources:
        pipeline = Resource("pipeline", definition.name or "", {})
        yield from _of(pipeline, beside.types["pipeline"], around)
        arn = _arn(pipeline, beside.types["pipeline"], around)
        yield Need("ChangePipeline", ("sagemaker:ListPipelineVersions", *_TAGGED), (arn,), pipeline.key)
        yield Need("FindPipelines", ("sagemaker:ListPipelines",), (STAR,), pipeline.key)
        yield passing("PassRole", "sagemaker.amazonaws.com", (around.role,), pipeline.key)
    for declared in beside.starts:
        yield from _of(declared, beside.types[declared.type], around, removed=True)
    for start in around.starts(definition.name or ""):
        service = "scheduler" if start.expression is not None else "events"
        yield passing(
            f"PassRoleTo{service.capitalize()}", f"{service}.amazonaws.com", (start.role,), f"start {start.name}"
        )
    for machine in around.feedback(definition.name or ""):
        for service in ("events", "states"):
            yield passing(
                f"PassRoleTo{service.capitalize()}",
                f"{service}.amazonaws.com",
                (machine.role,),
                f"feedback {machine.name}",
            )
    for resource in beside.declared:
        kind = beside.types[resource.type]
        yield from _of(resource, kind, around)
        yield from _serving(resource, kind, around)
        yield from _granting(resource, around)
        if "iam:PassRole" in kind.permissions and (kind.service != "sagemaker" or kind.kept is not None):
            for role in dict.fromkeys(_roles(resource.plain)):
                yield passing(
                    f"PassRoleTo{kind.service.capitalize()}",
                    f"{kind.prefix or kind.service}.amazonaws.com",
                    (role,),
                    resource.key,
                )


def promoter_needs(around: Surroundings) -> Iterator[Need]:
    """What who promotes needs, whichever endpoint of the account it is."""
    who = "promotions"
    yield Need("TellWhoIAm", ("sts:GetCallerIdentity",), (STAR,), who)
    yield from _bucket(around)
    serving = tuple(arn_of(around, "sagemaker", f"{kind}/*") for kind in ("endpoint", "endpoint-config", "model"))
    yield Need("TakeToServing", (*_PROMOTES, "sagemaker:DescribeEndpoint"), serving, who)
    yield Need("TagWhatServes", _TAGGED, serving, who)
    yield Need("FindVersions", _LISTS, (STAR,), who)
    versions = tuple(arn_of(around, "sagemaker", f"{kind}/*") for kind in ("model-package-group", "model-package"))
    yield Need("SeeVersions", _VERSIONS, versions, who)
    yield Need("Judge", _JUDGES, (STAR,), who)
    yield from _scaling(around, who)
    yield passing("PassRole", "sagemaker.amazonaws.com", (around.role,), who)


def _is_served(resource: Resource) -> bool:
    """Of what goes by a promotion, which keeps records."""
    return resource.type in ("model", "endpoint-config", "endpoint")


def _of(resource: Resource, kind: ResourceType, around: Surroundings, *, removed: bool = False) -> Iterator[Need]:
    name, properties = resource.name, resource.plain
    calls: list[Call] = [*kind.describe(name)]
    if resource.type != "pipeline" or not properties:
        calls += kind.create(name, properties)
        calls += kind.update(name, properties) if kind.update is not None else ()
    if removed:
        calls += [*kind.inside(name), *kind.delete(name, _Anything())]
    arn = _arn(resource, kind, around)
    if kind.kept is not None:
        more = [
            kind.kept.tags(arn, name),
            kind.kept.tag(arn, name, []),
            *kind.kept.change(name, properties, _Whatever()),
        ]
        if kind.kept.pause is not None:
            pause = kind.kept.pause
            more += [pause.stop(name), pause.start(name), pause.untag(arn, [])]
        calls += more
    purpose = "".join(part.capitalize() for part in resource.type.split("-"))
    anywhere = kind.kept.anywhere if kind.kept is not None else ()
    found = tuple(kind.action(call) for call in calls if call.operation in anywhere)
    if found:
        yield Need(f"Find{purpose}", tuple(dict.fromkeys(found)), (STAR,), resource.key)
    actions = [kind.action(call) for call in calls if call.operation not in anywhere]
    # What is made in a group of its own has an ARN below the group's.
    places = [arn, re.sub(r":schedule-group/(.+)", r":schedule/\1/*", arn)]
    places += [] if kind.kept is None else [_formatted(place, resource.name, around) for place in kind.kept.allowed]
    yield Need(f"Change{purpose}", tuple(dict.fromkeys(actions)), tuple(dict.fromkeys(places)), resource.key)


class _Anything(dict[str, list[dict[str, str]]]):
    """The reply to what is asked before a removal: one item of each list, so that every call is made."""

    def __missing__(self, member: str) -> list[dict[str, str]]:
        return [{"Id": STAR}]


class _Whatever(dict[Any, Any]):
    """The reply to what is asked before a change: whatever is looked for in it, there is something."""

    def __missing__(self, member: object) -> _Whatever:
        return self


def _roles(value: Any) -> Iterator[str]:
    """That the service is to take on, however deep they are named."""
    if isinstance(value, Mapping):
        for member, item in value.items():
            if member.lower() in ("rolearn", "role", "executionrole", "executionrolearn") and isinstance(item, str):
                yield item
            yield from _roles(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _roles(item)


def _arn(resource: Resource, kind: ResourceType, around: Surroundings) -> str:
    if kind.kept is not None:
        return _formatted(kind.kept.arn, resource.name, around)
    if resource.name.startswith("arn:"):
        return resource.name
    service, place = _PLACES[resource.type]
    name = resource.name if service != "sagemaker" else resource.name.lower()
    told = place.format(name=name, short=name[:_CONTENT].rstrip("-"))
    return f"arn:{around.partition}:{service}:{around.region}:{account_of(around)}:{told}"


def _formatted(place: str, name: str, around: Surroundings) -> str:
    facts = {"partition": around.partition, "region": around.region, "account": account_of(around)}
    return place.format(name=name, lower=name.lower(), **facts)


def _granting(resource: Resource, around: Surroundings) -> Iterator[Need]:
    """Who has a stream encrypted by a key of his lets Data Firehose use that."""
    key = (resource.plain.get(ENCRYPTED) or {}).get("KeyARN")
    if key is None:
        return
    arn, conditions = key_arn(key, around) if isinstance(key, str) else key_arn(STAR, around)
    through = {"StringEquals": {"kms:ViaService": f"firehose.{around.region}.amazonaws.com"}}
    yield Need("GrantKeys", ("kms:CreateGrant",), (arn,), resource.key, {**conditions, **through})


def _serving(resource: Resource, kind: ResourceType, around: Surroundings) -> Iterator[Need]:
    """What a promotion does, which an endpoint goes by."""
    if not _is_served(resource):
        return
    arn = _arn(resource, kind, around)
    yield Need("TagWhatServes", _TAGGED, (arn,), resource.key)
    for role in dict.fromkeys(_roles(resource.plain)):
        yield passing("PassRole", "sagemaker.amazonaws.com", (role,), resource.key)
    versions = tuple(_versions(resource, around))
    if versions:
        yield Need("FindVersions", _LISTS, (STAR,), resource.key)
        yield Need("SeeVersions", _VERSIONS, versions, resource.key)
    if resource.type == "endpoint":
        base = re.sub(r"endpoint/.*", "", arn)
        made = (arn, f"{base}endpoint-config/*", f"{base}model/*")
        yield Need("TakeToServing", _PROMOTES, made, resource.key)
        yield Need("Judge", _JUDGES, (STAR,), resource.key)
        yield from _scaling(around, resource.key)


def _scaling(around: Surroundings, of: str) -> Iterator[Need]:
    """The ARN of a target says an id that only the account knows."""
    yield Need("Scale", _SCALES, (arn_of(around, "application-autoscaling", "scalable-target/*"),), of)
    yield Need("SeeScaling", _SEES_SCALING, (STAR,), of)


def _versions(resource: Resource, around: Surroundings) -> Iterator[str]:
    """Groups that it follows, and their versions; those whose versions it names."""
    follows = (ref.path for value in resource.properties.values() for _, ref in refs(value))
    groups = [path.name for path in follows if path is not None and path.root == GROUPS]
    groups += _VERSION.findall(repr(resource.plain))
    for group in dict.fromkeys(name.lower() for name in groups):
        for kind in (f"model-package-group/{group}", f"model-package/{group}/*"):
            yield f"arn:{around.partition}:sagemaker:{around.region}:{account_of(around)}:{kind}"


def _bucket(around: Surroundings) -> Iterator[Need]:
    bucket = bucket_arn(around.bucket, around)
    below = "/".join(filter(None, (bucket, around.prefix, STAR)))
    objects = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject")
    yield Need("SendCode", objects, (below,), "code and records")
    yield Need("ListBucket", ("s3:ListBucket", "s3:ListBucketMultipartUploads"), (bucket,), "code and records")
    if around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKey", ("kms:Decrypt", "kms:GenerateDataKey"), (arn,), "code and records", conditions)
