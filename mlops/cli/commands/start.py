"""``mlops start``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir import Refusal, UsageError

if TYPE_CHECKING:
    from mlops.ir import Definition
    from mlops.use_cases.connecting import Connected


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
    format_: str,
) -> None:
    """Start a pipeline that was upserted before: TARGET is its name, or the file that declares it.

    What the account has is started. A file that says something else is refused.
    """
    from mlops.cli.running import watch
    from mlops.deploy.executions.following import Version, definition_of, find, start
    from mlops.deploy.executions.parameters import judge
    from mlops.deploy.executions.selection import newest_source, select, selective_config
    from mlops.use_cases.connecting import connect_here
    from mlops.use_cases.judging import judge_names

    values = options.named_values(parameters)
    judge_names(suffix, [alias] if alias else [])
    if alias is not None and version is not None:
        raise UsageError("--alias and --version exclude each other")
    if execution is not None and not only:
        raise UsageError("--from goes with --only STEP")
    if Path(target).is_dir():
        raise UsageError(
            f"{target!r} is a folder, and one pipeline is started", hint="give a file or a pipeline's name"
        )
    source = _opened(target, environment) if _is_file(target) else None
    name = target if source is None else source[0].name or ""
    name = f"{name}-{suffix}" if suffix else name
    connected = connect_here(environment, source[1] if source else None)
    chosen = Version(alias, version)
    definition = definition_of(connected.account, name, chosen)
    if source is not None and chosen.is_newest:
        _need_same(connected, target, source[0], suffix)
    judge(definition, values)
    selective = None
    if only:
        from mlops.check import check

        selection = select(check(definition), only)
        past = find(connected.account, execution, name) if execution else None
        selective = selective_config(selection, past or newest_source(connected.account, name, selection))
    arn = start(connected.account, connected.environment, name, values, selective, chosen)
    if watching:
        if format_ == "text":
            talk(f"{name}: execution {arn.rpartition('/')[2]}")
        watch(connected, arn, as_json=format_ == "json", target=target if source and not suffix else None)
    elif format_ == "json":
        print_json({"arn": arn})
    else:
        click.echo(arn)


def _is_file(target: str) -> bool:
    """Names of pipelines have neither dots nor slashes."""
    return not target.startswith("arn:") and (target.endswith((".py", ".json")) or ".py:" in target or "/" in target)


def _opened(target: str, environment: str) -> tuple[Definition, Path]:
    from mlops.check.sources import open_one
    from mlops.cli.listening import refuse_errors

    opened = open_one(target, environment)
    refuse_errors(opened.findings, doing="start")
    return opened.pipelines[0].definition, opened.root


def _need_same(connected: Connected, target: str, definition: Definition, suffix: str | None) -> None:
    """Raises Refusal where the account has something else than the file says."""
    from mlops.deploy.pipelines.state import describe, differing, wanted

    ours = wanted(definition, connected.environment, suffix)
    present = describe(connected.account, ours.name)
    others = differing(present.state, ours) if present is not None else []
    if others:
        env = connected.environment.name
        raise Refusal(
            f"{ours.name} in {env} is not what {target} says: {', '.join(others)}; nothing was started",
            hint=f"upsert it first; `mlops start {ours.name} --env {env}` starts what is there",
        )
