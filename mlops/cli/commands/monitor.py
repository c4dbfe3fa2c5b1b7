"""``mlops monitor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.listening import hear
from mlops.cli.printing import print_json, printable, table, talk

if TYPE_CHECKING:
    from mlops.use_cases.monitors import Run

PROGRAM = ("-m", "mlops", "monitor", "run")
"""As the account's clock starts it."""


@click.group(cls=Group)
def command() -> None:
    """What watches an endpoint's data and answers: list, show, run."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """All monitors."""
    from mlops.use_cases import monitors

    found = monitors.listed(environment)
    if format_ == "json":
        print_json([monitors.as_dictionary(item) for item in found])
        return
    table(
        ("MONITOR", "ENDPOINT", "SCHEDULE", "WINDOW", "LOOKS AT"),
        [
            (
                item.name,
                item.endpoint,
                str(item.told.get("schedule") or "") if item.scheduled else "by hand",
                item.window,
                ", ".join(kind.replace("_", " ") for kind in item.kinds),
            )
            for item in found
        ],
    )


@command.command()
@click.argument("name")
@options.environment
@options.limit("most", "--last", "So many runs.", default=10)
@options.as_json
def show(name: str, environment: str, most: int, format_: str) -> None:
    """What the monitor NAME declares, and what its last runs found."""
    from mlops.use_cases import monitors

    found = monitors.show(environment, name, most)
    if format_ == "json":
        print_json(monitors.as_dictionary(found))
        return
    monitor = found.monitor
    click.echo(f"{name}: looks at {', '.join(kind.replace('_', ' ') for kind in monitor.kinds)} of {monitor.endpoint}")
    click.echo(f"  window    {monitor.window}")
    click.echo(f"  schedule  {monitor.told.get('schedule') if monitor.scheduled else 'none: `mlops monitor run`'}")
    click.echo(f"  baseline  {monitor.told.get('baseline') or 'DriftCheckBaselines of the version that serves'}")
    table(
        ("SINCE", "UNTIL", "LINES", "VIOLATIONS", "OF"),
        [
            (
                run.since,
                run.until,
                str(run.lines),
                str(len(run.violations)),
                ", ".join(_features(run)[:5]),
            )
            for run in found.runs
        ],
    )


@command.command()
@click.argument("name")
@options.environment
@options.since("From then on")
@options.until("Before then; without both the last window that has ended.")
@click.option("--once", is_flag=True, help="Of one window one job: whoever asks again follows it.")
@asking.yes
@options.as_json
def run(name: str, environment: str, since: str | None, until: str | None, once: bool, yes: bool, format_: str) -> None:
    """Look at what was captured, as the monitor NAME declares it. Ends with 1 where something violates the baseline."""
    from mlops.use_cases import monitors

    found = monitors.run(environment, name, since, until, asking.consent(yes), hear, once=once)
    if format_ == "json":
        print_json(monitors.as_dictionary(found))
    else:
        _print(found)
    if found.violations:
        raise click.exceptions.Exit(1)


def _features(run: Run) -> list[str]:
    names = (item.get("feature_name") or item.get("facet") or item.get("metric_name") for item in run.violations)
    return list(dict.fromkeys(printable(str(name)) for name in names if name))


def _print(run: Run) -> None:
    unreadable = f", {run.unreadable} of them cannot be read" if run.unreadable else ""
    click.echo(f"{run.endpoint} from {run.since} to {run.until}: {run.lines} captured lines{unreadable}")
    for kind, told in run.kinds.items():
        label = kind.replace("_", " ")
        if told.get("not_compared"):
            click.echo(f"  {label}: not compared, {told['not_compared']}")
            continue
        count = told.get("violations") or 0
        click.echo(f"  {label}: {count} violation{'s' if count != 1 else ''} in {told['rows']} rows")
        for item in run.violations:
            if item["kind"] == kind:
                name = item.get("feature_name") or item.get("metric_name")
                # Features and categories are called what somebody sent.
                click.echo(printable(f"    {name}: {item['constraint_check_type']}: {item['description']}"))
    talk(f"files are in {run.place}")
