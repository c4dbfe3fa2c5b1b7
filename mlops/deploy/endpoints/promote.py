"""Take an approved version of a model to an endpoint of an environment, all traffic at once.

Model and endpoint configuration are named by what is in them, so that a promotion that was cut off is finished, and one
that has nothing to do does nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import is_missing
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.pipelines.assets import split_uri
from mlops.ir import Refusal, UsageError
from mlops.project.environments import Environment

VARIANT = "AllTraffic"
SETTLED = frozenset({"InService", "Failed", "OutOfService", "UpdateRollbackFailed"})
NAME_LENGTH = 63

_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said to one sample request."""

    sample: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Promoted:
    """``action`` is unchanged where the endpoint served this version before; ``answers`` are the smoke test's."""

    endpoint: str
    version: Version
    action: Literal["created", "updated", "unchanged"]
    config: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a version goes: an endpoint name, its instances, and how long to wait for it in seconds."""

    endpoint: str
    instance: str | None = None
    count: int = 1
    timeout: float = 1800.0


def promote(
    account: Account,
    environment: Environment,
    version: Version,
    target: Target,
    *,
    registry: Account | None = None,
    samples: Mapping[str, bytes] | None = None,
    say: Say = lambda text: None,
) -> Promoted:
    """``registry`` is the account that holds the version and its sample, where that is another one.

    Raises Refusal where the version is not approved, the endpoint does not come up or the smoke test fails; a failed
    update is taken back to the configuration that served before.
    """
    if version.approval != APPROVED:
        raise Refusal(
            f"version {version.number} of {version.group} is {version.approval}, only an Approved one is promoted",
            hint=f"`mlops models approve {version.group} {version.number}` if it is good",
        )
    if not _ENDPOINT.fullmatch(target.endpoint):
        raise UsageError(
            f"{target.endpoint!r} is no name for an endpoint", hint="use up to 63 letters, digits and dashes"
        )
    sagemaker = account.client("sagemaker")
    with answers():
        confirm_account(account, environment)
        asked = _samples(registry or account, version) if samples is None else samples
        model = _ensure_model(sagemaker, environment, version, say)
        config = _ensure_config(sagemaker, environment, model, version, target, say)
        before = _endpoint(sagemaker, target.endpoint)
        action = _point(sagemaker, target.endpoint, config, before, say)
        state = _wait(sagemaker, target, say)
        if state["EndpointStatus"] != "InService" or state["EndpointConfigName"] != config:
            reason = state.get("FailureReason") or f"it serves {state['EndpointConfigName']}"
            raise Refusal(f"the endpoint {target.endpoint} is {state['EndpointStatus']}: {reason}")
    try:
        told = _smoke_test(account, version, target.endpoint, asked, say)
    except Refusal:
        if action == "updated" and before is not None:
            say(f"taking {target.endpoint} back to {before['EndpointConfigName']}")
            with answers():
                sagemaker.update_endpoint(EndpointName=target.endpoint, EndpointConfigName=before["EndpointConfigName"])
                _wait(sagemaker, target, say)
        raise
    return Promoted(target.endpoint, version, action, config, told)


def _ensure_model(sagemaker: Any, environment: Environment, version: Version, say: Say) -> str:
    request = {
        "ExecutionRoleArn": environment.role,
        "PrimaryContainer": {"ModelPackageName": version.arn},
        **_network(environment),
    }
    name = _name(version, request)
    try:
        sagemaker.describe_model(ModelName=name)
    except Exception as error:
        if not is_missing(error):
            raise
        sagemaker.create_model(ModelName=name, **request)
        say(f"model {name}")
    return name


def _ensure_config(
    sagemaker: Any, environment: Environment, model: str, version: Version, target: Target, say: Say
) -> str:
    specification = version.details.get("InferenceSpecification") or {}
    offered = specification.get("SupportedRealtimeInferenceInstanceTypes") or ["ml.m5.large"]
    request: dict[str, Any] = {
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model,
                "InitialInstanceCount": target.count,
                "InstanceType": target.instance or offered[0],
                "InitialVariantWeight": 1.0,
            }
        ]
    }
    if environment.kms_key:
        request["KmsKeyId"] = environment.kms_key
    name = _name(version, request)
    try:
        sagemaker.describe_endpoint_config(EndpointConfigName=name)
    except Exception as error:
        if not is_missing(error):
            raise
        sagemaker.create_endpoint_config(EndpointConfigName=name, **request)
        say(f"endpoint configuration {name}")
    return name


def _endpoint(sagemaker: Any, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except Exception as error:
        if is_missing(error):
            return None
        raise
    return found


def _point(
    sagemaker: Any, name: str, config: str, before: Mapping[str, Any] | None, say: Say
) -> Literal["created", "updated", "unchanged"]:
    """Create the endpoint or send it to ``config``. One that failed can only be deleted, so it is made anew."""
    if before is not None and before["EndpointStatus"] == "Failed":
        say(f"endpoint {name} had failed, making it anew")
        sagemaker.delete_endpoint(EndpointName=name)
        while _endpoint(sagemaker, name) is not None:
            time.sleep(0.2)
        before = None
    if before is None:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        say(f"endpoint {name}")
        return "created"
    if before["EndpointConfigName"] == config:
        return "unchanged"
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    say(f"endpoint {name} goes from {before['EndpointConfigName']} to {config}")
    return "updated"


def _wait(sagemaker: Any, target: Target, say: Say) -> Mapping[str, Any]:
    deadline = time.monotonic() + target.timeout
    pause, last = 0.1, ""
    while True:
        state = _endpoint(sagemaker, target.endpoint)
        if state is None:
            raise Refusal(f"the endpoint {target.endpoint} was deleted while it was waited for")
        status = str(state["EndpointStatus"])
        if status != last:
            say(f"{target.endpoint}: {status}")
            last = status
        if status in SETTLED:
            return state
        if time.monotonic() > deadline:
            raise Refusal(
                f"the endpoint {target.endpoint} is still {status} after {target.timeout:g} seconds",
                hint="run the same command again to go on waiting",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 10.0)


def _samples(account: Account, version: Version) -> Mapping[str, bytes]:
    """The requests in the version's sample payload, by file name."""
    uri = version.details.get("SamplePayloadUrl")
    if not uri:
        return {}
    bucket, key = split_uri(str(uri))
    content = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    samples = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                samples[member.name] = file.read()
    return samples


def _smoke_test(
    account: Account, version: Version, endpoint: str, samples: Mapping[str, bytes], say: Say
) -> tuple[Answer, ...]:
    if not samples:
        say("no sample came with this version, so nothing was asked of the endpoint beyond its health")
    specification = version.details.get("InferenceSpecification") or {}
    content_type = (specification.get("SupportedContentTypes") or ["text/csv"])[0]
    accept = (specification.get("SupportedResponseMIMETypes") or [content_type])[0]
    told = []
    for name, body in samples.items():
        try:
            with answers():
                reply = account.client("sagemaker-runtime").invoke_endpoint(
                    EndpointName=endpoint, Body=body, ContentType=content_type, Accept=accept
                )
                answer = reply["Body"].read()
        except Exception as error:
            raise Refusal(f"the smoke test with {name} failed: {error}") from error
        if not answer.strip():
            raise Refusal(f"the smoke test with {name} got an empty answer")
        told.append(Answer(name, str(reply.get("ContentType", accept)), answer))
        say(f"smoke test {name}: ok")
    return tuple(told)


def _network(environment: Environment) -> dict[str, Any]:
    if not environment.subnets:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": environment.security_groups, "Subnets": environment.subnets}}


def _name(version: Version, request: Mapping[str, Any]) -> str:
    """``<group>-<version>-<hash of the request>``, at most 63 characters, the group cut where it is too long."""
    digest = hashlib.sha256(json.dumps([version.arn, request], sort_keys=True).encode()).hexdigest()[:10]
    tail = f"-{version.number}-{digest}"
    return version.group[: NAME_LENGTH - len(tail)].rstrip("-") + tail
