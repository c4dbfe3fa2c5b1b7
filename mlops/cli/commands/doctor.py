"""``mlops doctor``."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mlops import __version__
from mlops.cli import options
from mlops.cli.printing import print_json
from mlops.ir import MlopsError


@click.command()
@options.as_json
def command(format_: str) -> None:
    """What works on this machine and in this project, and what is missing. Ends with 1 where something is broken."""
    found = list(_examine())
    if format_ == "json":
        print_json([{"what": what, "state": state, "text": text} for what, state, text in found])
    else:
        for what, state, text in found:
            click.echo(f"{state:<8}{what:<14}{text}")
    if any(state == "broken" for _, state, _ in found):
        raise click.exceptions.Exit(1)


def _examine() -> Iterator[tuple[str, str, str]]:
    """(what, ok | missing | broken, text)."""
    yield "python", "ok", f"{platform.python_version()} on {platform.system()} at {sys.executable}"
    yield "mlops", "ok", __version__
    yield "botocore", "ok", f"{importlib.metadata.version('botocore')}, whose service model the checker reads"
    yield _sdk()
    yield _serving()
    yield _isolation()
    yield from _plugins()
    yield from _project()


def _plugins() -> Iterator[tuple[str, str, str]]:
    """What other installed packages add."""
    from mlops.ir.plugins import REPORTS, RULES, STEP_TYPES, STRATEGIES, TARGETS, plugins

    nouns = {
        RULES: "rules",
        STEP_TYPES: "step types",
        TARGETS: "target of `mlops emit`",
        REPORTS: "format of `mlops check`",
        STRATEGIES: "strategy",
    }
    for group, noun in nouns.items():
        for plugin in plugins(group):
            why = f"; it does not work: {plugin.broken}" if plugin.broken else ""
            yield "plug-in", "broken" if plugin.broken else "ok", f"{plugin.name}, {noun}, from {plugin.package}{why}"


def _sdk() -> tuple[str, str, str]:
    from mlops.project.images import sdk_data_folder

    if sdk_data_folder() is None:
        return (
            "sagemaker",
            "missing",
            "image URIs come from mlops.lock only; pip install 'mlops[sagemaker]' to lock new ones",
        )
    return "sagemaker", "ok", f"{importlib.metadata.version('sagemaker')}, whose image URIs `mlops lock` reads"


def _serving() -> tuple[str, str, str]:
    absent = [name for name in ("joblib", "numpy", "pandas", "sklearn") if importlib.util.find_spec(name) is None]
    if absent:
        return "local", "missing", f"{', '.join(absent)}: the examples' steps need them; pip install 'mlops[local]'"
    return "local", "ok", "steps run and models are served with this Python's packages, whatever image they name"


def _isolation() -> tuple[str, str, str]:
    if sys.platform == "win32":
        return "isolation", "missing", "Windows checks, compiles and upserts; pipelines run on Linux and macOS"
    from mlops.run.sandbox import probe

    try:
        isolation = probe()
    except MlopsError as error:
        return "isolation", "broken", error.message
    if isolation.is_private:
        return "isolation", "ok", isolation.reason
    return (
        "isolation",
        "missing",
        f"{isolation.reason}: steps run in plain folders, and scripts find them through SAGEMAKER_BASE_DIR",
    )


def _account(folder: Path) -> tuple[str, str, str]:
    from mlops.account.local.store import Store

    file = folder / "account.sqlite"
    if not file.exists():
        return "local account", "ok", f"none in {folder} yet; the first run makes it"
    try:
        Store(file).examine()
    except MlopsError as error:
        return "local account", "broken", f"{error.message}; {error.hint}"
    return "local account", "ok", str(file)


def _project() -> Iterator[tuple[str, str, str]]:
    from mlops.project import lock
    from mlops.project.environments import read_project
    from mlops.project.root import CONFIGURATION, LOCK, STATE, find_root

    root = find_root(Path.cwd())
    yield _account(root / STATE)
    try:
        project = read_project(root)
    except MlopsError as error:
        yield CONFIGURATION, "broken", error.message
        return
    if (root / CONFIGURATION).is_file():
        yield CONFIGURATION, "ok", f"{root / CONFIGURATION}, environments {', '.join(sorted(project.environments))}"
    else:
        yield CONFIGURATION, "missing", f"none in {root} or above; only the local environment is there"
    try:
        pinned = lock.read(root / LOCK)
    except MlopsError as error:
        yield LOCK, "broken", error.message
        return
    if pinned.images:
        yield LOCK, "ok", f"{len(set(pinned.images.values()))} images pinned"
    else:
        yield LOCK, "missing", "no image is pinned; `mlops lock` pins them"
