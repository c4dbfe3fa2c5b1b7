"""What a monitor's job is given beside its program: lists of captured files, of outcomes, and the baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy.monitors.windows import Window
from mlops.deploy.outcomes import ground_truth
from mlops.deploy.pages import items
from mlops.ir import Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

BASELINE = "/opt/ml/processing/input/baseline"
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "": ("ModelDataQuality.Statistics", "ModelDataQuality.Constraints"),
    "/model_quality": ("ModelQuality.Constraints",),
    "/bias": ("Bias.PostTrainingConstraints", "Bias.ConfigFile"),
    "/attributions": ("Explainability.Constraints",),
}
"""Of DriftCheckBaselines, by the folder that the job looks for them in."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Objects in one bucket, by their keys."""

    bucket: str
    prefix: str
    keys: Sequence[str]

    def manifest(self) -> str:
        """As a ManifestFile says it."""
        head = {"prefix": f"s3://{self.bucket}/{self.prefix}"}
        return json.dumps([head, *(key.removeprefix(self.prefix) for key in self.keys)])


def captured(account: Account, endpoint: str, destination: str, shadows: Sequence[str], window: Window) -> Listed:
    """Of all variants but shadows, whose answers nobody got: also of those that served in that time and are gone."""
    bucket, _, below = destination.removeprefix("s3://").partition("/")
    prefix = "/".join(filter(None, (below.strip("/"), endpoint))) + "/"
    s3 = account.client("s3")
    keys: list[str] = []
    for variant in _folders(s3, bucket, prefix):
        if variant not in shadows:
            for hour in window.hours():
                keys += _keys(s3, bucket, f"{prefix}{variant}/{hour:%Y/%m/%d/%H}/")
    return Listed(bucket, prefix, keys)


def _folders(s3: Any, bucket: str, prefix: str) -> list[str]:
    def asked() -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        found = (item["Prefix"] for page in pages for item in page.get("CommonPrefixes") or ())
        return [folder.removeprefix(prefix).strip("/") for folder in found]

    return unless_missing(asked) or []


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    found = unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)))
    yield from (str(item["Key"]) for item in found or () if str(item["Key"]).endswith(".jsonl"))


def outcomes(account: Account, environment: Environment, endpoint: str, name: str, window: Window) -> Listed:
    """What became known from the window on, however late."""
    first = ground_truth.folder(environment, endpoint, name, window.since)
    prefix = f"{first[: -len('yyyy/mm/dd/hh')]}"
    s3 = account.client("s3")
    # Keys are in the order of time: the hour before the first one is where to begin.
    after = f"{prefix}{window.since.astimezone(UTC) - timedelta(hours=1):%Y/%m/%d/%H}/~"
    asked = {"Bucket": environment.bucket, "Prefix": prefix, "StartAfter": after}
    found = unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", **asked)))
    keys = [str(item["Key"]) for item in found or () if str(item["Key"]).endswith(".jsonl")]
    return Listed(environment.bucket, prefix, keys)


@dataclass(frozen=True, slots=True)
class Baseline:
    """``inputs`` of the job. ``made`` is where what the job makes of data is kept for the next one, None where the
    inputs are such files already."""

    inputs: Sequence[Mapping[str, Any]]
    told: str
    made: str | None = None


def baseline(account: Account, uri: str | None, endpoint: str, kept: str, model: str | None = None) -> Baseline:
    """``kept`` is the S3 folder of baselines that were made of data, and of what ``model`` answers to them. Raises
    Refusal where there is none."""
    if uri is None:
        return _of_version(account, endpoint)
    bucket, key = split_uri(uri)
    s3 = account.client("s3")
    found = unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=key)))
    if not found:
        raise Refusal(f"there is no baseline at {uri}: nothing lies there", hint="`mlops upsert` another `baseline=`")
    names = {str(item["Key"]).rpartition("/")[2] for item in found}
    if names & {"statistics.json", "constraints.json"}:
        return Baseline((_input("baseline", uri, ""),), uri)
    of = [*([item["Key"], item["ETag"]] for item in found), *([model] if model is not None else [])]
    digest = hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]
    made = f"{kept}/{digest}"
    bucket, key = split_uri(made)
    if unless_missing(lambda: s3.head_object(Bucket=bucket, Key=f"{key}/statistics.json")) is not None:
        return Baseline((_input("baseline", f"{made}/", ""),), f"{uri}, as it was read before")
    return Baseline((_input("baseline", uri, ""),), uri, made)


def _input(name: str, uri: str, folder: str) -> Mapping[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{BASELINE}{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _of_version(account: Account, endpoint: str) -> Baseline:
    """The DriftCheckBaselines of the version that serves."""
    sagemaker = account.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    told = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    for variant in told.get("ProductionVariants") or ():
        if not variant.get("ModelName"):  # it is there for inference components
            continue
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        containers = [model.get("PrimaryContainer") or {}, *(model.get("Containers") or ())]
        package = next((item["ModelPackageName"] for item in containers if item.get("ModelPackageName")), None)
        if package is None:
            continue
        version = sagemaker.describe_model_package(ModelPackageName=package)
        found = [*_inputs_of(version.get("DriftCheckBaselines") or {})]
        if found:
            return Baseline(found, f"DriftCheckBaselines of {package}")
    raise Refusal(
        f"no version that {endpoint} serves was registered with DriftCheckBaselines",
        hint="give the monitor a baseline=: an S3 folder with the training data, or with the files of a check",
    )


def _inputs_of(baselines: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    number = 0
    for folder, members in _MEMBERS.items():
        for member in members:
            part, _, name = member.partition(".")
            uri = ((baselines.get(part) or {}).get(name) or {}).get("S3Uri")
            if uri:
                number += 1
                yield _input(f"baseline-{number}", str(uri), f"{folder}/{name.lower()}")


def moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
