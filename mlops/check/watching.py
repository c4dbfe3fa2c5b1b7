"""Which files a check depends on, and when one of them changed: by asking the file system twice a second."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlops.check.sources import Opened
from mlops.project.content_address import IGNORED_FOLDERS
from mlops.project.root import find_root

_SUFFIXES = (".py", ".json", ".toml", ".lock")
_EVERY = 0.4

Stamp = Mapping[Path, tuple[int, int]]


def stamp(targets: Iterable[str], opened: Opened | None) -> Stamp:
    """Time and size of whatever a check of ``targets`` may read: the targets, their projects' sources, definitions
    and configuration, and the code and data files that the pipelines take along."""
    found: dict[Path, tuple[int, int]] = {}
    roots: dict[Path, None] = {}
    for target in targets:
        file, colon, _ = target.rpartition(":")
        path = Path(file if colon and file.endswith(".py") else target).resolve()
        roots[path if path.is_dir() else path.parent] = None
        if path.exists():
            roots[find_root(path)] = None
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in IGNORED_FOLDERS and name != "build"]
            for name in files:
                if name.endswith(_SUFFIXES):
                    _note(Path(folder, name), found)
    for checked in (*opened.pipelines, *opened.resources) if opened else ():
        for asset in checked.definition.assets:
            for _, local in asset.files:
                _note(local, found)
    return found


def wait_for_change(before: Stamp, targets: Iterable[str], opened: Opened | None) -> None:
    """Return once something differs from ``before``, and has been left alone for a moment."""
    listed = tuple(targets)
    while (now := stamp(listed, opened)) == before:
        time.sleep(_EVERY)
    while (later := stamp(listed, opened)) != now:  # an editor or a checkout is still writing
        now = later
        time.sleep(_EVERY / 4)


def _note(file: Path, found: dict[Path, tuple[int, int]]) -> None:
    try:
        status = file.stat()
    except OSError:  # gone between listing and looking
        return
    found[file] = (status.st_mtime_ns, status.st_size)
