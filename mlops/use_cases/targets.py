"""What is meant where no TARGET is named: the pipelines of the project that one stands in; and whether targets are all
of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mlops.ir import UsageError
from mlops.project.environments import Project, read_project
from mlops.project.root import CONFIGURATION, find_root


def project_target() -> str:
    """The folder that ``pipelines`` of ``[project]`` names. Raises UsageError outside of a project."""
    root = find_root(Path.cwd())
    hint = "a TARGET is a pipeline file, a folder or a definition in JSON"
    if not (root / CONFIGURATION).is_file():
        raise UsageError(f"there is no TARGET, and no project in {root} or above", hint=hint)
    folder = root / read_project(root).pipelines
    if not folder.is_dir():
        raise UsageError(f"mlops.toml says that the pipelines are in {folder}, which is not there", hint=hint)
    return os.path.relpath(folder)


def are_all(targets: Sequence[str], project: Project) -> bool:
    folder = (project.root / project.pipelines).resolve()
    return any(Path(target).is_dir() and folder.is_relative_to(Path(target).resolve()) for target in targets)
