"""``mlops verdict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk

if TYPE_CHECKING:
    from mlops.use_cases.verdict import Explained


@click.group(cls=Group)
def command() -> None:
    """Why a new version went on or back: explain."""


@command.command()
@click.argument("name", required=False)
@options.environment_of_shift
@click.option("--back", type=click.IntRange(min=0), default=0, help="Not the last shift but one as many before it.")
@click.option(
    "--declared",
    is_flag=True,
    help="By what mlops.toml declares now: what would have been decided. Ends with 1 where that is another thing.",
)
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Samples that --save wrote.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the samples into a file.")
@options.output_path("svg", "--svg", "Draw the evidence over time into a file.", "FILE.svg")
@click.option("--all", "whole", is_flag=True, help="Every look, not the last of each stage.")
@options.as_json
def explain(
    name: str | None,
    environment: str | None,
    back: int,
    declared: bool,
    file: Path | None,
    save: Path | None,
    svg: Path | None,
    whole: bool,
    format_: str,
) -> None:
    """Decide a shift of the endpoint NAME anew, from the samples that were kept of it. Ends with 1 where another thing
    comes out than was decided then."""
    from mlops.use_cases import verdict

    if (name is None) == (file is None):
        raise click.UsageError("give the endpoint's NAME, or --file")
    if file is not None:
        found = verdict.explain_file(environment, file, declared=declared)
    else:
        found = verdict.explain(environment, str(name), back=back, declared=declared)
    if save is not None:
        verdict.save(found, save)
        talk(f"samples are in {save}")
    if svg is not None:
        verdict.draw(found, svg)
        talk(f"the evidence is drawn in {svg}")
    if format_ == "json":
        print_json(verdict.as_dictionary(found))
    else:
        _print(found, whole)
    if not found.is_same:
        raise click.exceptions.Exit(1)


def _print(found: Explained, whole: bool) -> None:
    from mlops.cli.evidence_chart import drawn
    from mlops.deploy.shifting.evidence import stages

    samples = found.samples
    last = {item.look.stage: item for item in found.looks}
    shown = [item for item in found.looks if whole or item is last[item.look.stage] or not item.is_same]
    click.echo(
        f"{samples.endpoint}: version {samples.version} of {samples.group}, variant {samples.new} "
        f"against {', '.join(samples.old) or 'nothing'}"
    )
    table(
        ("STAGE", "SHARE", "AT", "THEN", "NOW", "WHY"),
        [
            *(
                (
                    "shadow",
                    "0 %",
                    moment(item.look.now),
                    item.look.standing,
                    item.now.standing,
                    item.now.why,
                )
                for item in (found.shadow if whole else found.shadow[-1:])
            ),
            *(
                (
                    str(item.look.stage),
                    f"{samples.stages[item.look.stage - 1].share:g} %",
                    moment(item.look.now),
                    item.look.standing,
                    item.now.standing,
                    item.now.why,
                )
                for item in shown
            ),
        ],
    )
    if samples.shadow is not None:
        for example in samples.shadow.examples:
            click.echo(f"disagrees: {example.told}")
    for line in found.lines:
        for row in drawn(line, stages(samples)):
            click.echo(row)
    for clause in samples.by_people:
        click.echo(clause)
    by = "by what is declared now" if found.declared else "from the samples"
    click.echo(f"then: {found.ended or found.then.told}")
    if found.ended is not None and found.ended.startswith("taken back") and found.then.kind != "back":
        click.echo("no look led to that: somebody aborted it, or it could not go on")
    if found.is_same and found.changed_without_weight:
        click.echo("looks of which another thing is said now decided nothing: what was measured came after them")
    click.echo(f"{by}: {found.now.told}; {'as' if found.is_same else 'not as'} it was decided then")
