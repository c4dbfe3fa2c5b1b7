"""What `mlops emit` writes: the targets of :mod:`mlops.emit.targets`, and those of other packages."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.discovery import Found, discovered
from mlops.ir.plugins import TARGETS


def found_targets() -> Mapping[str, Found]:
    from mlops.emit import targets

    return discovered(targets, TARGETS)


def found_target(name: str) -> Found:
    """Raises UsageError for a name that none has."""
    from mlops.ir import UsageError
    from mlops.ir.choices import instead

    known = found_targets()
    if name not in known:
        raise UsageError(f"there is no target {name!r}{instead(name, sorted(known))}")
    return known[name]
