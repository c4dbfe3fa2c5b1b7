"""``mlops check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mlops.cli import options
from mlops.cli.printing import is_coloured, talk
from mlops.ir import MlopsError, Severity, UsageError
from mlops.ir.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops.check.fixing import Mended
    from mlops.check.sources import Opened
    from mlops.ir import Finding
    from mlops.use_cases.check import Check


class _Formats(options.Choice):
    """The formats that there are; looked for when somebody asks, and not for the help of all commands."""

    def __init__(self) -> None:
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        from mlops.check.reports import formats

        return formats()


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@options.environment
@options.changed_since
@click.option("--select", multiple=True, metavar="CODES", help="Tell only these codes, or families by their beginning.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not tell these; comma lists, may be repeated.")
@click.option("--baseline", metavar="FILE", help="Tell only what FILE does not hold.")
@click.option("--write-baseline", is_flag=True, help="Write what is found to the baseline FILE, and end with 0.")
@click.option("--fix", is_flag=True, help="Make the mends that are certain, in your files.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing; 1 where there is a mend.")
@click.option("--skip-others", is_flag=True, help="Pass over files that hold no pipeline, as a commit hook needs it.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.option("--format", "format_", type=_Formats(), default="text", show_default=True, help="For whom.")
def command(
    targets: tuple[str, ...],
    environment: str,
    changed_since: str | None,
    format_: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: str | None,
    write_baseline: bool,
    fix: bool,
    diff: bool,
    skip_others: bool,
    watch: bool,
) -> None:
    """All findings on TARGETS: pipeline files, folders, definitions in JSON, templates of CloudFormation in YAML or
    JSON, state machines of Step Functions in JSON; - reads a definition from standard input.

    Without any, on the pipelines of the project that mlops.toml names. With --env local also what this machine cannot
    run, as warnings; `mlops run` refuses it where the step is surely reached.

    Ends with 1 where there is an error.
    """
    from mlops.cli.listening import hear
    from mlops.use_cases import check as checking

    if write_baseline and changed_since is not None:
        raise UsageError("--write-baseline goes with all that is found, so not with --changed-since")
    if write_baseline and baseline is None:
        raise UsageError("--write-baseline needs --baseline FILE")
    if watch and (fix or diff or write_baseline or "-" in targets):
        raise UsageError("--watch goes neither with --fix, --diff nor --write-baseline, nor with standard input")
    if fix and diff:
        raise UsageError("--fix and --diff exclude each other")

    if not targets:
        from mlops.use_cases.targets import project_target

        targets = (project_target(),)
    known = None if baseline is None else Path(baseline)
    # Whoever goes to an account alone is not told what this machine lacks.
    asked = click.get_current_context().get_parameter_source("environment") is ParameterSource.COMMANDLINE
    here = asked and environment == "local"
    request = checking.Check(targets, environment, changed_since, select, ignore, skip_others, known, here)
    if watch:
        _watch(request, format_)
    opened = checking.mend(request, hear) if fix else checking.look(request, hear)
    if write_baseline and known is not None:
        held, let_go = checking.write_baseline(known, opened)
        talk(f"{known}: {counted(held, 'entry')}" + (f", {let_go} let go" if let_go else ""))
        return
    findings = checking.fresh(request, opened, hear)
    if diff:
        _show_diff(checking.mends(findings, opened.root))
    _tell(findings, opened, format_)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


def _tell(findings: Sequence[Finding], opened: Opened, format_: str) -> None:
    from mlops.check.reports import report

    text = report(format_)(findings, files=len(opened.files), colour=is_coloured(sys.stdout))
    if findings or format_ != "text":
        click.echo(text, nl=False)
    if format_ == "text":
        declared = sum(len(checked.definition.steps) for checked in opened.resources)
        counts = {
            "pipeline": len(opened.pipelines),
            "resource": declared,
            "template": len(opened.templates),
            "machine": len(opened.machines),
        }
        found = [counted(count, word) for word, count in counts.items() if count] or [counted(0, "pipeline")]
        many = f"{' and '.join(found)} checked"
        talk(many if findings else f"{many}: nothing to say")


def _watch(request: Check, format_: str) -> None:
    """Until Ctrl-C. What is wrong with the configuration is told like a finding: the next change may mend it."""
    from mlops.check.watching import stamp, wait_for_change
    from mlops.cli.listening import hear, tell_error
    from mlops.use_cases.check import fresh, look

    targets = request.targets
    try:
        opened: Opened | None = None
        while True:
            before = stamp(targets, opened)
            talk("checking")
            try:
                opened = look(request, hear)
                _tell(fresh(request, opened, hear), opened, format_)
            except MlopsError as error:
                tell_error(error)
            before = {**stamp(targets, opened), **before}
            talk(f"watching {counted(len(before), 'file')}")
            wait_for_change(before, targets, opened)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _show_diff(changes: Sequence[Mended]) -> None:
    from mlops.check.places import shown

    for change in changes:
        click.echo(change.diff(shown(change.file)), nl=False)
    many = sum(change.count for change in changes)
    talk(f"{counted(many, 'finding')} can be mended with --fix")
    raise click.exceptions.Exit(1 if changes else 0)
