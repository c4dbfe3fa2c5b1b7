"""What was seen of a shift, and what was said of it at each look: all that a decision follows from, kept in the
environment's bucket, so that it can be explained, worked out again elsewhere, and tried by other rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from pydantic import TypeAdapter

from mlops.deploy.shifting.mirroring import ShadowSamples
from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged
from mlops.ir.shift import Stage

FORMAT = 1
_LATEST = 253402300799.0
"""The last second of the year 9999."""
_LONGEST = 400 * 86400.0
"""That a shift may last: nothing serves beside another thing for longer."""


@dataclass(frozen=True, slots=True)
class Looked:
    """At ``now``, in a stage (from 1) that began at ``since``, in seconds since 1970. Not ``answered``: the account
    could not be asked, and that is what was said."""

    stage: int
    since: float
    now: float
    standing: Literal["green", "red", "unsure"]
    why: str
    answered: bool = True


@dataclass(slots=True)
class Samples:
    """``new`` and ``old`` are variants of the endpoint; ``judge`` and the ``watched`` alarms are as they were declared.
    ``answers`` are by rule, variant and the second at which a period begins; ``alarms`` by the second of the look, None
    where there is no such alarm."""

    endpoint: str
    group: str
    version: int
    new: str
    old: tuple[str, ...]
    stages: tuple[Stage, ...]
    lag: float
    judge: Mapping[str, Any]
    watched: tuple[str, ...]
    answers: dict[str, dict[str, dict[int, dict[str, float | None]]]] = field(default_factory=dict)
    alarms: dict[float, dict[str, str | None]] = field(default_factory=dict)
    looks: list[Looked] = field(default_factory=list)
    shadow: ShadowSamples | None = None
    """Of the stage before the shift, where there is one."""
    environment: str = ""
    """The one that the shift was begun with. An older version wrote none."""
    by_people: tuple[str, ...] = ()
    """What people did to the shift, a clause each."""
    asleep: list[tuple[float, float]] = field(default_factory=list)
    """When the clock went on and nobody looked: the machine slept, or its clock was set."""

    def slept(self, since: float, until: float) -> float:
        """How many seconds of these."""
        return sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in self.asleep)

    @property
    def began(self) -> float | None:
        """When the first look began."""
        shadowed = [look.since for look in self.shadow.looks] if self.shadow is not None else []
        return next(iter([*shadowed, *(look.since for look in self.looks)]), None)

    def judged(self, variant: str) -> Judged:
        return Judged(self.endpoint, variant)

    def of(self, rule: str, variant: str) -> Mapping[int, Answers]:
        return self.answers.get(rule, {}).get(variant, {})

    def add(self, rule: str, variant: str, at: int, answers: dict[str, float | None]) -> None:
        self.answers.setdefault(rule, {}).setdefault(variant, {})[at] = answers

    def windows(self, until: Looked) -> Sequence[tuple[float, float]]:
        """The stages until a look, each from its beginning to its last look. Looks are in the order in which they were
        made, which is not that of their times where the clock was set back."""
        found: dict[int, tuple[float, float]] = {}
        for look in self.looks:
            found[look.stage] = (look.since, look.now)
            if look == until:
                break
        return [found[stage] for stage in sorted(found)]


def written(samples: Samples) -> bytes:
    kept = TypeAdapter(Samples).dump_python(samples, mode="json")
    return json.dumps({"format": FORMAT, **kept}, ensure_ascii=False).encode()


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def parsed(content: bytes) -> Samples:
    """Raises ValueError for what is none."""
    told: Any = json.loads(content, parse_constant=_no_number)
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        raise ValueError("these are no samples of a shift, or of another version of mlops")
    samples = TypeAdapter(Samples).validate_python(told)
    for look in samples.looks:
        if not 1 <= look.stage <= len(samples.stages):
            raise ValueError(f"a look is of stage {look.stage}, and there are {len(samples.stages)}")
    times = [at for look in samples.looks for at in (look.since, look.now)]
    times += [at for begin, end in samples.asleep for at in (begin, end)]
    if samples.shadow is not None:
        times += [at for look in samples.shadow.looks for at in (look.since, look.now)]
    if not all(0 <= at <= _LATEST for at in times):
        raise ValueError("a look has a time that is none")
    if times and max(times) - min(times) > _LONGEST:
        raise ValueError(f"its looks are {(max(times) - min(times)) / 86400:,.0f} days apart")
    if not all(0 <= stage.share <= 100 and 0 <= stage.bake <= _LONGEST for stage in samples.stages):
        raise ValueError("a stage has a share or a time that is none")
    return samples
