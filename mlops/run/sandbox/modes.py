"""The ways to keep commands apart, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from mlops.run.sandbox.keeper import Mode

ModeName: TypeAlias = Literal["namespaces", "bubblewrap", "folders"]

BUBBLEWRAP, BUBBLEWRAP_PLACES = "bwrap", "/usr/local/bin:/usr/bin:/bin"
"""The program, and where it may lie: never where a step or a caller could put one."""


def made(name: str) -> Mode:
    """In a launcher, which needs one of them."""
    match name:
        case "namespaces":
            from mlops.run.sandbox.namespaces import Namespaces

            return Namespaces()
        case "bubblewrap":
            from mlops.run.sandbox.bubblewrap import Bubblewrap

            return Bubblewrap()
    from mlops.run.sandbox.folders import Folders

    return Folders()
