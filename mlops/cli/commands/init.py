"""``mlops init``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli.printing import talk


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
    from mlops.cli.listening import hear
    from mlops.use_cases.init import init, init_ci

    if ci is not None:
        init_ci(directory, ci, environment, hear)
        return
    pipeline = init(directory, name, hear)
    talk(f"\nnow: cd {directory} && mlops run pipelines/{pipeline}/pipeline.py")
