"""What lies around a definition in one environment: the account's facts, the network, keys, tags, and what starts it.

``mlops.toml`` is read into an ``Environment`` (:mod:`mlops.project.environments`), which knows how it was written and
how an account is reached. This is the part that is true of the account whoever asks, as plain values: what emits
templates and policies, runs here, checks or deploys reads the same record. Nothing in it is a secret or a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.feedback_machine import FeedbackMachine


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a pipeline by itself: by the clock where it has an ``expression``, by events like ``event`` else.
    ``role`` is what EventBridge takes on for it."""

    name: str
    pipeline: str
    role: str
    expression: str | None = None
    timezone: str | None = None
    event: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``account`` is None where nobody says which; ``role`` is the pipelines', ``bucket`` and ``prefix`` are where
    their code and results lie. ``subnets`` and ``security_groups`` are of jobs that name none. ``parameters`` are
    pipeline parameters' defaults here, ``parallelism`` is for pipelines that give none. ``machines`` are what
    feedback is here."""

    environment: str
    region: str
    role: str
    bucket: str
    account: str | None = None
    prefix: str = ""
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    network_isolation: bool | None = None
    traffic_encryption: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    parallelism: int | None = None
    schedules: tuple[Start, ...] = ()
    triggers: tuple[Start, ...] = ()
    machines: tuple[FeedbackMachine, ...] = ()

    def starts(self, pipeline: str) -> tuple[Start, ...]:
        """Those of one pipeline: schedules, then triggers, each by name."""
        return tuple(start for start in (*self.schedules, *self.triggers) if start.pipeline == pipeline)

    def feedback(self, pipeline: str) -> tuple[FeedbackMachine, ...]:
        """The machines that train one pipeline anew."""
        return tuple(machine for machine in self.machines if machine.pipeline == pipeline)

    @property
    def partition(self) -> str:
        """
        >>> Surroundings("prod", "cn-north-1", "arn:aws-cn:iam::111122223333:role/pipelines", "b").partition
        'aws-cn'
        """
        return partition_of(self.role)


def partition_of(role: str) -> str:
    """Of AWS, by the ARN of a role; ``aws`` where it is named otherwise."""
    return role.split(":")[1] if role.startswith("arn:") else "aws"
