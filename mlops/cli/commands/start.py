"""``mlops start``."""

from __future__ import annotations

import click

from mlops.cli import asking, options
from mlops.cli.printing import print_json, talk


@click.command()
@click.argument("target")
@options.environment
@options.suffix
@click.option("--alias", metavar="NAME", help="Start the version with this alias, in place of the newest.")
@click.option("--version", type=click.IntRange(min=1), metavar="NUMBER", help="Start this version.")
@options.parameters
@click.option("--only", multiple=True, metavar="STEP", help="Run this step, on results of an earlier run; repeatable.")
@click.option(
    "--from",
    "execution",
    metavar="EXECUTION",
    help="With --only: on the results of this execution, in place of the newest that has them.",
)
@click.option(
    "--watch", "watching", is_flag=True, help="Follow it; end with 1 where it fails. Ctrl-C leaves it running."
)
@asking.yes
@options.as_json
def command(
    target: str,
    environment: str,
    suffix: str | None,
    alias: str | None,
    version: int | None,
    parameters: tuple[str, ...],
    only: tuple[str, ...],
    execution: str | None,
    watching: bool,
    yes: bool,
    format_: str,
) -> None:
    """Start a pipeline that was upserted before: TARGET is its name, or the file that declares it.

    What the account has is started, and what `mlops check` would say of it is told. A file that says something else is
    refused.
    """
    from mlops.cli.listening import hear
    from mlops.cli.watching import Watching, need_success
    from mlops.deploy.executions.following import Version
    from mlops.use_cases.start import Start, start
    from mlops.use_cases.watching import watch

    request = Start(
        target, environment, suffix, Version(alias, version), options.named_values(parameters), only, execution
    )
    if watching:
        with Watching(as_json=format_ == "json") as listener:
            started = start(request, listener, asking.consent(yes))
            state = watch(started.connected, started.arn, listener)
        need_success(state, started.connected.environment.option)
        return
    started = start(request, hear, asking.consent(yes))
    arn = started.arn
    if format_ == "json":
        print_json({"arn": arn})
    else:
        click.echo(arn)
        environment_option = started.connected.environment.option
        talk(f"started in {started.connected.environment.name}")
        talk(f"  `mlops executions show {arn.rpartition('/')[2]}{environment_option}` tells how far it is")
