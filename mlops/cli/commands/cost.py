"""``mlops cost``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.cli import options
from mlops.cli.group import Group
from mlops.cli.printing import print_json, table, talk

if TYPE_CHECKING:
    from mlops.check.costs.bounds import Bounds
    from mlops.check.costs.sums import Costs
    from mlops.project.prices import PriceFile


class _OrTarget(Group):
    """What names no command is a TARGET of the first one."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        if not context.resilient_parsing and "--help" not in args[:1] and (args[:1] or [""])[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(context, args)


@click.group(cls=_OrTarget)
def command() -> None:
    """What a pipeline costs: show, which `mlops cost TARGET` is short for; import."""


@command.command()
@click.argument("target", required=False)
@options.environment
@click.option("--prices", type=click.Path(dir_okay=False, path_type=Path), help="Default: prices.toml of the project.")
@click.option("--history", is_flag=True, help="Ask the account how long steps took: what is to be expected.")
@options.as_json
def show(target: str | None, environment: str, prices: Path | None, history: bool, format_: str) -> None:
    """The least, the expected and the most that steps and an execution of TARGET cost, a month of its endpoints and of
    what else it declares, and a promotion to them."""
    from mlops.cli.listening import hear
    from mlops.use_cases.cost import priced

    found = priced(target, environment, prices, hear, history=history)
    if found.prices.sample:
        talk("these prices are a sample, for trying: `mlops cost import FILE -o prices.toml` makes a file of AWS's own")
    if format_ == "json":
        print_json(
            {
                "region": found.region,
                "currency": found.prices.currency,
                "date": found.prices.date.isoformat(),
                "source": found.prices.source,
                "sample": found.prices.sample,
                "costs": [_as_dictionary(one) for one in found.costs],
                "promotions": {name: _bounds(one) for name, one in found.promotions.items()},
            }
        )
        return
    for one in found.costs:
        _show(one, found.region, found.prices)
    if found.promotions:
        rows = [(f"a promotion to {name}", one) for name, one in found.promotions.items()]
        click.echo("beside what serves anyhow:")
        _rows(rows)


def _as_dictionary(found: Costs) -> dict[str, Any]:
    return {
        "pipeline": found.pipeline,
        "steps": {name: _bounds(one) for name, one in found.steps.items()},
        "execution": _bounds(found.execution),
        "endpoint_months": {name: _bounds(one) for name, one in found.endpoints.items()},
        "resource_months": {name: _bounds(one) for name, one in found.resources.items()},
    }


def _bounds(found: Bounds) -> dict[str, Any]:
    return {
        "lower": found.lower,
        "expected": found.expected,
        "upper": found.upper,
        "unknown": list(found.unknown),
    }


def _show(found: Costs, region: str, prices: PriceFile) -> None:
    click.echo(f"{found.pipeline}: {prices.currency} in {region}, prices of {prices.date} ({prices.source})")
    rows = [
        *((name, one) for name, one in found.steps.items()),
        ("an execution", found.execution),
        *((f"a month of {name}", one) for name, one in (*found.endpoints.items(), *found.resources.items())),
    ]
    _rows(rows)


def _rows(rows: Sequence[tuple[str, Bounds]]) -> None:
    table(("", "LOWER", "EXPECTED", "UPPER"), [(name, *map(_money, _three(one))) for name, one in rows])
    for name, one in (row for row in rows if row[0] != "an execution"):
        for why in one.unknown:
            click.echo(f"unknown: {name}: {why}")


def _three(found: Bounds) -> tuple[float | None, ...]:
    return found.lower, found.expected, found.upper


def _money(amount: float | None) -> str:
    from mlops.check.costs.bounds import money

    return "unknown" if amount is None else money(amount)


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@options.output
@options.overwriting
def import_(file: Path, output: str | None, force: bool) -> None:
    """Make a file of prices of FILE: AWS's offer of SageMaker, index.json or index.csv, or what `aws pricing
    get-products` answers."""
    from mlops.cli.writing import put
    from mlops.use_cases.cost import import_offer

    text, found = import_offer(file)
    put(text, output, f"prices of {found.date}", force=force)
