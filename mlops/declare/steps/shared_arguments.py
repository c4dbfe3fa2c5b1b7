"""Arguments' types and request parts that several step types have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.references import DataReference, IntegerReference, Reference, ReportReference, StringReference, lower
from mlops.ir import Join, Ref, Value
from mlops.ir.values import expressions, to_json
from mlops.project.images import ImageRequest

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

Text: TypeAlias = str | StringReference
Count: TypeAlias = int | IntegerReference
Image: TypeAlias = ImageRequest | str | StringReference
Environment: TypeAlias = Mapping[str, str | Reference]

_NAME = re.compile(r"[A-Za-z0-9._\-]{1,64}")

VOLUME_GB = 30
"""What the official SDK asks for where the author says nothing."""


def execution_folder(lowering: Lowering, *parts: str) -> Value:
    """An S3 URI of this execution alone, where the official SDK puts it too."""
    environment = lowering.environment
    prefix = (environment.prefix,) if environment.prefix else ()
    execution = Ref("Execution.PipelineExecutionId")
    return Join("/", ("s3:/", environment.bucket, *prefix, lowering.pipeline, execution, *parts))


def tags(lowering: Lowering) -> Value:
    """The environment's tags as a request's Tags, or None."""
    listed = lowering.environment.tags
    return tuple({"Key": key, "Value": value} for key, value in sorted(listed.items())) or None


def vpc(lowering: Lowering) -> Value:
    """The environment's network as a VpcConfig, or None."""
    environment = lowering.environment
    if not environment.subnets:
        return None
    return {"SecurityGroupIds": tuple(environment.security_groups), "Subnets": tuple(environment.subnets)}


def usable_names(step: str, what: str, names: Sequence[str]) -> None:
    """Names of inputs, outputs and channels become parts of paths and of references."""
    for name in dict.fromkeys(names):
        if not _NAME.fullmatch(name) or name in (".", ".."):
            misuse("D063", f"{step}: {name!r} is no name for an {what}".replace("an channel", "a channel"), step=step)
        elif names.count(name) > 1:
            misuse("D063", f"{step}: the {what} {name} is declared twice", step=step)


def strings(values: Mapping[str, Any]) -> dict[str, Value]:
    """Values for a map of strings: references stay, a string is sent as it is, anything else as JSON.

    The training toolkit reads each value as JSON and keeps it where that fails, so no string needs quotes."""
    sent: dict[str, Value] = {}
    for key, value in values.items():
        lowered = lower(value)
        plain = isinstance(value, Reference | str) or any(True for _ in expressions(lowered))
        sent[key] = lowered if plain else json.dumps(to_json(lowered), sort_keys=True, separators=(",", ":"))
    return sent


def inference_environment(lowering: Lowering, code: str | None, environment: Environment) -> dict[str, Value]:
    """What the framework containers want to find the handler ``code/<code>`` in ``model.tar.gz``."""
    served: dict[str, Value] = {}
    if code is not None:
        served = {
            "SAGEMAKER_PROGRAM": code,
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            "SAGEMAKER_REGION": lowering.environment.region,
        }
    return served | {key: lower(value) for key, value in environment.items()}


def quality_metrics(metrics: DataReference | StringReference | ReportReference | str) -> Value:
    """ModelMetrics with a report as the statistics of the model's quality."""
    return {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": lower(metrics)}}}
