"""Which pipelines a set of changed files touches: through the pipeline file, the modules of the project that it
imports, the files of its assets, and the project's configuration."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from mlops.ir import Asset, Checked
from mlops.project.root import CONFIGURATION, LOCK, find_root


def touched(pipelines: Iterable[Checked], changed: Iterable[Path]) -> tuple[Checked, ...]:
    """In the order of ``pipelines``."""
    files = frozenset(path.resolve() for path in changed)
    return tuple(checked for checked in pipelines if _is_touched(checked, files))


def _is_touched(checked: Checked, changed: frozenset[Path]) -> bool:
    where = checked.definition.where.file
    if where is not None and where != "-":
        file = Path(where).resolve()
        root = find_root(file)
        if changed & {root / CONFIGURATION, root / LOCK} or changed & _sources(file, root):
            return True
    return any(_asset_touched(asset, changed) for asset in checked.definition.assets)


def _asset_touched(asset: Asset, changed: frozenset[Path]) -> bool:
    paths = {path.resolve() for _, path in asset.files}
    if paths & changed:
        return True
    if len(asset.files) < 2:
        return False
    # A file that was removed from the folder is in no list any more.
    relative, path = asset.files[0]
    folder = path.resolve().parents[len(Path(relative).parts) - 1]
    return any(file.is_relative_to(folder) and not file.exists() for file in changed)


@cache
def _sources(file: Path, root: Path) -> frozenset[Path]:
    """The file and every module of the project that it imports, however far; also those that are no more there."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        waiting.extend(_imported(current, file.parent, root))
    return frozenset(found)


def _imported(file: Path, beside: Path, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from _modules(name.name, (beside, root))
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                folders: tuple[Path, ...] = (file.parents[min(node.level, len(file.parents)) - 1],)
            else:
                folders = (beside, root)
            module = node.module or ""
            for name in node.names:
                yield from _modules(f"{module}.{name.name}".lstrip("."), folders)
            if module:
                yield from _modules(module, folders)


def _modules(dotted: str, folders: Iterable[Path]) -> Iterator[Path]:
    """Files that a dotted name and the packages above it may be; a name that is none of the project's has none."""
    parts = dotted.split(".")
    for folder in folders:
        for length in range(1, len(parts) + 1):
            place = folder.joinpath(*parts[:length])
            for candidate in (place.with_suffix(".py"), place / "__init__.py"):
                # A module that was just removed counts by the folder that it lay in.
                if candidate.is_file():
                    yield candidate.resolve()
