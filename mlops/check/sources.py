"""What a user points at, opened: a pipeline file, a folder, a definition in JSON, to checked definitions."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.check import check, order
from mlops.ir import Checked, Finding, UsageError
from mlops.ir.reader import locate, read
from mlops.project.content_address import IGNORED_FOLDERS
from mlops.project.root import LOCK, find_root

STANDARD_INPUT = "-"

_DECLARES = re.compile(r"^\s*(?:from\s+mlops\b|import\s+mlops\b)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opened:
    """``pipelines`` in the order of the targets; ``findings`` are all, theirs included; ``files`` were read."""

    pipelines: tuple[Checked, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    root: Path


def open_targets(targets: Sequence[str], environment: str, *, definitions: bool = True) -> Opened:
    """Load, lower, order and check. Raises UsageError for a target that is not there and ConfigurationError for a
    broken ``mlops.toml`` or ``mlops.lock``. A folder's JSON files count only with ``definitions``."""
    pipelines: list[Checked] = []
    findings: list[Finding] = []
    files: list[str] = []
    root = Path.cwd()
    for target in targets:
        if target == STANDARD_INPUT:
            _read_definition(sys.stdin.buffer.read(), STANDARD_INPUT, pipelines, findings)
            files.append(STANDARD_INPUT)
            continue
        path, name = _split(target)
        if not path.exists():
            raise UsageError(
                f"there is no {path}", hint="a target is a pipeline file, a folder or a definition in JSON"
            )
        root = find_root(path.resolve())
        for file in _files(path, definitions):
            files.append(str(file))
            if file.suffix == ".json":
                _read_definition(_content(file), str(file.resolve()), pipelines, findings)
            else:
                _load_pipelines(file, name, environment, pipelines, findings)
    ordered = tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key))
    return Opened(tuple(pipelines), ordered, tuple(files), root)


def open_one(target: str, environment: str) -> Opened:
    """The same where a command needs exactly one pipeline; an error among the findings may leave none."""
    opened = open_targets([target], environment, definitions=False)
    if len(opened.pipelines) > 1:
        listed = ", ".join(
            f"{_from_here(checked.definition.where.file or target)}:{checked.definition.name}"
            for checked in opened.pipelines
        )
        raise UsageError(
            f"{target} has {len(opened.pipelines)} pipelines and one is needed", hint=f"choose one: {listed}"
        )
    return opened


def _from_here(file: str) -> str:
    """As short as it can be typed in the working directory."""
    path = Path(file)
    return (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path).as_posix()


def _split(target: str) -> tuple[Path, str | None]:
    """
    >>> _split("pipelines/churn.py:churn")[1]
    'churn'
    """
    file, colon, name = target.rpartition(":")
    if colon and file.endswith(".py"):
        return Path(file), name
    return Path(target), None


def _files(path: Path, definitions: bool) -> list[Path]:
    if path.is_file():
        if path.suffix not in (".py", ".json"):
            raise UsageError(f"{path} is neither a pipeline file (.py) nor a definition (.json)")
        return [path]
    found = pipeline_files(path)
    if definitions:
        found = sorted([*found, *(file for file in _below(path, ".json") if _is_definition(file))])
    if not found:
        raise UsageError(f"no pipeline is declared in {path}", hint="a pipeline file imports mlops")
    return found


def pipeline_files(folder: Path) -> list[Path]:
    """Files of a folder that declare pipelines, sorted."""
    return [file for file in _below(folder, ".py") if _declares(file)]


def _below(folder: Path, suffix: str) -> list[Path]:
    return [
        file
        for file in sorted(folder.rglob(f"*{suffix}"))
        if file.is_file()
        and not any(part in IGNORED_FOLDERS or part == "build" for part in file.relative_to(folder).parts[:-1])
    ]


def _declares(file: Path) -> bool:
    """A folder also holds the steps' scripts, which must not run: only files that import mlops declare pipelines."""
    return _DECLARES.search(file.read_text(encoding="utf-8", errors="replace")) is not None


def _is_definition(file: Path) -> bool:
    text = file.read_text(encoding="utf-8", errors="replace")
    return '"2020-12-01"' in text and '"Steps"' in text


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _read_definition(content: bytes, file: str, pipelines: list[Checked], findings: list[Finding]) -> None:
    definition, problems = read(content, file)
    if definition is None:
        findings.extend(problems)
        return
    if file != STANDARD_INPUT:
        definition = replace(definition, name=Path(file).stem)
    checked = check(definition, findings=problems)
    located = tuple(locate(checked.findings, content.decode("utf-8-sig"), file))
    pipelines.append(replace(checked, findings=located))
    findings.extend(located)


def _load_pipelines(
    file: Path, name: str | None, environment_name: str, pipelines: list[Checked], findings: list[Finding]
) -> None:
    # A definition in JSON needs neither the DSL nor the project's configuration.
    from mlops.declare.load import load
    from mlops.declare.lower import lower_pipeline
    from mlops.declare.misuse import collecting
    from mlops.project import lock
    from mlops.project.environments import read_project

    root = find_root(file.resolve())
    project = read_project(root)
    environment = project.environment(environment_name)
    pinned = lock.read(root / LOCK)
    loaded = load(file)
    findings.extend(loaded.findings)
    for pipeline in loaded.pipelines:
        if name is not None and pipeline.name != name:
            continue
        with collecting() as misuses:
            definition = lower_pipeline(pipeline, environment, pinned, (file.resolve().parent, root))
        checked = check(order(definition), findings=(*loaded.findings, *misuses))
        pipelines.append(checked)
        findings.extend(checked.findings)
    if name is not None and loaded.pipelines and name not in [pipeline.name for pipeline in loaded.pipelines]:
        known = ", ".join(pipeline.name for pipeline in loaded.pipelines)
        raise UsageError(f"{file} has no pipeline {name!r}; it has {known}")
