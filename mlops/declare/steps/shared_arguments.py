"""Arguments' types and request parts that several step types have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops.declare.misuse import misuse
from mlops.declare.records import record, strict_table
from mlops.declare.references import (
    BooleanReference,
    DataReference,
    IntegerReference,
    ModelReference,
    NumberReference,
    Reference,
    StringReference,
    lower,
    lower_word,
)
from mlops.declare.secrets import Secret
from mlops.declare.steps.base import Shared
from mlops.ir import Value
from mlops.ir.fields import FLAG, TAGS, TEXT, TEXTS, Field, Given, Made, Missing, Of, Record, Spoken, made
from mlops.project.images import ImageRequest

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Network"]

Text: TypeAlias = str | StringReference
Count: TypeAlias = int | IntegerReference
Number: TypeAlias = int | float | NumberReference
Flag: TypeAlias = bool | BooleanReference
Data: TypeAlias = DataReference | StringReference | str | Path
"""Where data lie: an S3 URI, a reference to one, or a local file or folder (a string without ``://``, or a Path)."""
Trained: TypeAlias = ModelReference | StringReference | str | Path
"""A ``model.tar.gz``."""
Image: TypeAlias = ImageRequest | str | StringReference
Word: TypeAlias = str | int | float | Reference
"""Of a command line: a text, or what becomes one, be it when the pipeline runs. A number is written as text."""
Environment: TypeAlias = Mapping[str, Word | Secret]

_NAME = re.compile(r"[A-Za-z0-9._\-]{1,64}")

VOLUME_GB = 30
"""What the official SDK asks for where the author says nothing."""


@record
class Network:
    """Where a job's machines stand. What is left out is the environment's. ``isolated``: no connections at all;
    ``encrypted``: traffic between the machines of one job is."""

    subnets: Sequence[Text] | None = None
    security_groups: Sequence[Text] | None = None
    isolated: Flag | None = None
    encrypted: Flag | None = None

    def vpc(self, lowering: Lowering) -> Value:
        """As a VpcConfig, or None."""
        environment = lowering.environment
        subnets = environment.subnets if self.subnets is None else self.subnets
        groups = environment.security_groups if self.security_groups is None else self.security_groups
        return {"SecurityGroupIds": lower(tuple(groups)), "Subnets": lower(tuple(subnets))} if subnets else None

    def isolation(self, lowering: Lowering) -> Value:
        return lowering.environment.network_isolation if self.isolated is None else lower(self.isolated)

    def encryption(self, lowering: Lowering) -> Value:
        return lowering.environment.traffic_encryption if self.encrypted is None else lower(self.encrypted)


VPC, ISOLATION, ENCRYPTION = "VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"
_NETWORK = (
    Field("subnets", f"{VPC}.Subnets", TEXTS),
    Field("security_groups", f"{VPC}.SecurityGroupIds", TEXTS),
    Field("isolated", ISOLATION, FLAG),
    Field("encrypted", ENCRYPTION, FLAG),
)


def network(path: str = "", *order: str) -> Field:
    """The argument ``network``, whose members lie in the object at ``path`` in this order."""
    parts = order or (VPC, ISOLATION, ENCRYPTION)
    fields = [field for field in _NETWORK if field.path.partition(".")[0] in parts]

    def to(step: Any, lowering: Lowering, _: object) -> Value:
        own = step.network or Network()
        written = {VPC: own.vpc(lowering), ISOLATION: own.isolation(lowering), ENCRYPTION: own.encryption(lowering)}
        return {part: written[part] for part in parts if written[part] is not None} or None

    def said(given: Given) -> Spoken | None:
        whole = given.at(path) if path else given.step.arguments
        if not isinstance(whole, Mapping):
            return None
        inner = given.inside(whole)
        values = {field: inner.at(field.path) for field in fields}
        known = {field: value for field, value in values.items() if field.kind is FLAG or isinstance(value, tuple)}
        told = {field.name: Of(field.kind, value) for field, value in known.items() if not isinstance(value, Missing)}
        return Made("Network", (), told) if told else None

    words = ("subnets", "security_group_ids", "enable_network_isolation")
    return Field("network", path, made(Record(Network, fields, positional=0)), to=to, said=said, sdk=words)


ROLE = Field("role", "RoleArn", TEXT, otherwise="role")
ENABLED = Field(
    "enabled", "State", FLAG, True, to=lambda declared, *_: "ENABLED" if lower(declared.enabled) else "DISABLED"
)
"""Of what EventBridge starts something by."""
OWN_TAGS = Field("tags", "Tags", TAGS)


@strict_table
class Tagged(Shared, total=False):
    """Arguments of every step that creates something with tags; they are added to the environment's."""

    tags: Mapping[str, Text] | None


@strict_table
class Job(Tagged, total=False):
    """Arguments of every step that starts machines of its own, besides the shared ones. Each is the environment's where
    it is left out. ``kms_key`` encrypts what the step writes to S3, ``volume_kms_key`` its disks."""

    role: Text | None
    network: Network | None
    kms_key: Text | None
    volume_kms_key: Text | None


def usable_names(step: str, what: str, names: Sequence[str]) -> None:
    """Names of inputs, outputs and channels become parts of paths and of references."""
    for name in dict.fromkeys(names):
        if not _NAME.fullmatch(name) or name in (".", ".."):
            misuse("D063", f"{step}: {name!r} is no name for an {what}".replace("an channel", "a channel"), step=step)
        elif names.count(name) > 1:
            misuse("D063", f"{step}: the {what} {name} is declared twice", step=step)


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
    return served | {key: lower_word(value) for key, value in environment.items()}


def environment(values: Environment, *, resolved: bool = False) -> Value:
    """Environment variables as a request has them, or None. ``resolved``: ``mlops_secrets.py`` starts the script."""
    return {
        key: value.reference.text if resolved and isinstance(value, Secret) else lower_word(value)
        for key, value in values.items()
    } or None


def has_secrets(values: Environment) -> bool:
    return any(isinstance(value, Secret) for value in values.values())
