"""What is declared of a promotion, as plain values: who emits a state machine reads this and no ``mlops.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Query
from mlops.ir.shift import Course


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure with its limits. ``expression`` is metric math over the ``queries``: a value for each period that has
    one. Times in seconds; the rest is as a rule has it."""

    name: str
    queries: Mapping[str, Query]
    expression: str
    limit: str
    at_most: float | None
    at_least: float | None
    fails_above: float | None
    fails_below: float | None
    interval: int
    delay: float
    count: int
    failures: int
    missing: Literal["unsure", "pass", "fail"]


@dataclass(frozen=True, slots=True)
class Promoted:
    """``model`` are members of CreateModel beside name and container, ``members`` those of a configuration that the
    environment wants. ``deployment`` is of guardrails. ``variants`` take turns. A stage is looked at each ``interval``
    seconds, and lasts ``patience`` longer where it has no verdict; metrics come ``lag`` late."""

    VARIANT: ClassVar[str] = "{variant}"
    """Stands in dimensions for the name of what comes, which a run knows."""

    environment: str
    group: str
    endpoint: str
    strategy: str
    engine: Literal["update", "guardrails", "weights"]
    why: str
    course: Course
    model: Mapping[str, Any]
    members: Mapping[str, Any]
    deployment: Mapping[str, Any] | None
    variants: tuple[str, ...]
    alarms: tuple[str, ...]
    rules: tuple[Measured, ...]
    interval: int
    patience: float
    lag: float
    notes: tuple[str, ...] = ()
