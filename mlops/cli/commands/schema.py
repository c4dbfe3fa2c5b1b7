"""``mlops schema``."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """The JSON schema of mlops.toml, for editors.

    Write it to a file and name that in the first line of mlops.toml: `#:schema ./mlops.schema.json`.
    """
    from mlops.cli.printing import print_json
    from mlops.project.schema import schema

    print_json(schema())
