"""``mlops plan``."""

from __future__ import annotations

from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@options.environment
@options.suffix
@options.alias
@options.changed_since
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, programs, or the comment of a pull request.",
)
@click.option("--exit-code", is_flag=True, help="End with 1 where something would change or has drifted.")
@click.option("--preflight", is_flag=True, help="Ask the account too whether the pipelines could run there.")
@click.option("--notify", is_flag=True, help="Tell of drift where [env.ENV.notify] says.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan for `upsert --plan`.")
def command(
    targets: tuple[str, ...],
    environment: str,
    suffix: str | None,
    aliases: tuple[str, ...],
    changed_since: str | None,
    format_: str,
    exit_code: bool,
    preflight: bool,
    notify: bool,
    out: Path | None,
) -> None:
    """What `mlops upsert` would change in an account, by step and member; nothing is written.

    It tells what is uploaded, which steps lose their cache, and what somebody else changed since the last upsert.
    """
    from mlops.cli.deploying import finding_dictionary, plan_targets, tell_preflight
    from mlops.deploy.pipelines import plan_report
    from mlops.deploy.pipelines.saved_plan import save

    planned = plan_targets(
        targets, environment, suffix=suffix, aliases=aliases, changed_since=changed_since, doing="plan"
    )
    plans = planned.plans
    findings = tell_preflight(planned) if preflight else ()
    if format_ == "json":
        told = [plan_report.as_dictionary(plan) for plan in plans]
        print_json(
            {"plans": told, "preflight": [finding_dictionary(finding) for finding in findings]} if preflight else told
        )
    elif format_ == "markdown":
        click.echo(plan_report.markdown(plans), nl=False)
    else:
        for plan in plans:
            if plan.verb != "nothing" or plan.drift is not None or len(plans) == 1:
                click.echo(plan_report.text(plan), nl=False)
        click.echo(plan_report.summary(plans))
    if notify:
        from mlops.deploy.notify import drift_notices, tell_all

        connected = planned.connected
        for failure in tell_all(connected.account, connected.environment, drift_notices(plans), connected.root):
            talk(failure)
    if out is not None:
        save(out, targets, environment, suffix, aliases, plans)
        talk(f"saved to {out}; `mlops upsert --plan {out}` applies it")
    refused = any(finding.severity.value == "error" for finding in findings)
    if refused or (exit_code and any(plan.verb != "nothing" or plan.drift for plan in plans)):
        raise click.exceptions.Exit(1)
