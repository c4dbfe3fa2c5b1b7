"""Which pipelines a set of changed files touches: through the pipeline file, the modules of the project that it
imports, other files that those name, the files of its assets, and the project's configuration."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from mlops.check.sources import Opened
from mlops.ir import Asset, Checked
from mlops.project.python_files import imported, parsed
from mlops.project.root import CONFIGURATION, LOCK, find_root


def touched(opened: Opened, changed: Iterable[Path]) -> Opened:
    """Only those pipelines and files, and what was found in them. What cannot be opened as a whole may be so because of
    a file that is gone: it counts wherever one is."""
    files = frozenset(path.resolve() for path in changed)
    gone = any(not file.exists() for file in files)
    pipelines = tuple(checked for checked in opened.pipelines if _is_touched(checked, files, gone=gone))
    resources = tuple(checked for checked in opened.resources if _is_touched(checked, files, gone=gone))
    declaring = {checked.definition.where.file for checked in (*opened.pipelines, *opened.resources)}
    kept = {checked.definition.where.file for checked in (*pipelines, *resources)}
    for file in {str(Path(file).resolve()) for file in opened.files if file != "-"} - declaring:
        if gone or _is_file_touched(Path(file), files):
            kept.add(file)
    # A mistake may lie in a module behind the file that was opened.
    sources = {str(source) for file in kept if file for source in _sources(Path(file), find_root(Path(file)), files)}
    findings = tuple(
        finding
        for finding in opened.findings
        if finding.where.file is None
        or finding.where.file in kept
        or (finding.where.file not in declaring and finding.where.file in sources)
        or any(finding in checked.findings for checked in (*pipelines, *resources))
    )
    names = tuple(file for file in opened.files if file == "-" or str(Path(file).resolve()) in kept)
    return replace(opened, pipelines=pipelines, resources=resources, findings=findings, files=names)


def _is_touched(checked: Checked, changed: frozenset[Path], *, gone: bool) -> bool:
    where = checked.definition.where.file
    if where is None or where == "-" or (gone and not checked.ok):
        return True
    reads = frozenset(path.resolve() for path in checked.definition.reads)
    if any(file in reads or file.parent in reads for file in changed):
        return True
    return _is_file_touched(Path(where).resolve(), changed) or any(
        _asset_touched(asset, Path(where).resolve(), changed) for asset in checked.definition.assets
    )


def _is_file_touched(file: Path, changed: frozenset[Path]) -> bool:
    root = find_root(file)
    if changed & {root / CONFIGURATION, root / LOCK}:
        return True
    sources = _sources(file, root, changed)
    return bool(changed & sources) or _reads(sources, (file.parent, root), changed)


def _reads(sources: Iterable[Path], folders: tuple[Path, ...], changed: frozenset[Path]) -> bool:
    """Whether the sources name a changed file that is no module, such as a configuration that they read when they are
    loaded: by its name, its ending or a pattern or, where they list folders, by the folder. What is named and not read
    counts too, which costs a plan of nothing."""
    data = [file for file in changed if file.suffix != ".py" and file.is_relative_to(folders[-1])]
    if not data:
        return False
    named = [_texts(source) for source in sources]
    texts = frozenset(text for found, _ in named for text in found)
    names = {text.rpartition("/")[2] for text in texts}
    listing = any(lists for _, lists in named)
    for file in data:
        if any(file.name == name or _is_pattern_of(name, file.name) for name in names):
            return True
        for folder in folders if listing else ():
            inside = {place.as_posix() for place in _parents(file, folder)}
            if any(text.removeprefix("./").rstrip("/") in inside for text in texts):
                return True
    return False


def _is_pattern_of(pattern: str, name: str) -> bool:
    """``.yaml`` is what an f-string leaves of ``f"{stage}.yaml"``."""
    if any(mark in pattern for mark in "*?["):
        return fnmatchcase(name, pattern)
    return len(pattern) > 1 and pattern.startswith(".") and name.endswith(pattern)


def _parents(file: Path, folder: Path) -> Iterable[Path]:
    return [*file.relative_to(folder).parents][:-1] if file.is_relative_to(folder) else ()


@cache
def _texts(source: Path) -> tuple[frozenset[str], bool]:
    """The texts of a program that may name a file, and whether it lists folders."""
    tree = _tree(source) if source.suffix == ".py" else None
    nodes = [] if tree is None else [*ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    lists = any(
        (isinstance(node, ast.Attribute) and node.attr in _LISTING)
        or (isinstance(node, ast.Name) and node.id in _LISTING)
        for node in nodes
    )
    return frozenset(
        text for text in texts if 0 < len(text) <= _LONGEST and "\n" not in text and "://" not in text
    ), lists


_LISTING = frozenset({"glob", "rglob", "iglob", "iterdir", "listdir", "scandir", "walk"})
_LONGEST = 255
"""Bytes of a file's name, on most file systems."""


_tree = cache(parsed)


def _asset_touched(asset: Asset, declared: Path, changed: frozenset[Path]) -> bool:
    """``declared`` is the pipeline file."""
    paths = {path.resolve() for _, path in asset.files}
    if paths & changed:
        return True
    # A file that was removed from the folder is in no list any more.
    relative, path = asset.files[0]
    folder = path.resolve().parents[len(Path(relative).parts) - 1]
    if len(asset.files) == 1 and folder in declared.parents:
        # A script beside the pipeline, and no folder with one file left.
        return False
    return any(file.is_relative_to(folder) and not file.exists() for file in changed)


@cache
def _sources(file: Path, root: Path, changed: frozenset[Path]) -> frozenset[Path]:
    """The file and every module of the project that it imports, however far; also those that are no more there."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        waiting.extend(_imported(current, file.parent, root, changed))
    return frozenset(found)


def _imported(file: Path, beside: Path, root: Path, changed: frozenset[Path]) -> Iterator[Path]:
    tree = _tree(file)
    for node in () if tree is None else ast.walk(tree):
        for module, level in imported(node):
            folders = (file.parents[min(level, len(file.parents)) - 1],) if level else (beside, root)
            yield from _modules(module, folders, changed)


def _modules(dotted: str, folders: Iterable[Path], changed: frozenset[Path]) -> Iterator[Path]:
    """Files that a dotted name and the packages above it may be, or were until they changed; a name that is none of the
    project's has none."""
    parts = dotted.split(".")
    for folder in folders:
        for length in range(1, len(parts) + 1):
            place = folder.joinpath(*parts[:length])
            for candidate in (place.with_suffix(".py"), place / "__init__.py"):
                if candidate.is_file():
                    yield candidate.resolve()
                elif candidate in changed:
                    yield candidate
