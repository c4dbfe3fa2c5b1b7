"""What was learnt of earlier guesses at a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from mlops.ir import Step
from mlops.ir.dataclass import dataclass
from mlops.ir.fields import REQUIRED, Constructor


class _Omit:
    """The type of :data:`OMIT`."""


OMIT: Final = _Omit()
"""Stands in a correction for a member that the definition does not have."""


@dataclass(slots=True)
class Plan:
    """By the steps' pointers. ``passed``: how many constructors will not do."""

    name: str
    role: str | None
    constructors: Sequence[Constructor]
    passed: Counter[str] = field(default_factory=Counter)
    as_written: set[str] = field(default_factory=set)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    corrected: set[str] = field(default_factory=set)
    arguments: dict[str, Mapping[str, object]] = field(default_factory=dict)
    members: dict[str, Mapping[str, object]] = field(default_factory=dict)
    inner: dict[str, Mapping[tuple[str, str], Mapping[str, object]]] = field(default_factory=dict)
    raw: dict[str, frozenset[int]] = field(default_factory=dict)
    document: Mapping[str, object] = field(default_factory=dict)
    keep_order: bool = True

    def choices(self, step: Step) -> list[Constructor]:
        """Which may say the step, the best first; the last is that of any type, in the document's words."""
        fitting = [item for item in self.constructors if item.type == step.type != CONDITION]
        known = [item for item in fitting if item.says is None or item.says(step)]
        of_any = [item for item in self.constructors if not item.type and not step.blocks]
        return [*sorted(known, key=lambda item: item.says is None), *of_any]

    def left(self, step: Step, place: str) -> list[Constructor]:
        """Those that have not failed."""
        return self.choices(step)[self.passed[place] :]


CONDITION = "Condition"


def needed(constructor: Constructor) -> set[str]:
    """Arguments without which there is no saying a step."""
    return {field.name for field in constructor.fields if field.default is REQUIRED and field.name} | {
        *constructor.needs
    }
