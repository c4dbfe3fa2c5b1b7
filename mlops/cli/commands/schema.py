"""``mlops schema``."""

from __future__ import annotations

import click


@click.command()
@click.argument("told_by", metavar="[COMMAND...]", nargs=-1)
@click.option(
    "--events",
    is_flag=True,
    help="Of the lines that `run`, `start`, `executions show` and `executions retry` with --format json write to "
    "standard error while they watch.",
)
def command(told_by: tuple[str, ...], events: bool) -> None:
    """The JSON schema of mlops.toml, for editors, or of what COMMAND prints with --format json, for programs.

    Write it to a file and name that in the first line of mlops.toml: `#:schema ./mlops.schema.json`. COMMAND is what
    stands behind `mlops`, as in `mlops schema executions show`. Members may be added to what is printed.
    """
    from mlops.cli.printing import print_json

    if events:
        from mlops.cli.told_schemas import event_schema

        if told_by:
            raise click.UsageError("--events are the same of all commands: leave COMMAND out")
        print_json(event_schema())
    elif told_by:
        from mlops.cli.told_schemas import told_schema

        print_json(told_schema(" ".join(told_by)))
    else:
        from mlops.project.schema import schema

        print_json(schema())
