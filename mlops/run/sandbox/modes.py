"""The ways to keep commands apart, by name."""

from __future__ import annotations

from typing import Literal, TypeAlias

ModeName: TypeAlias = Literal["namespaces", "bubblewrap", "folders"]

BUBBLEWRAP, BUBBLEWRAP_PLACES = "bwrap", "/usr/local/bin:/usr/bin:/bin"
"""The program, and where it may lie: never where a step or a caller could put one."""
