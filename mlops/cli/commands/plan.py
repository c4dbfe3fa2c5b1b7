"""``mlops plan``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir import Severity


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@options.suffix
@options.alias
@options.changed_since
@options.terraform_state
@click.option("--exit-code", is_flag=True, help="End with 1 where something would change or has drifted.")
@click.option("--preflight", is_flag=True, help="Ask the account too whether the pipelines could run there.")
@click.option("--notify", is_flag=True, help="Tell of drift where [env.ENV.notify] says.")
@options.output_path("out", "--out", "Save the plan for `upsert --plan`.")
@click.option(
    "--format",
    "format_",
    type=options.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, programs, or the comment of a pull request.",
)
def command(
    targets: tuple[str, ...],
    environment: str,
    suffix: str | None,
    aliases: tuple[str, ...],
    changed_since: str | None,
    terraform_state: Path | None,
    format_: str,
    exit_code: bool,
    preflight: bool,
    notify: bool,
    out: Path | None,
) -> None:
    """What `mlops upsert` would change in an account, by step and member; nothing is written.

    It tells what is uploaded, which steps lose their cache, and what somebody else changed since the last upsert. It
    ends with 1 where an upsert would be refused. Without TARGET it is of the pipelines that mlops.toml names.
    """
    from mlops.check.reports.json import record
    from mlops.cli.listening import hear, tell_findings
    from mlops.deploy.declared import plan_report as resources_report
    from mlops.deploy.pipelines import plan_report
    from mlops.use_cases import plan as planning

    if not targets:
        from mlops.use_cases.targets import project_target

        targets = (project_target(),)
    wanted = planning.Wanted(targets, environment, suffix, aliases, changed_since, terraform_state)
    planned = planning.plan(wanted, hear)
    plans = planned.plans
    findings = planning.preflight(planned) if preflight else ()
    if preflight:
        tell_findings(findings)
        if not findings:
            talk("preflight: nothing found")
    if format_ == "json":
        told = [plan_report.as_dictionary(plan) for plan in plans]
        told += [resources_report.as_dictionary(plan) for plan in planned.resources]
        print_json({"plans": told, "preflight": list(map(record, findings))} if preflight else told)
    elif format_ == "markdown":
        if plans or not planned.resources:
            click.echo(plan_report.markdown(plans), nl=False)
        if planned.resources:
            click.echo(resources_report.markdown(planned.resources), nl=False)
    else:
        for plan in plans:
            if plan.verb != "nothing" or plan.drift is not None or len(plans) == 1:
                click.echo(plan_report.text(plan), nl=False)
        for declared in planned.resources:
            if declared.verb != "nothing" or declared.drift or declared.refused or len(planned.resources) == 1:
                click.echo(resources_report.text(declared), nl=False)
        if plans or not planned.resources:
            click.echo(plan_report.summary(plans))
        if planned.resources:
            click.echo(resources_report.summary(planned.resources))
    if notify:
        for failure in planning.notify_of_drift(planned):
            talk(failure)
    if out is not None:
        planning.save(out, wanted, planned)
        talk(f"saved to {out}; `mlops upsert --plan {shlex.quote(str(out))}` applies it")
    if format_ != "text":
        for why in planned.refused:
            talk(f"refused: {why}")
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    if refused or planned.refused or (exit_code and planned.changes):
        raise click.exceptions.Exit(1)
