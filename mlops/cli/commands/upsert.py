"""``mlops upsert``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlops.cli import options
from mlops.cli.printing import print_json, talk
from mlops.ir import AccountError, MlopsError, Refusal, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops.deploy.pipelines.plan import Plan

_GIVEN_UP_AFTER = 5
"""Pipelines in a row that the account refused: it is not about them, the credentials have expired, say."""


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@options.suffix
@options.alias
@options.changed_since
@click.option("--force", is_flag=True, help="Overwrite what somebody else changed or made.")
@click.option("--yes", is_flag=True, help="Do not ask, also where the environment wants an approval.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Apply this saved plan; refuses where account or source have moved since.",
)
@options.as_json
def command(
    targets: tuple[str, ...],
    environment: str,
    suffix: str | None,
    aliases: tuple[str, ...],
    changed_since: str | None,
    force: bool,
    yes: bool,
    plan_file: Path | None,
    format_: str,
) -> None:
    """Make the pipelines of TARGET what the source says, in an account: exactly what `mlops plan` shows.

    Does nothing the second time. What somebody else changed since the last upsert is refused.
    """
    from mlops.cli.deploying import plan_targets
    from mlops.cli.uploading import UploadProgress
    from mlops.deploy.pipelines import plan_report, saved_plan
    from mlops.deploy.pipelines.apply import Listener, apply

    saved = None
    if plan_file is not None:
        if targets or suffix or aliases or changed_since:
            raise UsageError("a saved plan has its own TARGETs and options", hint="give --plan FILE alone")
        saved = saved_plan.read(plan_file)
        given = click.get_current_context().get_parameter_source("environment")
        if given is ParameterSource.COMMANDLINE and environment != saved.environment:
            raise UsageError(f"the plan was saved for {saved.environment}, not for {environment}; nothing was written")
        targets, environment, suffix, aliases = saved.targets, saved.environment, saved.suffix, saved.aliases
    if not targets:
        raise UsageError("there is nothing to upsert", hint="give a TARGET, or --plan FILE")
    planned = plan_targets(
        targets, environment, suffix=suffix, aliases=aliases, changed_since=changed_since, doing="upsert"
    )
    if saved is not None:
        chosen = {promise.pipeline for promise in saved.promises}
        if not chosen:
            talk("the saved plan has no pipeline: nothing to do")
        planned = planned.only(chosen)
        saved_plan.hold(saved, planned.plans)
    for plan in planned.plans:
        if plan.actions:
            talk(plan_report.text(plan).rstrip("\n"))
    if planned.connected.environment.approval and saved is None and not yes:
        _ask(environment, any(plan.actions for plan in planned.plans))
    done, failed = [], []
    sent: set[str] = set()
    connected = planned.connected
    not_begun: Sequence[Plan] = ()
    in_a_row = 0
    number = 0
    try:
        for number, plan in enumerate(planned.plans, 1):
            with UploadProgress() as progress:
                listener = Listener(progress.done, progress)
                try:
                    result = apply(
                        connected.account, connected.environment, plan, force=force, listener=listener, sent=sent
                    )
                except MlopsError as error:
                    if len(planned.plans) == 1:
                        raise
                    # The others are another matter, and each is whole by itself.
                    failed.append((plan.name, error))
                    talk(f"error: {error.message}" + (f"\n  help: {error.hint}" if error.hint else ""))
                    in_a_row = in_a_row + 1 if isinstance(error, AccountError) else 0
                    if in_a_row == _GIVEN_UP_AFTER:
                        not_begun = [other for other in planned.plans[number:] if other.actions]
                        break
                    continue
            in_a_row = 0
            done.append(result)
            sent.update(result.uploaded)
            if format_ == "text":
                click.echo(f"{result.name}: {result.action} in {environment}")
    except KeyboardInterrupt as stop:
        left = sum(bool(other.actions) for other in planned.plans[number:])
        stop.add_note(
            f"{len(done)} pipelines are done, {left} were not begun; run it again: it goes on where this ended"
        )
        raise
    if format_ == "json":
        print_json(
            [
                {"name": result.name, "arn": result.arn, "action": result.action, "uploaded": list(result.uploaded)}
                for result in done
            ]
        )
    if failed:
        first = failed[0][1]
        names = ", ".join(name for name, _ in failed)
        others = f"{len(not_begun)} were not begun, " if not_begun else ""
        first.message = f"{len(failed)} of {len(planned.plans)} pipelines failed: {names}"
        first.hint = f"{others}the others are done; run it again"
        raise first


def _ask(environment: str, needed: bool) -> None:
    if not needed:
        return
    if not sys.stdin.isatty():
        raise Refusal(
            f"the environment {environment} wants an approval, and nobody can be asked here; nothing was written",
            hint="apply a saved plan that somebody looked at, or give --yes",
        )
    if not click.confirm(f"Write this to {environment}?", err=True):
        raise Refusal("not approved; nothing was written")
