"""``mlops bootstrap``."""

from __future__ import annotations

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, talk
from mlops.cli.writing import put


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@click.option("--emit", "form", metavar="FORM", help="Ask and change no account: write it as `mlops emit FORM` does.")
@click.option("-o", "--output", metavar="FILE", help="Where to, with --emit. Default: standard output.")
@click.option("--force", is_flag=True, help="Take over what somebody else made or changed; overwrite FILE.")
@asking.yes
@options.as_json
def command(
    targets: tuple[str, ...],
    environment: str,
    form: str | None,
    output: str | None,
    force: bool,
    yes: bool,
    format_: str,
) -> None:
    """Make what an environment of mlops.toml begins with: bucket, key, the role of its jobs, and the roles of CI.

    The roles may what TARGET needs, the project's pipelines without one. The plan is shown, and made with a yes; a
    second time nothing is done.
    """
    from mlops.cli.listening import hear
    from mlops.deploy.declared import plan_report
    from mlops.use_cases import bootstrap

    if output is not None and form is None:
        raise click.UsageError("--output is where what --emit FORM writes goes; without it an account is changed")
    request = bootstrap.Bootstrap(environment, targets, force)
    if form is not None:
        from mlops.cli.emit_targets import found_target

        put(bootstrap.emitted(request, found_target(form), hear), output, "bootstrap", force=force)
        return
    planned = bootstrap.plan(request, hear)
    if format_ == "text":
        click.echo(plan_report.text(planned.plan), nl=False)
        for note in planned.beginning.notes:
            click.echo(f"  note: {note}")
    consent = asking.consent(yes)
    making = bool(planned.plan.actions) and (consent.possible or planned.connected.environment.approval)
    done = bootstrap.apply(planned, hear, consent) if making or planned.plan.refused else ()
    if planned.plan.actions and not making:
        talk("nothing was made; --yes does it")
    if format_ == "json":
        variables = [{"name": name, "value": value} for name, value in planned.beginning.variables.items()]
        told = {"notes": list(planned.beginning.notes), "variables": variables}
        print_json({"plan": plan_report.as_dictionary(planned.plan), "done": list(done), **told})
        return
    for name, value in planned.beginning.variables.items():
        click.echo(f"{name}={value}")
