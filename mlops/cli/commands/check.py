"""``mlops check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli import options
from mlops.cli.printing import is_coloured, talk
from mlops.ir import MlopsError, Severity, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops.check.sources import Opened
    from mlops.ir import Finding

_AT_MOST = 10
"""Rounds of mending: a mend may uncover the next fault."""


class _Formats(click.Choice):  # type: ignore[type-arg]
    """The formats that there are; looked for when somebody asks, and not for the help of all commands."""

    def __init__(self) -> None:
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        from mlops.check.reports import formats

        return formats()


@click.command()
@click.argument("targets", nargs=-1, required=True)
@options.environment
@options.changed_since
@click.option("--format", "format_", type=_Formats(), default="text", show_default=True)
@click.option("--select", multiple=True, metavar="CODES", help="Tell only these codes, or families by their beginning.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Do not tell these; comma lists, may be repeated.")
@click.option("--baseline", metavar="FILE", help="Tell only what FILE does not hold.")
@click.option("--write-baseline", is_flag=True, help="Write what is found to the baseline FILE, and end with 0.")
@click.option("--fix", is_flag=True, help="Make the mends that are certain, in your files.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing; 1 where there is a mend.")
@click.option("--skip-others", is_flag=True, help="Pass over files that hold no pipeline, as a commit hook needs it.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
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
    """All findings on TARGETS: pipeline files, folders, definitions in JSON; - reads one from standard input.

    Ends with 1 where there is an error.
    """
    from mlops.check.sources import open_targets
    from mlops.cli.listening import hear
    from mlops.use_cases.touching import only_touched

    if write_baseline and changed_since is not None:
        raise UsageError("--write-baseline goes with all that is found, so not with --changed-since")
    if write_baseline and baseline is None:
        raise UsageError("--write-baseline needs --baseline FILE")
    if watch and (fix or diff or write_baseline or "-" in targets):
        raise UsageError("--watch goes neither with --fix, --diff nor --write-baseline, nor with standard input")
    if fix and diff:
        raise UsageError("--fix and --diff exclude each other")

    def opened() -> Opened:
        found = open_targets(targets, environment, select=select, ignore=ignore, skip_others=skip_others)
        return found if changed_since is None else only_touched(found, changed_since, hear)

    if watch:
        _watch(targets, opened, format_, baseline)
    found = _mended(opened, baseline) if fix else opened()
    if write_baseline and baseline is not None:
        _write_baseline(Path(baseline), found)
        return
    findings = _without_known(baseline, found)
    if diff:
        _show_diff(findings, found.root)
    _tell(findings, found, format_)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


def _tell(findings: Sequence[Finding], opened: Opened, format_: str) -> None:
    from mlops.check.reports import report

    text = report(format_)(findings, files=len(opened.files), colour=is_coloured(sys.stdout))
    if findings or format_ != "text":
        click.echo(text, nl=False)
    if format_ == "text":
        many = f"{len(opened.pipelines)} {'pipeline' if len(opened.pipelines) == 1 else 'pipelines'} checked"
        talk(many if findings else f"{many}: nothing to say")


def _without_known(baseline: str | None, opened: Opened, *, quietly: bool = False) -> Sequence[Finding]:
    if baseline is None:
        return opened.findings
    from mlops.check import baseline as baselines

    file = Path(baseline)
    folder = file.parent.resolve()
    compared = baselines.compare(baselines.read(file), opened.findings, folder, _resolved(opened))
    if quietly:
        return compared.fresh
    if compared.known:
        talk(f"{compared.known} known to {baseline}")
    for entry, count in compared.gone:
        times = f" ({count} times)" if count > 1 else ""
        talk(f"{baseline}: {entry.code} in {entry.file} is not found any more{times}: {entry.message}")
    if compared.gone:
        talk(f"  help: `--baseline {baseline} --write-baseline` takes them out")
    return compared.fresh


def _write_baseline(file: Path, opened: Opened) -> None:
    from mlops.check import baseline as baselines

    before = baselines.read(file) if file.exists() else baselines.nothing()
    held, let_go = baselines.write(file, opened.findings, before, _resolved(opened))
    talk(f"{file}: {held} {'entry' if held == 1 else 'entries'}" + (f", {let_go} let go" if let_go else ""))


def _watch(targets: Sequence[str], opened: Callable[[], Opened], format_: str, baseline: str | None) -> None:
    """Until Ctrl-C. What is wrong with the configuration is told like a finding: the next change may mend it."""
    from mlops.check.watching import stamp, wait_for_change

    try:
        found: Opened | None = None
        while True:
            before = stamp(targets, found)
            talk("checking")
            try:
                found = opened()
                _tell(_without_known(baseline, found), found, format_)
            except MlopsError as error:
                talk(f"error: {error.message}" + (f"\n  help: {error.hint}" if error.hint else ""))
            before = {**stamp(targets, found), **before}
            talk(f"watching {len(before)} files")
            wait_for_change(before, targets, found)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None


def _mended(opened: Callable[[], Opened], baseline: str | None) -> Opened:
    """Mend and look again, until nothing is left that is certain. What a baseline knows is left alone."""
    from mlops.check.fixing import mend
    from mlops.check.places import shown

    for _ in range(_AT_MOST):
        found = opened()
        changes = mend(_without_known(baseline, found, quietly=True), root=found.root)
        if not changes:
            return found
        for change in changes:
            change.write()
            talk(f"{shown(change.file)}: {change.count} mended")
    return opened()


def _show_diff(findings: Sequence[Finding], root: Path) -> None:
    from mlops.check.fixing import mend
    from mlops.check.places import shown

    changes = mend(findings, root=root)
    for change in changes:
        click.echo(change.diff(shown(change.file)), nl=False)
    many = sum(change.count for change in changes)
    talk(f"{many} {'finding' if many == 1 else 'findings'} can be mended with --fix")
    raise click.exceptions.Exit(1 if changes else 0)


def _resolved(opened: Opened) -> list[Path]:
    return [Path(file).resolve() for file in opened.files if file != "-"]
