"""A rule that watches a training's metrics while it runs: what it is told, and what it says.

A rule is parameters and a fold: :meth:`TrainingRule.watch` gives a function that takes what is seen in the order of the
log, and answers a sentence as soon as something is wrong. It reads no clock and no file, so a table can try it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol, TypeAlias

from mlops.ir.dataclass import dataclass

Then: TypeAlias = Literal["fail", "keep"]
"""What becomes of a step whose training was stopped: it fails, or it goes on with the model that is there."""

VARIABLE = "MLOPS_RULE_"
"""The environment variables of a training job that hold its rules, numbered from 1."""


class Seen(NamedTuple):
    """A value of a metric, which may be nan or inf; without a metric, that time has passed. ``at`` is in seconds since
    the training began."""

    metric: str | None
    value: float
    at: float


Watch: TypeAlias = Callable[[Seen], "str | None"]


class TrainingRule(Protocol):
    """Its fields are its parameters."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those that it looks at; without any, all of the job."""

    def wrong(self) -> str | None:
        """What its parameters cannot be."""

    def watch(self) -> Watch:
        """A new fold."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule of one job. ``name`` is the rule's."""

    name: str
    rule: TrainingRule
    then: Then = "fail"


def below(name: str, value: float, least: float) -> str | None:
    return f"{name} = {value:g} has to be at least {least:g}" if not value >= least else None
