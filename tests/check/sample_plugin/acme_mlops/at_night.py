"""A deployment strategy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AtNight:
    """Shift traffic while nobody looks."""

    hour: int = 3
