"""What other installed packages add: rules, step types, targets, reports and strategies, announced by entry points.

``importlib.metadata`` costs more than a whole check of a small definition. So the folders of installed packages are
looked through first for the one line that an announcement needs; mostly there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.ir.dataclass import dataclass

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

RULES = "mlops.rules"
STEP_TYPES = "mlops.step_types"
TARGETS = "mlops.targets"
REPORTS = "mlops.reports"
STRATEGIES = "mlops.strategies"
GATES = "mlops.gates"
HOOKS = "mlops.hooks"

_MARK = b"[mlops."


@dataclass(frozen=True, slots=True)
class Plugin:
    """``value`` is what the entry point names, None where ``broken`` says why there is nothing."""

    group: str
    name: str
    package: str
    value: object = None
    broken: str | None = None

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"the plug-in {self.name!r} ({self.group}) of {self.package}"


@cache
def plugins(group: str) -> tuple[Plugin, ...]:
    """Those of one of the groups above, loaded, by name and package. What raises while it is loaded is ``broken``."""
    return tuple(_loaded(group, package, point) for package, point in _announced() if point.group == group)


@cache
def _announced() -> tuple[tuple[str, EntryPoint], ...]:
    found: dict[tuple[str, str, str], tuple[str, EntryPoint]] = {}
    for folder in _announcing():
        from importlib.metadata import PathDistribution

        distribution = PathDistribution(folder)
        package = f"{distribution.metadata['Name']} {distribution.version}"
        for point in distribution.entry_points:
            # A package that is installed twice counts by the first on the path, as for imports.
            found.setdefault((point.group, point.name, distribution.metadata["Name"]), (package, point))
    return tuple(found[key] for key in sorted(found))


def _announcing() -> Iterator[Path]:
    """Metadata folders on the path whose entry points have a group of ours."""
    for place in dict.fromkeys(sys.path):
        try:
            with os.scandir(place or ".") as entries:
                names = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except OSError:  # a zip file, or a folder that is not there
            continue
        for name in sorted(names):
            try:
                with open(f"{name}/entry_points.txt", "rb") as file:  # noqa: PTH123 - hundreds of them, and Path is slow
                    announced = _MARK in file.read()
            except OSError:
                continue
            if announced:
                yield Path(name)


def _loaded(group: str, package: str, point: EntryPoint) -> Plugin:
    try:
        return Plugin(group, point.name, package, value=point.load())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever somebody else's module does while it is imported
        return Plugin(group, point.name, package, broken=told(error))


def told(error: BaseException) -> str:
    """What was raised, in one line."""
    try:
        said = str(error).partition("\n")[0]
    except Exception:  # its own __str__ raised
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
