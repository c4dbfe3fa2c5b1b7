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
class Composed:
    """Each definition with what the reader found in it; ``findings`` are those of the file."""

    definitions: tuple[tuple[Definition, Sequence[Finding]], ...]
    findings: tuple[Finding, ...]


class Composer(Protocol):
    """What runs a file that is written with the official SDK, and never raises for what the file does."""

    def __call__(self, file: Path, name: str | None, environment: Environment, root: Path) -> Composed:
        """``name`` chooses a pipeline, or the function that builds it."""
        ...


COMPOSER: Port[Composer] = Port("composer")
