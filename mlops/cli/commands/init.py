"""``mlops init``."""

from __future__ import annotations

import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from mlops.cli.printing import talk
from mlops.ir import UsageError

PLACEHOLDER = "NAME"
"""Stands for the pipeline's name in the template's paths and texts."""


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", help="The pipeline's name; the folder's by default.")
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "jenkins"]),
    help="Write only the workflow that checks, plans and upserts there.",
)
@click.option("--env", "environment", default="staging", show_default=True, help="With --ci: where to upsert.")
def command(directory: Path, name: str | None, ci: str | None, environment: str) -> None:
    """Make a working project in DIRECTORY: a pipeline, its steps, mlops.toml, a CI workflow.

    Files that are there already are left alone; a workflow that --ci names replaces the one that only checks.
    """
    if ci is not None:
        _write_ci(directory, ci, environment)
        return
    pipeline = name or re.sub(r"[^A-Za-z0-9]+", "-", directory.resolve().name).strip("-")
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", pipeline):
        raise UsageError(
            f"{pipeline!r} is no name for a pipeline", hint="give one with --name: letters, digits and dashes"
        )
    template = resources.files("mlops.cli").joinpath("templates", "project")
    for relative, text in sorted(_files(template, ())):
        _write(directory, relative.replace(PLACEHOLDER, pipeline), text.replace(PLACEHOLDER, pipeline))
    _lock(directory)
    talk(f"\nnow: cd {directory} && mlops run pipelines/{pipeline}/pipeline.py")


def write_template(template: Traversable, directory: Path, pipeline: str) -> None:
    """The files of a template, in silence, with the pipeline's name in them."""
    from mlops.project.files import write_text

    for relative, text in _files(template, ()):
        write_text(directory / relative.removesuffix(".template"), text.replace(PLACEHOLDER, pipeline))


def _write_ci(directory: Path, ci: str, environment: str) -> None:
    """The services look for their files at the top of the repository only, and run there."""
    from mlops.project.environments import read_project
    from mlops.project.git import default_branch, repository

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
    plain = dict(_files(resources.files("mlops.cli").joinpath("templates", "project"), ()))
    for relative, text in _files(resources.files("mlops.cli").joinpath("templates", "ci", ci), ()):
        filled = re.sub(r"\b(PIPELINES|ENVIRONMENT|BRANCH|WORKFLOW)\b", lambda found: values[found[1]], text)
        relative = relative.replace("mlops.yml", f"{values['WORKFLOW']}.yml")
        file = top / relative
        if file.exists() and file.read_text(encoding="utf-8") == plain.get(relative):
            file.unlink()
        _write(top if inside else directory, relative, filled)
    if environment not in {*project.environments, *project.incomplete}:
        talk(f"mlops.toml has no [env.{environment}] yet: add it before the first merge")
    talk("docs/ci.md tells which two roles the workflow takes on, and what they may do")


def _files(folder: Traversable, at: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                found.extend(_files(item, (*at, item.name)))
        else:
            found.append(("/".join((*at, item.name)), item.read_text(encoding="utf-8")))
    return found


def _write(directory: Path, relative: str, text: str) -> None:
    from mlops.project.files import write_text

    # Names that tools would act upon inside the package lose a suffix here.
    file = directory / relative.removesuffix(".template")
    if file.exists():
        talk(f"left alone  {file}")
        return
    write_text(file, text)
    talk(f"written     {file}")


def _lock(directory: Path) -> None:
    from mlops.check.pinning import pin_images
    from mlops.project import lock
    from mlops.project.images import ImageDataMissing
    from mlops.project.root import LOCK

    if (directory / LOCK).exists():
        return
    try:
        images, _ = pin_images(directory.resolve())
    except ImageDataMissing:
        talk("not locked: 'mlops[sagemaker]' is not installed here; run `mlops lock` where it is")
        return
    lock.write(directory / LOCK, lock.render(images))
    talk(f"written     {directory / LOCK}")
