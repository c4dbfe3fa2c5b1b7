"""A working project in a folder, or only the workflow that checks, plans and upserts it.

Files that are there already are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from mlops.ir import Listener, UsageError
from mlops.project.environments import read_project
from mlops.project.files import write_text
from mlops.project.git import default_branch, repository
from mlops.use_cases.news import News, Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(News):
    """The file ``about`` is there: written now, or left alone."""

    kind: str = "file.placed"
    written: bool


PLACEHOLDER = "NAME"
"""Stands for the pipeline's name in the template's paths and texts."""


def init(directory: Path, name: str | None, listener: Listener) -> str:
    """The pipeline's name, the folder's by default."""
    pipeline = name or re.sub(r"[^A-Za-z0-9]+", "-", directory.resolve().name).strip("-")
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", pipeline):
        raise UsageError(
            f"{pipeline!r} is no name for a pipeline", hint="give one with --name: letters, digits and dashes"
        )
    for relative, text in sorted(_files(_templates().joinpath("project"), ())):
        _write(directory, relative.replace(PLACEHOLDER, pipeline), text.replace(PLACEHOLDER, pipeline), listener)
    _lock(directory, listener)
    return pipeline


def write_pipeline(directory: Path, pipeline: str) -> None:
    """The files of the project's pipeline, in silence, with its name in them."""
    template = _templates().joinpath("project", "pipelines", PLACEHOLDER)
    for relative, text in _files(template, ()):
        write_text(directory / relative.removesuffix(".template"), text.replace(PLACEHOLDER, pipeline))


def init_ci(directory: Path, ci: str, environment: str, listener: Listener) -> None:
    """A workflow of the service ``ci`` that upserts to ``environment``, in place of the one that only checks. The
    services look for their files at the top of the repository only, and run there."""
    if not re.fullmatch(r"[A-Za-z0-9_\-]+", environment):
        raise UsageError(f"{environment!r} is no name of an environment")
    root = directory.resolve()
    project = read_project(root)
    top = repository(root) or root
    inside = "" if root == top else root.relative_to(top).as_posix()
    pipelines = f"{inside}/{project.pipelines}" if inside else project.pipelines
    if not re.fullmatch(r"[\w.\-+@][\w.\-+@/ ]*", pipelines):
        raise UsageError(f"{pipelines!r} cannot stand in a workflow", hint="use letters, digits, spaces and . _ - + @")
    values = {
        "PIPELINES": f'"{pipelines}"' if " " in pipelines else pipelines,
        "ENVIRONMENT": environment,
        "BRANCH": (default_branch(top) if top != root or (top / ".git").exists() else None) or "main",
        # Two projects of a repository have a workflow each.
        "WORKFLOW": f"mlops-{re.sub(r'[^A-Za-z0-9]+', '-', inside)}" if inside else "mlops",
    }
    plain = dict(_files(_templates().joinpath("project"), ()))
    for relative, text in _files(_templates().joinpath("ci", ci), ()):
        filled = re.sub(r"\b(PIPELINES|ENVIRONMENT|BRANCH|WORKFLOW)\b", lambda found: values[found[1]], text)
        relative = relative.replace("mlops.yml", f"{values['WORKFLOW']}.yml")
        file = top / relative
        if file.exists() and file.read_text(encoding="utf-8") == plain.get(relative):
            file.unlink()
        _write(top if inside else directory, relative, filled, listener)
    if environment not in {*project.environments, *project.incomplete}:
        listener(Said(text=f"mlops.toml has no [env.{environment}] yet: add it before the first merge"))
    listener(Said(text="docs/ci.md tells which two roles the workflow takes on, and what they may do"))


def _files(folder: Traversable, at: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                found.extend(_files(item, (*at, item.name)))
        else:
            found.append(("/".join((*at, item.name)), item.read_text(encoding="utf-8")))
    return found


def _write(directory: Path, relative: str, text: str, listener: Listener) -> None:
    # Names that tools would act upon inside the package lose a suffix here.
    file = directory / relative.removesuffix(".template")
    missing = not file.exists()
    if missing:
        write_text(file, text)
    listener(Placed(about=str(file), written=missing))


def _lock(directory: Path, listener: Listener) -> None:
    from mlops.check.pinning import pin_images
    from mlops.project import lock
    from mlops.project.images import ImageDataMissing
    from mlops.project.root import LOCK

    if (directory / LOCK).exists():
        return
    try:
        images, _ = pin_images(directory.resolve())
    except ImageDataMissing:
        listener(Said(text="not locked: 'mlops[sagemaker]' is not installed here; run `mlops lock` where it is"))
        return
    lock.write(directory / LOCK, lock.render(images))
    listener(Placed(about=str(directory / LOCK), written=True))


def _templates() -> Traversable:
    return resources.files("mlops.use_cases").joinpath("templates")
