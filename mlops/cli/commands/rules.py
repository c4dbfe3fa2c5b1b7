"""``mlops rules``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table


@click.command()
@options.as_json
def command(format_: str) -> None:
    """All rules of the checker."""
    from mlops.check.rule import all_rules

    if format_ == "json":
        print_json(
            [
                {
                    "code": rule.code,
                    "name": rule.name,
                    "severity": rule.severity,
                    "text": rule.text,
                    "source": rule.source,
                }
                for rule in all_rules()
            ]
        )
        return
    table(("CODE", "SEVERITY", "NAME"), [(rule.code, rule.severity.value, rule.name) for rule in all_rules()])
