"""How a finding's place is written: the same in every report."""

from __future__ import annotations

import os
from pathlib import Path

from mlops.ir import Finding


def shown_file(finding: Finding) -> str | None:
    """A POSIX path, relative to the working directory where the file is below it; ``-`` stays."""
    file = finding.where.file
    return file if file is None or file == "-" else shown(Path(file))


def shown(path: Path) -> str:
    """The same of any absolute path."""
    # Two spellings of one folder: a link such as macOS's /tmp must not make a path absolute.
    for here in (Path.cwd(), Path(os.path.realpath(Path.cwd()))):
        if path.is_relative_to(here):
            return path.relative_to(here).as_posix()
    return path.as_posix()


def repository_file(finding: Finding) -> str | None:
    """Relative to the repository that holds the file, wherever the command was called: what services that annotate a
    change want. Outside of any repository as :func:`shown_file`."""
    file = finding.where.file
    if file is None or file == "-":
        return file
    path = Path(os.path.realpath(file))
    for folder in path.parents:
        if (folder / ".git").exists():  # a file in worktrees and submodules
            return path.relative_to(folder).as_posix()
    return shown_file(finding)


def shown_place(finding: Finding) -> str:
    """``file:line:column``, as far as it is known; else the pointer."""
    parts = [shown_file(finding), finding.where.line, finding.where.column]
    known = [str(part) for part in parts if part is not None]
    return ":".join(known) if known else finding.path or "definition"
