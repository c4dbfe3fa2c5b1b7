"""``mlops feedback``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from mlops.cli import asking, options
from mlops.cli.group import Group
from mlops.cli.printing import moment, print_json, table, talk

if TYPE_CHECKING:
    from mlops.ir.feedback import Loop


@click.group(cls=Group)
def command() -> None:
    """What alarms and violations lead to: list, show, approve, on, off, run."""


@command.command("list")
@options.environment
@options.as_json
def list_(environment: str, format_: str) -> None:
    """What `feedback` of the environment declares, and how the last time went."""
    from mlops.use_cases.feedback import as_dictionary, listed

    found = listed(environment)
    if format_ == "json":
        print_json(
            [
                {
                    "feedback": item.name,
                    "by": item.feedback.watches[0],
                    "watches": item.feedback.watches[1],
                    "enabled": item.feedback.enabled,
                    "stages": list(item.stages),
                    "last": item.last and as_dictionary(item.last),
                }
                for item in found
            ]
        )
        return
    if not found:
        talk(f"{environment} declares none: [env.{environment}.feedback.NAME] in mlops.toml")
    table(
        ("FEEDBACK", "ON", "DOES", "LAST", "STATE"),
        [
            (
                item.name,
                " ".join(item.feedback.watches),
                ", ".join(item.stages) if item.feedback.enabled else "nothing: it is not enabled",
                moment(item.last.modified) if item.last else "-",
                item.last.state if item.last else "-",
            )
            for item in found
        ],
    )


@command.command()
@click.argument("feedback")
@options.environment
@options.as_json
def show(feedback: str, environment: str, format_: str) -> None:
    """Each time that FEEDBACK was to act: why, how far it is, and what came of it."""
    from mlops.use_cases.feedback import as_dictionary, shown

    found = shown(environment, feedback)
    if format_ == "json":
        print_json([as_dictionary(loop) for loop in found])
        return
    for loop in found:
        _tell(loop)
    if not found:
        talk(f"{feedback} has had nothing to do yet")


@command.command()
@click.argument("feedback")
@options.environment
@click.option("--event", "cause", type=int, help="About this event; the newest that waits without.")
@click.option("--reject", "rejected", is_flag=True, help="Say no: it is over then.")
@click.option("--reason", help="Why, for the records.")
@asking.as_user
@asking.yes
@options.as_json
def approve(
    feedback: str,
    cause: int | None,
    rejected: bool,
    reason: str | None,
    environment: str,
    user: str | None,
    yes: bool,
    format_: str,
) -> None:
    """Let FEEDBACK go on where it waits for a person: before it trains, or before it promotes."""
    from mlops.use_cases.feedback import answer, as_dictionary

    loop = answer(environment, feedback, asking.consent(yes), cause=cause, rejected=rejected, reason=reason, user=user)
    if format_ == "json":
        print_json(as_dictionary(loop))
    else:
        _tell(loop)


@command.command()
@options.environment
@asking.yes
@options.as_json
def on(environment: str, yes: bool, format_: str) -> None:
    """Let the local account's clock run it, whenever an alarm or a violation comes."""
    _switch(environment, yes, format_, on=True)


@command.command()
@options.environment
@asking.yes
@options.as_json
def off(environment: str, yes: bool, format_: str) -> None:
    """Let it be: what has begun waits for `mlops feedback run`, or until it is on again."""
    _switch(environment, yes, format_, on=False)


def _switch(environment: str, yes: bool, format_: str, *, on: bool) -> None:
    from mlops.cli.listening import hear
    from mlops.use_cases.feedback_running import switch

    # Not what lies beside mlops.toml under our names.
    run = [sys.executable, "-P", "-m", "mlops", "feedback", "run", "--until-done", "--every", "1", "--env", environment]
    changed = switch(environment, hear, asking.consent(yes), command=run if on else None)
    if format_ == "json":
        print_json({"environment": environment, "on": on, "changed": changed})
    else:
        already = "" if changed else " already"
        click.echo(f"feedback in {environment} is {'on' if on else 'off'}{already}")


@command.command()
@options.environment
@click.option("--once", is_flag=True, help="Answer what has come, go on with what can go on, and end.")
@click.option("--until-done", is_flag=True, help="End when nothing is left but to wait for people.")
@click.option(
    "--every",
    type=options.Duration(0.05),
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="How often to look.",
)
@options.as_json
def run(once: bool, until_done: bool, every: float, environment: str, format_: str) -> None:
    """Answer alarms and violations of the local account until Ctrl-C; what was cut off is gone on with.

    As JSON it is one change a line.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases.feedback import as_dictionary
    from mlops.use_cases.feedback_running import run

    for loop in run(environment, hear, once=once, until_done=until_done, every=every):
        if format_ == "json":
            click.echo(json.dumps(as_dictionary(loop), default=str, ensure_ascii=False))
        else:
            _tell(loop)


def _tell(loop: Loop) -> None:
    told = loop.told
    parts = [
        f"execution {str(told['execution']).rpartition('/')[2]}" if told.get("execution") else "",
        f"version {told['version']} of {told['group']}" if told.get("version") is not None else "",
        f"of the machine {str(told['machine']).rpartition(':')[2]}" if told.get("machine") else "",
        str(told.get("verdict") or ""),
    ]
    come = "; ".join(part for part in parts if part)
    line = f"{moment(loop.modified)} {loop.feedback} event {loop.cause}: {loop.state}, {told.get('why', '')}"
    click.echo(f"{line}{'; ' + come if come else ''}")
