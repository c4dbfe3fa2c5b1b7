"""``mlops promote``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json

if TYPE_CHECKING:
    from mlops.use_cases.promote import Planned


@click.command()
@click.argument("group")
@click.option(
    "--to",
    "environment",
    cls=options.Renamed,
    old=("--env",),
    metavar="ENV",
    help="The environment that is to serve it; the next of the chain without.",
)
@options.version
@click.option("--registry", metavar="ENV", help="The environment that holds the registry, where that is another.")
@click.option("--endpoint", help="The endpoint's name; by default what the environment says, or GROUP.")
@click.option("--instance", help="Instance type; by default the one that serves, or the first that the version names.")
@click.option("--count", type=click.IntRange(min=1), help="Instances; by default as many as serve, or one.")
@click.option(
    "--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A request for the smoke test."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=1800.0,
    show_default=True,
    help="Seconds to wait for the endpoint.",
)
@options.dry_run("Only print every gate, and every call that would follow.")
@click.option("--override", "overrides", multiple=True, metavar="GATE", help="Pass this gate over; needs --reason.")
@click.option("--reason", help="Why, for the records.")
@click.option("--take-over", is_flag=True, help="Go on with a shift that is under way, whoever began it.")
@asking.as_user
@asking.yes
@options.as_json
def command(
    group: str,
    environment: str | None,
    number: int | None,
    registry: str | None,
    endpoint: str | None,
    instance: str | None,
    count: int | None,
    sample: Path | None,
    timeout: float,
    dry: bool,
    overrides: tuple[str, ...],
    reason: str | None,
    user: str | None,
    yes: bool,
    take_over: bool,
    format_: str,
) -> None:
    """Take the newest approved version of GROUP to an endpoint, as `promote` of the environment in mlops.toml says: to
    the one that is named, or to the next of `chain` in [project] that lacks it.

    A version that is not approved is refused; one that is worse than that says is taken back. What was cut off is
    finished by the same command.
    """
    from mlops.cli.listening import hear
    from mlops.deploy.endpoints.promote import Target
    from mlops.use_cases.promote import Promotion, plan, promote

    target = Target(endpoint or "", instance, count, timeout)
    request = Promotion(group, environment, target, number, registry, sample, take_over, overrides, reason, user)
    if dry:
        _show(plan(request), format_)
        return
    done = promote(request, hear, asking.consent(yes))
    if format_ == "json":
        print_json(
            {
                "endpoint": done.endpoint,
                "group": group,
                "environment": done.environment,
                "version": done.version.number,
                "action": done.action,
                "config": done.config,
                "answers": [
                    {"sample": answer.sample, "body": answer.body.decode(errors="replace")} for answer in done.answers
                ],
            }
        )
        return
    verb = "already serves" if done.action == "unchanged" else "serves"
    click.echo(f"{done.endpoint} in {done.environment} {verb} version {done.version.number} of {group}")


def _show(planned: Planned, format_: str) -> None:
    if format_ == "json":
        print_json(
            {
                "group": planned.version.group,
                "version": planned.version.number,
                "environment": planned.environment,
                "passed_over": list(planned.passed_over),
                "may": planned.may,
                "gates": [
                    {"gate": item.gate, "passes": item.passes, "overridden": item.overridden, "found": item.found}
                    for item in planned.gates
                ],
                "needs": [
                    {"what": item.what, "there": item.there, "found": item.found, "hint": item.hint}
                    for item in planned.needs
                ],
                "calls": list(planned.calls),
            }
        )
    else:
        click.echo(f"version {planned.version.number} of {planned.version.group} to {planned.environment}")
        if planned.passed_over:
            click.echo(f"  passed over: {_passed_over(planned.passed_over)}")
        for item in planned.gates:
            click.echo(f"  {item.told}")
        for need in planned.needs:
            click.echo(f"  {need.told}")
        for line in planned.calls:
            click.echo(f"  {line}")
    if not planned.may:
        raise click.exceptions.Exit(1)


def _passed_over(became: Mapping[int, str]) -> str:
    """
    >>> _passed_over({4: "taken back", 3: "rolled back", 2: "taken back"})
    '4, 2 were taken back; 3 was rolled back'
    """
    by_verb: dict[str, list[str]] = {}
    for number, verb in became.items():
        by_verb.setdefault(verb, []).append(str(number))
    return "; ".join(
        f"{', '.join(numbers)} {'was' if len(numbers) == 1 else 'were'} {verb}" for verb, numbers in by_verb.items()
    )
