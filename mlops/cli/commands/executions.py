"""``mlops executions``."""

from __future__ import annotations

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table, talk
from mlops.ir import UsageError


@click.group()
def command() -> None:
    """Runs of pipelines: list, show, logs."""


@command.command("list")
@click.argument("pipeline", required=False)
@options.environment
@options.as_json
def list_(pipeline: str | None, environment: str, format_: str) -> None:
    """Executions of PIPELINE, or of all; newest first."""
    from mlops.cli.here import connect_here
    from mlops.deploy.executions import listed

    found = listed(connect_here(environment).account, pipeline)
    if format_ == "json":
        print_json([dict(item) for item in found])
        return
    table(
        ("EXECUTION", "PIPELINE", "STATUS", "STARTED"),
        [
            (
                str(item["PipelineExecutionArn"]).rpartition("/")[2],
                str(item["PipelineName"]),
                str(item["PipelineExecutionStatus"]),
                f"{item['StartTime']:%Y-%m-%d %H:%M:%S}",
            )
            for item in found
        ],
    )


@command.command()
@click.argument("execution", required=False)
@options.environment
@options.as_json
def show(execution: str | None, environment: str, format_: str) -> None:
    """One EXECUTION (its id, the beginning of it, or its ARN; the newest without) and its steps."""
    from mlops.cli.here import connect_here
    from mlops.cli.progress import summary
    from mlops.cli.running import as_dictionary
    from mlops.deploy.executions import describe, find

    account = connect_here(environment).account
    state = describe(account, find(account, execution))
    if format_ == "json":
        print_json(as_dictionary(state))
        return
    click.echo(f"{state.pipeline} {state.id}: {state.status}{f' ({state.failure})' if state.failure else ''}")
    table(("STEP", "TYPE", "STATUS", "SECONDS"), summary(state))
    for step in state.steps:
        if step.failure:
            talk(f"{step.name}: {step.failure}")


@command.command()
@click.argument("execution")
@click.argument("step", required=False)
@options.environment
def logs(execution: str, step: str | None, environment: str) -> None:
    """What the steps of EXECUTION printed, or only STEP. EXECUTION may be `last`."""
    from mlops.cli.here import connect_here
    from mlops.deploy.executions import describe, find, log_lines

    account = connect_here(environment).account
    state = describe(account, find(account, None if execution == "last" else execution))
    chosen = [item for item in state.steps if step is None or item.name == step]
    if step is not None and not chosen:
        known = ", ".join(item.name for item in state.steps)
        raise UsageError(f"execution {state.id} has no step {step!r}; it has {known}")
    for item in chosen:
        for line in log_lines(account, item):
            click.echo(line if step else f"{item.name} | {line}")
