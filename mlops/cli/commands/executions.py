"""``mlops executions``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.printing import print_json, table, talk
from mlops.ir import UsageError

if TYPE_CHECKING:
    from mlops.deploy.executions.following import StepState


@click.group()
def command() -> None:
    """Runs of pipelines: list, show, logs, record, stop, retry, diff, open."""


@command.command("list")
@click.argument("pipeline", required=False)
@options.environment
@click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Show so many of them, 0 for all."
)
@options.as_json
def list_(pipeline: str | None, environment: str, limit: int, format_: str) -> None:
    """Executions of PIPELINE, or of all; newest first."""
    from mlops.deploy.executions.following import listed
    from mlops.use_cases.connecting import connect_here

    found = listed(connect_here(environment).account, pipeline, limit or None)
    if limit and len(found) == limit:
        talk(f"the newest {limit}; --limit 0 shows all")
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
@click.option("--watch", "watching", is_flag=True, help="Follow it to its end; end with 1 where it fails.")
@options.as_json
def show(execution: str | None, environment: str, watching: bool, format_: str) -> None:
    """One EXECUTION (its id, the beginning of it, or its ARN; the newest without) and its steps."""
    from mlops.cli.progress import summary
    from mlops.cli.running import as_dictionary, tell_failure, watch
    from mlops.deploy.executions.following import describe, find
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    arn = find(connected.account, execution)
    if watching:
        watch(connected, arn, as_json=format_ == "json")
        return
    state = describe(connected.account, arn)
    if format_ == "json":
        print_json(as_dictionary(state, environment))
        return
    click.echo(f"{state.pipeline} {state.id}: {state.status}{f' ({state.failure})' if state.failure else ''}")
    table(("STEP", "TYPE", "STATUS", "SECONDS"), summary(state))
    for step in state.steps:
        if step.status == "Failed":
            tell_failure(connected, state, step)
        elif step.failure:
            talk(f"{step.name}: {step.failure}")


@command.command()
@click.argument("execution", required=False)
@options.environment
def record(execution: str | None, environment: str) -> None:
    """Record EXECUTION (the newest without) to MLflow, as the pipeline or mlops.toml asks; again changes nothing."""
    from mlops.cli import running
    from mlops.deploy.executions.following import describe, find
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    state = describe(connected.account, find(connected.account, execution))
    if not state.ended:
        raise UsageError(f"execution {state.id} of {state.pipeline} still runs ({state.status})")
    if running.record(connected, state) is None:
        raise UsageError(
            f"neither {state.pipeline} nor the environment {connected.environment.name!r} asks for MLflow",
            hint="write `mlflow = true` (local), a tracking URI or an ARN below [env.NAME] in mlops.toml",
        )


@command.command()
@click.argument("execution")
@click.argument("step", required=False)
@options.environment
def logs(execution: str, step: str | None, environment: str) -> None:
    """What the steps of EXECUTION printed, or only STEP. EXECUTION may be `last`."""
    from mlops.deploy.executions.following import describe, find, log_lines
    from mlops.use_cases.connecting import connect_here

    account = connect_here(environment).account
    state = describe(account, find(account, execution))
    chosen = [item for item in state.steps if step is None or item.name == step]
    if step is not None and not chosen:
        known = ", ".join(item.name for item in state.steps)
        raise UsageError(f"execution {state.id} has no step {step!r}; it has {known}")
    printed = 0
    for item in chosen:
        for line in log_lines(account, item):
            click.echo(line if step else f"{item.name} | {line}")
            printed += 1
    if not printed:
        ran = any(item.job for item in chosen)
        talk("nothing was printed" if ran else "nothing was printed: only steps that are jobs have a log")


@command.command()
@click.argument("execution")
@options.environment
@click.option("--watch/--no-watch", "watching", default=True, show_default=True, help="Wait until it has stopped.")
def stop(execution: str, environment: str, watching: bool) -> None:
    """Stop EXECUTION (id, beginning of it, ARN, or `last`): no step starts any more, those that run get SIGTERM."""
    from mlops.cli.progress import Progress
    from mlops.deploy.executions.following import describe, find, follow, request_stop
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    arn = find(connected.account, execution)
    request_stop(connected.account, connected.environment, arn)
    if watching:
        with Progress() as progress:
            follow(connected.account, arn, progress, looked=progress.looked)
    state = describe(connected.account, arn)
    click.echo(f"{state.pipeline} {state.id}: {state.status}")


@command.command()
@click.argument("execution")
@options.environment
@click.option("--watch/--no-watch", "watching", default=True, show_default=True, help="Follow it to its end.")
@options.as_json
def retry(execution: str, environment: str, watching: bool, format_: str) -> None:
    """Go on with EXECUTION (id, beginning of it, ARN, or `last`) where it failed or was stopped.

    Steps that succeeded are not repeated. With --watch it ends with 1 where the execution fails again.
    """
    from mlops.cli.running import watch
    from mlops.deploy.executions.following import find
    from mlops.deploy.executions.following import retry as go_on
    from mlops.use_cases.connecting import connect_here

    connected = connect_here(environment)
    arn = find(connected.account, execution)
    go_on(connected.account, connected.environment, arn)
    if watching:
        watch(connected, arn, as_json=format_ == "json")
    elif format_ == "json":
        print_json({"arn": arn})
    else:
        click.echo(arn)


@command.command()
@click.argument("old")
@click.argument("new")
@options.environment
@options.as_json
def diff(old: str, new: str, environment: str, format_: str) -> None:
    """What differed between the executions OLD and NEW (ids, beginnings of them, ARNs, or `last`)."""
    from mlops.deploy.executions.diff import as_dictionary
    from mlops.deploy.executions.diff import diff as compare
    from mlops.deploy.executions.following import find
    from mlops.use_cases.connecting import connect_here

    account = connect_here(environment).account
    found = compare(account, find(account, old), find(account, new))
    if format_ == "json":
        print_json(as_dictionary(found))
        return
    for item in found.differences:
        place = " ".join(part for part in (item.topic, item.step, item.at) if part)
        click.echo(f"{place}: {_side(item.old)} -> {_side(item.new)}")
    if not found.differences:
        talk("the same parameters, definition, data, outcomes and metrics")
    table(
        ("STEP", found.old.id, found.new.id),
        [(pair.name, _status(pair.old), _status(pair.new)) for pair in found.steps],
    )


def _side(value: object) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _status(step: StepState | None) -> str:
    if step is None:
        return "-"
    seconds = "" if step.seconds is None else f" in {step.seconds:.1f} s"
    return f"{step.status}{' (cached)' if step.cached else seconds}"


@command.command("open", context_settings={"ignore_unknown_options": True})
@click.argument("step")
@click.option("--execution", default="last", show_default=True, help="Its id, or the beginning of it.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def open_(step: str, execution: str, words: tuple[str, ...]) -> None:
    """A shell, or COMMAND, where STEP ran: its /opt/ml, environment and sandbox. In the local account only.

    Ends with the command's exit code.
    """
    from mlops.account.local import LocalAccount
    from mlops.account.local.upkeep.opening import open_step
    from mlops.deploy.executions.following import find
    from mlops.project.environments import LOCAL
    from mlops.use_cases.connecting import connect_here

    account = connect_here(LOCAL).account
    if not isinstance(account, LocalAccount):
        raise TypeError("the local environment has another account")
    chosen = find(account, execution).rpartition("/")[2]
    raise click.exceptions.Exit(open_step(account.state, chosen, step, words, talk))
