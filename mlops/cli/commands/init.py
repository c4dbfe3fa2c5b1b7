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
    from mlops.project.environments import read_project

    if not re.fullmatch(r"[A-Za-z0-9_\-]+", environment):
        raise UsageError(f"{environment!r} is no name of an environment")
    project = read_project(directory.resolve())
    plain = dict(_files(resources.files("mlops.cli").joinpath("templates", "project"), ()))
    for relative, text in _files(resources.files("mlops.cli").joinpath("templates", "ci", ci), ()):
        file = directory / relative
        if file.exists() and file.read_text(encoding="utf-8") == plain.get(relative):
            file.unlink()
        _write(directory, relative, text.replace("PIPELINES", project.pipelines).replace("ENVIRONMENT", environment))
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
