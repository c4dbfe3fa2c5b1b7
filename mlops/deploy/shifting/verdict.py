"""What a judge says of a stage, and what a controller asks of a judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from mlops.ir.dataclass import dataclass
from mlops.ir.shift import Bake, Mirror


@dataclass(frozen=True, slots=True)
class Verdict:
    """``standing`` of a stage until now: ``green`` is enough to go on when the bake is over, ``unsure`` is not.
    ``silent``: it is unsure because nothing was measured."""

    standing: Literal["green", "red", "unsure"]
    why: str
    silent: bool = False


class Judge(Protocol):
    @property
    def interval(self) -> float:
        """Seconds between two looks."""

    @property
    def patience(self) -> float:
        """Seconds that a bake may last longer while its verdict is unsure."""

    def look(self, bake: Bake, since: float, now: float, before: Sequence[tuple[float, float]]) -> Verdict:
        """Times in seconds since 1970. ``before`` are beginning and end of the stages that have ended."""

    def look_at_shadow(self, mirror: Mirror, since: float, now: float) -> Verdict:
        """At what a shadow answers beside what serves."""

    def keep(self, by_people: Sequence[str]) -> None:
        """Write down what was seen, at the end of a stage, and what people did; meanwhile the judge does by itself, so
        that it is found where nobody comes to that end. Never raises for what goes wrong in the
        account."""

    def slept(self, since: float, until: float) -> None:
        """The clock went on from ``since`` to ``until`` while nobody looked, and perhaps nothing served."""

    def asleep(self, since: float, until: float) -> float:
        """How many of these seconds are such."""
