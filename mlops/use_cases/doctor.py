"""What works on this machine and in this project, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from mlops import __version__
from mlops.ir import MlopsError, full_disk
from mlops.ir.counted import counted

_LEAST_BYTES = 16 * 1024 * 1024
"""With less no step leaves anything."""


class Examined(NamedTuple):
    what: str
    state: Literal["ok", "missing", "broken"]
    text: str


def examine() -> Iterator[Examined]:
    """One after another, as some take their time."""
    yield Examined("python", "ok", f"{platform.python_version()} on {platform.system()} at {sys.executable}")
    yield Examined("mlops", "ok", __version__)
    yield Examined("botocore", "ok", f"{importlib.metadata.version('botocore')}, whose service model the checker reads")
    yield _sdk()
    yield _serving()
    yield _isolation()
    yield from _plugins()
    yield from _project()


def _plugins() -> Iterator[Examined]:
    """What other installed packages add."""
    from mlops.ir.plugins import GATES, HOOKS, REPORTS, RULES, STEP_TYPES, STRATEGIES, TARGETS, plugins

    nouns = {
        RULES: "rules",
        STEP_TYPES: "step types",
        TARGETS: "target of `mlops emit`",
        REPORTS: "format of `mlops check`",
        STRATEGIES: "strategy",
        GATES: "gate",
        HOOKS: "kind of hook",
    }
    for group, noun in nouns.items():
        for plugin in plugins(group):
            why = f"; it does not work: {plugin.broken}" if plugin.broken else ""
            yield Examined(
                "plug-in", "broken" if plugin.broken else "ok", f"{plugin.name}, {noun}, from {plugin.package}{why}"
            )


def _sdk() -> Examined:
    from mlops.project.images import sdk_data_folder

    if sdk_data_folder() is None:
        return Examined(
            "sagemaker",
            "missing",
            "image URIs come from mlops.lock only; pip install 'sagemaker>=3' to lock new ones",
        )
    return Examined(
        "sagemaker", "ok", f"{importlib.metadata.version('sagemaker')}, whose image URIs `mlops lock` reads"
    )


def _serving() -> Examined:
    absent = [name for name in ("joblib", "numpy", "pandas", "sklearn") if importlib.util.find_spec(name) is None]
    if absent:
        return Examined(
            "local", "missing", f"{', '.join(absent)}: the examples' steps need them; install them beside mlops"
        )
    return Examined(
        "local", "ok", "steps run and models are served with this Python's packages, whatever image they name"
    )


def _isolation() -> Examined:
    if sys.platform == "win32":
        return Examined(
            "isolation", "missing", "Windows checks, compiles and upserts; pipelines run on Linux and macOS"
        )
    from mlops.run.sandbox import probe

    try:
        isolation = probe()
    except MlopsError as error:
        return Examined("isolation", "broken", error.message)
    if isolation.is_private:
        return Examined("isolation", "ok", isolation.reason)
    return Examined(
        "isolation",
        "missing",
        f"{isolation.reason}: steps run in plain folders, and scripts find them through SAGEMAKER_BASE_DIR",
    )


def _account(folder: Path) -> Examined:
    from mlops.account.local.store import Store
    from mlops.project.private import how_to_own, not_ours

    file = folder / "account.sqlite"
    if (owner := not_ours(folder)) is not None:
        return Examined("local account", "broken", f"{folder} belongs to {owner}; {how_to_own(folder)}")
    if not file.exists():
        writable = os.access(folder if folder.exists() else folder.parent, os.W_OK)
        then = "the first run makes it" if writable else f"and none can be made: nobody may write in {folder.parent}"
        return Examined("local account", "ok" if writable else "broken", f"none in {folder} yet; {then}")
    try:
        Store(file).examine()
    except MlopsError as error:
        return Examined("local account", "broken", f"{error.message}; {error.hint}")
    except OSError as error:
        return Examined("local account", "broken", f"{file} cannot be read: {error.strerror}")
    return Examined("local account", "ok", str(file))


def _disk(folder: Path) -> Examined:
    place = next(above for above in (folder, *folder.parents) if os.path.lexists(above))
    free = shutil.disk_usage(place).free
    if free < _LEAST_BYTES:
        return Examined("disk", "broken", f"{full_disk.told(place)} but for {free:,} bytes; {full_disk.HINT}")
    return Examined("disk", "ok", f"{free / 1e9:,.1f} GB are free at {place}")


def _project() -> Iterator[Examined]:
    from mlops.project import lock
    from mlops.project.environments import read_project
    from mlops.project.images import sdk_data_folder
    from mlops.project.root import CONFIGURATION, LOCK, STATE, find_root

    root = find_root(Path.cwd())
    yield _account(root / STATE)
    yield _disk(root / STATE)
    try:
        project = read_project(root)
    except MlopsError as error:
        yield Examined(CONFIGURATION, "broken", error.message)
        return
    if (root / CONFIGURATION).is_file():
        yield Examined(
            CONFIGURATION, "ok", f"{root / CONFIGURATION}, environments {', '.join(sorted(project.environments))}"
        )
    else:
        yield Examined(CONFIGURATION, "missing", f"none in {root} or above; only the local environment is there")
    try:
        pinned = lock.read(root / LOCK)
    except MlopsError as error:
        yield Examined(LOCK, "broken", error.message)
        return
    if pinned.images:
        yield Examined(LOCK, "ok", f"{counted(len(set(pinned.images.values())), 'image')} pinned")
    else:
        first = "" if sdk_data_folder() else "pip install 'sagemaker>=3', then "
        yield Examined(LOCK, "missing", f"no image is pinned; {first}`mlops lock` pins them")
