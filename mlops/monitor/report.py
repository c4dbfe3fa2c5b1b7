"""What an assessment of quality gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """The documents to be written; ``violations`` is None where nothing was compared."""

    statistics: Mapping[str, Any]
    constraints: Mapping[str, Any]
    violations: Sequence[Mapping[str, Any]] | None
