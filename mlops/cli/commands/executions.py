"""``mlops executions``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk

if TYPE_CHECKING:
    from mlops.deploy.executions.following import ExecutionState, StepState
    from mlops.use_cases.executions import Found


@click.group(cls=Group)
def command() -> None:
    """Runs of pipelines: list, show, logs, metrics, record, stop, retry, answer, diff, open."""


@command.command("list")
@click.argument("pipeline", required=False)
@options.environment
@click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Show so many of them, 0 for all."
)
@options.as_json
def list_(pipeline: str | None, environment: str, limit: int, format_: str) -> None:
    """Executions of PIPELINE, or of all; newest first."""
    from mlops.use_cases.executions import as_list, listed

    found = listed(environment, pipeline, limit or None)
    if limit and len(found) == limit:
        talk(f"the newest {limit}; --limit 0 shows all")
    if format_ == "json":
        print_json(as_list(found))
        return
    table(
        ("EXECUTION", "PIPELINE", "STATUS", "STARTED"),
        [
            (
                str(item["PipelineExecutionArn"]).rpartition("/")[2],
                str(item["PipelineName"]),
                str(item["PipelineExecutionStatus"]),
                moment(item["StartTime"]),
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
    from mlops.cli.watching import short_reason, tell_failure
    from mlops.use_cases.executions import as_dictionary, failures, found, way_on

    shown = found(environment, execution)
    if watching:
        _watch(shown, format_)
        return
    state = shown.state
    if format_ == "json":
        print_json(as_dictionary(shown.connected, state))
        return
    click.echo(f"{state.pipeline} {state.id}: {state.status}{f' ({state.failure})' if state.failure else ''}")
    header, rows = ("STEP", "TYPE", "STATUS", "SECONDS"), summary(state)
    if any(step.failure for step in state.steps):
        reasons = [short_reason(step.failure or "") for step in state.steps]
        table((*header, "REASON"), [(*row, reason) for row, reason in zip(rows, reasons, strict=True)])
    else:
        table(header, rows)
    failed = {failure.step.name: failure for failure in failures(shown.connected, state)}
    for step in state.steps:
        if step.name in failed:
            tell_failure(failed[step.name])
        elif step.failure:
            talk(f"{step.name}: {step.failure}")
    if (way := way_on(state, shown.connected.environment.option)) is not None:
        talk(way)


def _watch(execution: Found, format_: str, *, stopping: bool = False, before: ExecutionState | None = None) -> None:
    from mlops.cli.watching import Watching, need_success
    from mlops.use_cases.executions import watch

    with Watching(as_json=format_ == "json") as listener:
        state = watch(execution, listener, stopping=stopping, before=before)
    need_success(state, execution.connected.environment.option)


@command.command()
@click.argument("execution", required=False)
@options.environment
@options.output
def report(execution: str | None, environment: str, output: str | None) -> None:
    """EXECUTION (the newest without) as one HTML page: its graph, times, failures, parameters, metrics, outputs.

    It loads nothing and runs nothing, so it can be kept and sent. What looks like a secret is hidden.
    """
    from mlops.cli.writing import put
    from mlops.emit.sheets.html import emit
    from mlops.use_cases.executions import found
    from mlops.use_cases.report import of_execution

    shown = found(environment, execution)
    put(emit(of_execution(shown)), output, f"execution {shown.arn.rpartition('/')[2]}", force=False)


@command.command()
@click.argument("execution", required=False)
@options.environment
@options.as_json
def record(execution: str | None, environment: str, format_: str) -> None:
    """Record EXECUTION (the newest without) to MLflow, as the pipeline or mlops.toml asks; again changes nothing."""
    from mlops.cli.listening import hear
    from mlops.use_cases import executions

    found = executions.found(environment, execution)
    run = executions.record(found, hear)
    if format_ == "json":
        print_json({"arn": found.arn, "run": run})


@command.command()
@click.argument("execution", required=False)
@click.argument("step", required=False)
@options.environment
@click.option(
    "-f", "--follow", "following", is_flag=True, help="Go on with what they print, until EXECUTION has ended."
)
@options.as_json
def logs(execution: str | None, step: str | None, environment: str, following: bool, format_: str) -> None:
    """What the steps of EXECUTION (the newest without) printed, or only STEP. EXECUTION may be `last`.

    As JSON it is one document a line. Ctrl-C ends the following and leaves the execution alone.
    """
    from mlops.use_cases.executions import found, log, log_until_the_end, logged_elsewhere

    execution_found = found(environment, execution)
    printed = log_until_the_end(execution_found, step) if following else log(execution_found, step)
    count = 0
    for line in printed.lines:
        if format_ == "json":
            click.echo(json.dumps({"step": line.step, "text": line.text}, ensure_ascii=False))
        else:
            click.echo(line.text if line.step == step else f"{line.step} | {line.text}")
        count += 1
    elsewhere = logged_elsewhere(execution_found, step)
    for name, group in elsewhere.items():
        talk(f"{name} called a function, which prints to the log group {group}")
    if not count and not elsewhere:
        if printed.unstarted:
            why = f": {', '.join(printed.unstarted)} failed before a job was started"
        else:
            why = "" if printed.could_print else ": only steps that are jobs or call functions have a log"
        talk(f"nothing was printed{why}")


@command.command()
@click.argument("execution", required=False)
@click.argument("step", required=False)
@options.environment
@click.option("-f", "--follow", "following", is_flag=True, help="Value by value, until EXECUTION has ended.")
@options.as_json
def metrics(execution: str | None, step: str | None, environment: str, following: bool, format_: str) -> None:
    """The metrics that the training steps of EXECUTION (the newest without) printed, or only STEP.

    As JSON it is one value a line, else a line a metric with its curve. Ctrl-C ends the following and leaves the
    execution alone.
    """
    from mlops.cli.curve import curve
    from mlops.use_cases.executions import found, metrics

    series: dict[tuple[str, str], list[float]] = {}
    for item in metrics(found(environment, execution), step, following=following):
        series.setdefault((item.step, item.metric), []).append(item.value)
        if format_ == "json":
            value = item.value if math.isfinite(item.value) else str(item.value)
            click.echo(json.dumps({"step": item.step, "metric": item.metric, "number": item.number, "value": value}))
        elif following:
            click.echo(f"{item.step} {item.metric} {item.number} {item.value:g}")
    if not series:
        talk("nothing was measured: no training step has printed a value of one of its metrics")
    elif format_ != "json" and not following:
        table(
            ("STEP", "METRIC", "VALUES", "FIRST", "LAST", "LEAST", "MOST", "CURVE"),
            [
                (*of, str(len(values)), *(f"{value:g}" for value in _ends(values)), curve(values))
                for of, values in sorted(series.items())
            ],
        )


def _ends(values: list[float]) -> tuple[float, float, float, float]:
    finite = [value for value in values if math.isfinite(value)] or values
    return values[0], values[-1], min(finite), max(finite)


@command.command()
@click.argument("execution")
@options.environment
@click.option("--watch/--no-watch", "watching", default=True, show_default=True, help="Wait until it has stopped.")
@asking.yes
@options.as_json
def stop(execution: str, environment: str, watching: bool, yes: bool, format_: str) -> None:
    """Stop EXECUTION (id, beginning of it, ARN, or `last`): no step starts any more, those that run get SIGTERM."""
    from mlops.cli.watching import Watching
    from mlops.use_cases import executions

    with Watching(as_json=format_ == "json") as listener:
        found = executions.found(environment, execution)
        state = executions.stop(found, listener, asking.consent(yes), watching_it=watching)
    if format_ == "json":
        print_json(executions.as_dictionary(found.connected, state))
    else:
        click.echo(f"{state.pipeline} {state.id}: {state.status}")


@command.command()
@click.argument("execution")
@options.environment
@click.option("--watch/--no-watch", "watching", default=True, show_default=True, help="Follow it to its end.")
@asking.yes
@options.as_json
def retry(execution: str, environment: str, watching: bool, yes: bool, format_: str) -> None:
    """Go on with EXECUTION (id, beginning of it, ARN, or `last`) where it failed or was stopped.

    Steps that succeeded are not repeated. With --watch it ends with 1 where the execution fails again. Ctrl-C stops an
    execution of the local account, as with `mlops run`; elsewhere it goes on.
    """
    from mlops.use_cases import executions

    found = executions.found(environment, execution)
    before = executions.retry(found, asking.consent(yes))
    if watching:
        _watch(found, format_, stopping=found.connected.environment.is_local, before=before)
    elif format_ == "json":
        print_json({"arn": found.arn})
    else:
        click.echo(found.arn)


@command.command()
@options.execution_and_step
@options.environment
@options.execution
@click.option(
    "--give",
    "outputs",
    cls=options.Renamed,
    old=("-o", "--output"),
    multiple=True,
    metavar="NAME=VALUE",
    help="An output of the step; may be repeated.",
)
@click.option("--fail", "failure", metavar="REASON", help="The step fails, for this reason.")
@asking.yes
@options.as_json
def answer(
    place: tuple[str, ...],
    execution: str | None,
    environment: str,
    outputs: tuple[str, ...],
    failure: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Answer STEP, a Callback that waits, of EXECUTION (the newest without)."""
    from mlops.use_cases import executions
    from mlops.use_cases.answering import Answer, answer_step

    if failure is not None and outputs:
        raise click.UsageError("use --give or --fail, not both")
    chosen, step = options.placed(place, execution)
    given = Answer(options.named_values(outputs, "output"), failure)
    done = answer_step(executions.found(environment, chosen), step, given, asking.consent(yes))
    if format_ == "json":
        print_json({"execution": done.execution, "step": done.step, "outputs": dict(given.outputs), "failure": failure})
    else:
        click.echo(f"{done.step} of {done.execution} was answered{' with a failure' if failure is not None else ''}")


@command.command()
@click.argument("old")
@click.argument("new")
@options.environment
@options.as_json
def diff(old: str, new: str, environment: str, format_: str) -> None:
    """What differed between the executions OLD and NEW (ids, beginnings of them, ARNs, or `last`)."""
    from mlops.deploy.executions.diff import as_dictionary
    from mlops.use_cases.compare import compare

    found = compare(environment, old, new)
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


@command.command("open", cls=options.WithCommand)
@options.execution_and_step
@options.environment
@options.execution
@click.option(
    "--debug",
    is_flag=True,
    help="The step's own Python program under pdb, to breakpoints and where it raises.",
)
def open_(place: tuple[str, ...], execution: str | None, environment: str, debug: bool, words: tuple[str, ...]) -> None:
    """A shell, or COMMAND, where STEP of EXECUTION (the newest without) ran: its /opt/ml, environment and sandbox.

    In the local account only. Ends with the command's exit code.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.local_account import open_step

    chosen, step = options.placed(place, execution)
    raise click.exceptions.Exit(open_step(step, chosen, words, hear, environment=environment, debug=debug))
