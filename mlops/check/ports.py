"""What opening targets asks of the layers above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops.ir import Definition, Finding
from mlops.ports import Port

if TYPE_CHECKING:
    from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Lowered:
    """A definition with what was found when it was made."""

    definition: Definition
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Composed:
    """``findings`` are those of the file. ``declared``: its pipelines are of our own language, lowered, and not of the
    official SDK."""

    definitions: tuple[Lowered, ...]
    findings: tuple[Finding, ...]
    declared: bool = False


class Composer(Protocol):
    """What runs a file of any author where it is closed in, and never raises for what the file does."""

    def __call__(self, file: Path, name: str | None, environment: Environment, root: Path) -> Composed:
        """``name`` chooses a pipeline, or the function that builds it."""
        ...


COMPOSER: Port[Composer] = Port("composer")
