"""Where a project begins: the nearest folder upwards that holds ``mlops.toml``, never the working directory."""

from __future__ import annotations

from pathlib import Path

CONFIGURATION = "mlops.toml"
LOCK = "mlops.lock"
STATE = ".mlops"


def find_root(target: Path) -> Path:
    """The project of a pipeline file or folder. Without any ``mlops.toml`` it is the target's own folder."""
    start = target if target.is_dir() else target.parent
    for folder in (start, *start.parents):
        if (folder / CONFIGURATION).is_file():
            return folder
    return start
