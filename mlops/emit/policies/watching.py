"""What the role of a monitor needs: to be started by the clock, to read what its endpoint captured and what that is
held against, and to tell what came of it. The calls are those of :mod:`mlops.monitor.by_itself`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.emit.policies.arns import arn_of, bucket_arn, key_arn, objects_arn
from mlops.emit.policies.places import STAR, pattern
from mlops.emit.policies.statements import Need, passing
from mlops.ir import Definition, Step
from mlops.ir.members import get
from mlops.ir.s3_uri import split_uri
from mlops.ir.surroundings import Surroundings
from mlops.ir.values import Ref, Value, to_json

MONITOR = "Monitor"
_NAMESPACES = ("/aws/sagemaker/*", "aws/sagemaker/Endpoints/*")
"""Model Monitor documents the one of explanations without the first stroke."""


def is_watched_as(step: Step, role: str) -> bool:
    """Whether it is a monitor that takes ``role`` on."""
    return step.type == MONITOR and get(step.arguments, "role") == role


def is_anothers(step: Step, role: str) -> bool:
    """Whether it is a monitor that takes another role on: what it does is none of this one's."""
    return step.type == MONITOR and not is_watched_as(step, role)


def is_scheduled(step: Step) -> bool:
    return get(step.arguments, "schedule") is not None


def watching_needs(definition: Definition, step: Step, around: Surroundings) -> Iterator[Need]:
    """Beside what every job needs."""
    told = to_json(step.arguments)
    if not isinstance(told, Mapping) or not is_watched_as(step, around.role):
        return
    name = str(told.get("monitor"))
    if is_scheduled(step):
        jobs = (arn_of(around, "sagemaker", f"processing-job/{name}-*".lower()),)
        yield Need("StartMonitors", ("sagemaker:CreateProcessingJob",), jobs, step.name)
        yield passing("PassRoles", "sagemaker.amazonaws.com", (around.role,), step.name)
    yield from _places(definition, step, told, name, around)
    yield from _serving(definition, step, told, name, around)
    spaces = {"StringLike": {"cloudwatch:namespace": _NAMESPACES}}
    yield Need("PutMetricsOfMonitors", ("cloudwatch:PutMetricData",), (STAR,), step.name, spaces)
    yield Need("TellOfMonitors", ("events:PutEvents",), (arn_of(around, "events", "event-bus/default"),), step.name)


def unknown_capture(definition: Definition, step: Step) -> str | None:
    """What a policy cannot say of a monitor, as a clause."""
    if step.type != MONITOR or _captures(definition, step):
        return None
    return f"{step.name} reads what an endpoint captures that is declared elsewhere: allow its role to read there"


def _places(
    definition: Definition, step: Step, told: Mapping[str, Any], name: str, around: Surroundings
) -> Iterator[Need]:
    own = str(told["code"]).partition("/assets/")[0].rstrip("/")
    results = str(told.get("results") or f"{own}/monitors/{name}").rstrip("/")
    read = [f"{own}/assets/", f"{results}/", *_captures(definition, step)]
    if told.get("baseline"):
        read.append(str(told["baseline"]))
    if told.get("model_quality") is not None or told.get("bias") is not None:
        read.append(f"{own}/outcomes/{_endpoint(definition, step) or STAR}/")
    yield Need("ReadObjects", ("s3:GetObject",), tuple(objects_arn(uri, around) for uri in read), step.name)
    buckets = tuple(bucket_arn(split_uri(uri)[0], around) for uri in read)
    yield Need("ListBuckets", ("s3:ListBucket",), buckets, step.name)
    written = ("s3:AbortMultipartUpload", "s3:PutObject")
    yield Need("WriteObjects", written, (objects_arn(f"{results}/", around),), step.name)
    if around.kms_key is not None:
        arn, conditions = key_arn(around.kms_key, around)
        yield Need("UseKeys", ("kms:Decrypt", "kms:GenerateDataKey"), (arn,), step.name, conditions)


def _serving(
    definition: Definition, step: Step, told: Mapping[str, Any], name: str, around: Surroundings
) -> Iterator[Need]:
    """The endpoint that is watched, its models and versions, and the one that is made to be asked."""
    endpoint = (_endpoint(definition, step) or STAR).lower()
    asks = told.get("attributions") is not None
    found = {"Endpoint": f"endpoint/{endpoint}", "EndpointConfig": "endpoint-config/*"}
    if asks or not told.get("baseline"):
        found["Model"] = "model/*"
    if not told.get("baseline"):
        found["ModelPackage"] = "model-package/*"
    for noun, place in found.items():
        yield Need(f"See{noun}s", (f"sagemaker:Describe{noun}",), (arn_of(around, "sagemaker", place),), step.name)
    if asks:
        asked = f"{name}-asked".lower()
        config = arn_of(around, "sagemaker", f"endpoint-config/{asked}")
        at = arn_of(around, "sagemaker", f"endpoint/{asked}")
        of_config = ("sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig")
        yield Need("ConfigureWhatIsAsked", of_config, (config,), step.name)
        yield Need("MakeWhatIsAsked", ("sagemaker:CreateEndpoint",), (at, config), step.name)
        of_endpoint = ("sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint")
        yield Need("AskModels", of_endpoint, (at,), step.name)


def _endpoint(definition: Definition, step: Step) -> str | None:
    """What it is called, None where only the account knows."""
    given = get(step.arguments, "endpoint")
    declared = _declared(definition, given)
    if declared is None:
        return pattern(definition, given)
    return pattern(definition, get(declared.arguments, "EndpointName"))


def _captures(definition: Definition, step: Step) -> list[str]:
    """Where the endpoint captures, as far as the same file declares it."""
    endpoint = _declared(definition, get(step.arguments, "endpoint")) or next(
        (
            other
            for other in definition.steps
            if other.type == "Endpoint" and get(other.arguments, "EndpointName") == get(step.arguments, "endpoint")
        ),
        None,
    )
    config = None if endpoint is None else _declared(definition, get(endpoint.arguments, "EndpointConfigName"))
    uri = None if config is None else get(config.arguments, "DataCaptureConfig", "DestinationS3Uri")
    return [f"{re.sub('/+$', '', uri)}/"] if isinstance(uri, str) else []


def _declared(definition: Definition, value: Value) -> Step | None:
    """What a reference leads to."""
    path = value.path if isinstance(value, Ref) else None
    return definition.step(path.name) if path is not None and path.root == "Steps" else None
