"""A promotion: what is wanted of an endpoint, what was seen of it, and the actions that follow, decided without an
account.

Model and endpoint configuration are named by what is in them, so that a promotion that was cut off is finished, and one
that has nothing to do does nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from mlops.deploy.models.registry import Version
from mlops.project.environments import Environment

VARIANT = "AllTraffic"
NAME_LENGTH = 63
IN_SERVICE, FAILED = "InService", "Failed"
SETTLED = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})
"""Of all others something is under way, of ours or of somebody else, and comes to one of these or to an end."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a version goes: an endpoint name, its instances, and how long to wait for it in seconds."""

    endpoint: str
    instance: str | None = None
    count: int = 1
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """``model`` and ``config`` are names; the requests are what they are made of. ``content_type`` and ``accept`` are
    of the smoke test."""

    endpoint: str
    model: str
    model_request: Mapping[str, Any]
    config: str
    config_request: Mapping[str, Any]
    content_type: str
    accept: str


@dataclass(frozen=True, slots=True)
class State:
    """An endpoint: ``config`` serves, or is being made; ``pending`` is to follow it."""

    status: str
    config: str
    pending: str | None = None
    failure: str | None = None

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED


@dataclass(frozen=True, slots=True)
class Seen:
    """``endpoint`` is None where there is none. ``before`` is the configuration that served before the wanted one,
    where that was seen: while the one followed the other. ``samples`` are requests for the smoke test, by name."""

    has_model: bool
    has_config: bool
    endpoint: State | None
    samples: Mapping[str, bytes] = field(default_factory=dict)
    before: str | None = None


@dataclass(frozen=True, slots=True)
class CreateModel:
    name: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreateEndpointConfig:
    name: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    """One that failed can only be deleted. It ends when it is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    name: str
    config: str


@dataclass(frozen=True, slots=True)
class UpdateEndpoint:
    name: str
    config: str
    before: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Wait until what is under way has ended, however that is; then it is looked at anew."""

    name: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Until the endpoint serves ``config``."""

    name: str
    config: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """To what served before."""

    name: str
    config: str


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """``otherwise`` is what is done where it fails; ``unchanged``: this promotion found the endpoint as it is."""

    name: str
    samples: Mapping[str, bytes]
    content_type: str
    accept: str
    otherwise: TakeBack | None
    unchanged: bool


Action: TypeAlias = (
    CreateModel
    | CreateEndpointConfig
    | DeleteEndpoint
    | CreateEndpoint
    | UpdateEndpoint
    | Settle
    | Wait
    | TakeBack
    | SmokeTest
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """``verb`` is None where it is not known yet: after the last action, which is :class:`Settle`, decide again."""

    verb: Literal["created", "updated", "unchanged"] | None
    actions: tuple[Action, ...]

    @property
    def writes(self) -> bool:
        """Whether it may change anything: also where that shows only when what is under way has ended."""
        made = (CreateModel, CreateEndpointConfig)
        return self.verb != "unchanged" or any(isinstance(action, made) for action in self.actions)


def want(environment: Environment, version: Version, target: Target) -> Wanted:
    specification = version.details.get("InferenceSpecification") or {}
    model_request = {
        "ExecutionRoleArn": environment.role,
        "PrimaryContainer": {"ModelPackageName": version.arn},
        **_network(environment),
    }
    model = _name(version, model_request)
    offered = specification.get("SupportedRealtimeInferenceInstanceTypes") or ["ml.m5.large"]
    config_request: dict[str, Any] = {
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
        config_request["KmsKeyId"] = environment.kms_key
    content_type = (specification.get("SupportedContentTypes") or ["text/csv"])[0]
    accept = (specification.get("SupportedResponseMIMETypes") or [content_type])[0]
    return Wanted(
        target.endpoint, model, model_request, _name(version, config_request), config_request, content_type, accept
    )


def decide(seen: Seen, wanted: Wanted) -> Promotion:
    there = seen.endpoint
    makes = tuple(_makes(seen, wanted))
    if there is not None and not there.is_settled:
        return Promotion(None, (*makes, Settle(wanted.endpoint)))
    if there is None or there.status == FAILED:
        gone = (DeleteEndpoint(wanted.endpoint),) if there is not None else ()
        create = CreateEndpoint(wanted.endpoint, wanted.config)
        return Promotion("created", (*makes, *gone, create, *_proof(seen, wanted, None)))
    if there.config == wanted.config:
        back = TakeBack(wanted.endpoint, seen.before) if seen.before is not None else None
        return Promotion("unchanged", (*makes, *_proof(seen, wanted, back, unchanged=True)))
    update = UpdateEndpoint(wanted.endpoint, wanted.config, there.config)
    back = TakeBack(wanted.endpoint, there.config)
    return Promotion("updated", (*makes, update, *_proof(seen, wanted, back)))


def settled(seen: Seen, wanted: Wanted, now: State | None) -> Seen:
    """What is known when the last of a promotion's actions was :class:`Settle`, and ``now`` is what it came to."""
    earlier = seen.endpoint.config if seen.endpoint is not None else None
    before = earlier if earlier != wanted.config and seen.endpoint and seen.endpoint.status != "Creating" else None
    return Seen(True, True, now, seen.samples, before or seen.before)


def _makes(seen: Seen, wanted: Wanted) -> Iterator[CreateModel | CreateEndpointConfig]:
    if not seen.has_model:
        yield CreateModel(wanted.model, wanted.model_request)
    if not seen.has_config:
        yield CreateEndpointConfig(wanted.config, wanted.config_request)


def _proof(seen: Seen, wanted: Wanted, otherwise: TakeBack | None, *, unchanged: bool = False) -> Iterator[Action]:
    yield Wait(wanted.endpoint, wanted.config)
    yield SmokeTest(wanted.endpoint, seen.samples, wanted.content_type, wanted.accept, otherwise, unchanged)


def _network(environment: Environment) -> dict[str, Any]:
    if not environment.subnets:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": environment.security_groups, "Subnets": environment.subnets}}


def _name(version: Version, request: Mapping[str, Any]) -> str:
    """``<group>-<version>-<hash of the request>``, at most 63 characters, the group cut where it is too long."""
    digest = hashlib.sha256(json.dumps([version.arn, request], sort_keys=True).encode()).hexdigest()[:10]
    tail = f"-{version.number}-{digest}"
    return version.group[: NAME_LENGTH - len(tail)].rstrip("-") + tail
