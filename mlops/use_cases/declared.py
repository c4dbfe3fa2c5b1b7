"""A pipeline that stands in this process, as it is now: it may have been declared in a notebook's cell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mlops.check import check
from mlops.check.lowering import lowered
from mlops.declare.pipeline import Pipeline
from mlops.ir import Checked, Finding, Refusal, Severity
from mlops.ir.counted import counted
from mlops.ir.dataclass import dataclass
from mlops.project import lock
from mlops.project.environments import LOCAL, Project, read_project
from mlops.project.root import LOCK, find_root


@dataclass(frozen=True, slots=True)
class Declared:
    checked: Checked
    project: Project


def declared(pipeline: Pipeline, environment: str = LOCAL) -> Declared:
    """Lowered and checked for ``environment``. Its files are looked for beside the pipeline file where it has one, else
    in the working directory, then in the project's root. Raises ConfigurationError for a broken ``mlops.toml`` or
    ``mlops.lock``."""
    folder = _folder(pipeline)
    root = find_root(folder)
    project = read_project(root)
    definition, misuses = lowered(pipeline, project.environment(environment), lock.read(root / LOCK), (folder, root))
    result = check(definition, findings=misuses)
    # A cell has no file that an editor could open.
    return Declared(replace(result, findings=tuple(_without_cell(finding) for finding in result.findings)), project)


def sound(pipeline: Pipeline, environment: str = LOCAL, *, doing: str) -> Declared:
    """The same, without errors. ``doing`` is what it would be, in a word. Raises Refusal."""
    found = declared(pipeline, environment)
    errors = [finding for finding in found.checked.findings if finding.severity is Severity.ERROR]
    if errors:
        told = "\n".join(f"{finding.code} {finding.message}" for finding in errors)
        raise Refusal(
            f"{pipeline.name} has {counted(len(errors), 'error')}, so it is not {doing}:\n{told}", hint=errors[0].help
        )
    return found


def _folder(pipeline: Pipeline) -> Path:
    file = Path(pipeline.where.file) if pipeline.where.file else None
    return file.parent.resolve() if file is not None and file.is_file() and not _is_cell(file) else Path.cwd()


def _is_cell(file: Path) -> bool:
    """ipykernel keeps cells as files in a folder of its process below the temporary one."""
    return file.parent.name.startswith("ipykernel_")


def _without_cell(finding: Finding) -> Finding:
    file = finding.where.file
    if file is None or (Path(file).is_file() and not _is_cell(Path(file))):
        return finding
    return replace(finding, where=replace(finding.where, file=None))
