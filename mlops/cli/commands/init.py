"""``mlops init``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir import Event


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--env",
    "environments",
    multiple=True,
    default=["staging"],
    show_default=True,
    help="With --ci: where to upsert; repeatable, in that order.",
)
@click.option("--name", help="The pipeline's name; the folder's by default.")
@click.option(
    "--ci",
    type=options.Choice(["github", "gitlab", "jenkins"]),
    help="Write only the workflows that check, plan, upsert and promote there.",
)
@options.as_json
def command(directory: Path, name: str | None, ci: str | None, environments: tuple[str, ...], format_: str) -> None:
    """Make a working project in DIRECTORY: a pipeline, its steps, mlops.toml, a CI workflow.

    Files that are there already are left alone; a workflow that --ci names replaces the one that only checks.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.init import Placed, init, init_ci

    files: list[dict[str, object]] = []

    def told(event: Event) -> None:
        if not isinstance(event, Placed):
            hear(event)
        elif format_ == "json":
            files.append({"file": event.about, "written": event.written})
        else:
            talk(f"{'written' if event.written else 'left alone':10}  {event.about}")

    pipeline = None
    if ci is not None:
        init_ci(directory, ci, environments, told)
    else:
        pipeline = init(directory, name, told)
        talk(f"\nnow: cd {shlex.quote(str(directory))} && mlops run")
    if format_ == "json":
        print_json({"directory": str(directory), "pipeline": pipeline, "files": files})
