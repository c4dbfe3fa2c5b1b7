"""``mlops rules``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table


@click.command()
@options.as_json
def command(format_: str) -> None:
    """All codes that a finding can have."""
    from mlops.check.explain import stories

    if format_ == "json":
        print_json(
            [
                {
                    "code": story.code,
                    "name": story.name,
                    "severity": story.severity,
                    "text": story.text,
                    "source": story.source,
                }
                for story in stories().values()
            ]
        )
        return
    table(
        ("CODE", "SEVERITY", "NAME"), [(story.code, story.severity.value, story.name) for story in stories().values()]
    )
