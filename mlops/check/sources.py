"""What a user points at, opened: a pipeline file, a folder, a definition in JSON, to checked definitions."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.check import check, order
from mlops.ir import Checked, Finding, Severity, UsageError, Where
from mlops.ir.reader import locate, read
from mlops.project.content_address import IGNORED_FOLDERS
from mlops.project.root import LOCK, find_root
from mlops.project.sdk_source import is_sdk_file

STANDARD_INPUT = "-"

_CUT_SHORT = frozenset({"D101", "D102"})
_FOLLOWS = frozenset({"E503", "P409"})
"""Said of a file that ended halfway, these would only follow from that."""

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
        if not target or not path.exists():
            raise UsageError(
                f"there is no {target!r}", hint="a target is a pipeline file, a folder or a definition in JSON"
            )
        root = find_root(path.resolve())
        for file in _files(path, definitions):
            if name is None and str(file) in files:
                continue
            files.append(str(file))
            if file.suffix == ".json":
                _read_definition(_content(file), str(file.resolve()), pipelines, findings)
            elif is_sdk_file(file):
                _compose_pipelines(file, name, environment, pipelines, findings)
            else:
                _load_pipelines(file, name, environment, pipelines, findings)
    findings.extend(_repeated(pipelines))
    ordered = tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key))
    return Opened(tuple(pipelines), ordered, tuple(files), root)


def _repeated(pipelines: Sequence[Checked]) -> Iterator[Finding]:
    """Pipelines of the DSL that would overwrite each other in an account."""
    from mlops.declare.mistakes import MISTAKES

    first: dict[str, Where] = {}
    for checked in pipelines:
        name, where = checked.definition.name, checked.definition.where
        if name is None or where.line is None:
            continue
        if name in first:
            other = first[name]
            yield Finding(
                "D104",
                MISTAKES["D104"].name,
                Severity.ERROR,
                f"the pipeline {name} is declared twice, first at {_from_here(other.file or '')}:{other.line}",
                help="give one of them another name",
                where=where,
            )
        first.setdefault(name, where)


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
    found = sorted([*pipeline_files(path), *(file for file in _below(path, ".py") if is_sdk_file(file, whole=True))])
    if definitions:
        found = sorted([*found, *(file for file in _below(path, ".json") if _is_definition(file))])
    if not found:
        raise UsageError(f"no pipeline is declared in {path}", hint="a pipeline file imports mlops, or sagemaker")
    return found


def pipeline_files(folder: Path) -> list[Path]:
    """Files of a folder that declare pipelines, sorted."""
    return [file for file in _below(folder, ".py") if _declares(file)]


def _below(folder: Path, suffix: str) -> list[Path]:
    """Regular files, sorted; what cannot be listed, environments and built files stay out."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        if (Path(here) / "pyvenv.cfg").is_file():
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS and name != "build"]
        found.extend(Path(here, name) for name in files if name.endswith(suffix))
    return sorted(file for file in found if file.is_file())


def _declares(file: Path) -> bool:
    """A folder also holds scripts, tests and tools, which must not run: only a file that imports mlops at its top and
    calls ``Pipeline`` declares one. A file that does not parse counts where its text says as much."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    if not _DECLARES.search(text) or "Pipeline" not in text:
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    imports = any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mlops" and not node.level)
        or (isinstance(node, ast.Import) and any(name.name.partition(".")[0] == "mlops" for name in node.names))
        for node in tree.body
    )
    return imports and any(
        isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) == "Pipeline"
        for node in ast.walk(tree)
    )


def _is_definition(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
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


def _compose_pipelines(
    file: Path, name: str | None, environment_name: str, pipelines: list[Checked], findings: list[Finding]
) -> None:
    """A file that is written with the official SDK; its steps keep the order that the SDK gave them."""
    from mlops.declare.sdk_file import compose
    from mlops.project.environments import read_project

    file = file.resolve()
    root = find_root(file)
    composed = compose(file, name, read_project(root).environment(environment_name), root)
    findings.extend(composed.findings)
    for definition, said in composed.definitions:
        if name is not None and len(composed.definitions) > 1 and definition.name != name:
            continue
        checked = check(definition, findings=(*composed.findings, *said))
        pipelines.append(checked)
        findings.extend(checked.findings)


def _load_pipelines(
    file: Path, name: str | None, environment_name: str, pipelines: list[Checked], findings: list[Finding]
) -> None:
    # A definition in JSON needs neither the DSL nor the project's configuration.
    from mlops.declare.load import load
    from mlops.declare.lower import lower_pipeline
    from mlops.declare.misuse import collecting
    from mlops.project import lock
    from mlops.project.environments import read_project

    file = file.resolve()  # before the author's code, which may change the working directory
    root = find_root(file)
    project = read_project(root)
    environment = project.environment(environment_name)
    pinned = lock.read(root / LOCK)
    loaded = load(file)
    findings.extend(loaded.findings)
    for pipeline in loaded.pipelines:
        if name is not None and pipeline.name != name:
            continue
        with collecting() as misuses:
            definition = lower_pipeline(pipeline, environment, pinned, (file.parent, root))
        ordered = definition if pipeline.keep_order else order(definition)
        checked = check(ordered, findings=(*loaded.findings, *misuses))
        if any(finding.code in _CUT_SHORT for finding in loaded.findings):
            kept = tuple(finding for finding in checked.findings if finding.code not in _FOLLOWS)
            checked = replace(checked, findings=kept)
        pipelines.append(checked)
        findings.extend(checked.findings)
    if name is not None and loaded.pipelines and name not in [pipeline.name for pipeline in loaded.pipelines]:
        known = ", ".join(pipeline.name for pipeline in loaded.pipelines)
        raise UsageError(f"{file} has no pipeline {name!r}; it has {known}")
