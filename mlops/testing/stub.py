"""What stands for a step that is not to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stub:
    """``outputs`` are files or folders by the names of a Processing step's outputs, ``model`` for a Training step and
    ``output`` for a Transform; a folder as ``model`` is packed. ``metrics`` are values of a Training step's metrics."""

    outputs: Mapping[str, Path | str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
