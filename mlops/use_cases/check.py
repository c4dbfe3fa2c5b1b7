"""Everything that is found in pipelines, and the mends that are certain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.check.sources import STANDARD_INPUT, Opened, open_targets
from mlops.ir import Finding, Listener, unheard
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL
from mlops.use_cases.budgets import with_budgets
from mlops.use_cases.news import Said
from mlops.use_cases.starting_by_clock import with_schedules
from mlops.use_cases.tables import with_tables

if TYPE_CHECKING:
    from mlops.check.fixing import Mended

_AT_MOST = 10
"""Rounds of mending: a mend may uncover the next fault."""


@dataclass(frozen=True, slots=True)
class Check:
    """``select`` and ``ignore`` are codes, ``baseline`` a file with findings that are known, ``changed_since`` a Git
    commit: only what the changes since then touch is checked. With ``here`` also whether this machine can run them."""

    targets: tuple[str, ...]
    environment: str = LOCAL
    changed_since: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    skip_others: bool = False
    baseline: Path | None = None
    here: bool = False


def look(request: Check, listener: Listener) -> Opened:
    """Whatever is found, also what a baseline knows."""
    opened = open_targets(
        request.targets,
        request.environment,
        select=request.select,
        ignore=request.ignore,
        skip_others=request.skip_others,
    )
    opened = with_schedules(opened, request.environment, select=request.select, ignore=request.ignore)
    opened = with_budgets(opened, request.environment, select=request.select, ignore=request.ignore)
    opened = with_tables(opened, request.environment, request.targets, select=request.select, ignore=request.ignore)
    if request.here:
        from mlops.use_cases.runnable import with_obstacles  # where somebody asks

        opened = with_obstacles(opened, select=request.select, ignore=request.ignore)
    if request.changed_since is None:
        return opened
    from mlops.use_cases.touching import only_touched  # loads what asks Git

    return only_touched(opened, request.changed_since, listener)


def fresh(request: Check, opened: Opened, listener: Listener) -> tuple[Finding, ...]:
    """What the baseline does not know."""
    baseline = request.baseline
    if baseline is None:
        return opened.findings
    from mlops.check import baseline as baselines  # where there is one

    folder = baseline.parent.resolve()
    compared = baselines.compare(baselines.read(baseline), opened.findings, folder, _resolved(opened))
    if compared.known:
        listener(Said(text=f"{compared.known} known to {baseline}"))
    for entry, count in compared.gone:
        times = f" ({count} times)" if count > 1 else ""
        gone = f"{entry.code} in {entry.file} is not found any more{times}: {entry.message}"
        listener(Said(text=f"{baseline}: {gone}"))
    if compared.gone:
        listener(Said(text=f"  help: `--baseline {baseline} --write-baseline` takes them out"))
    return compared.fresh


def mend(request: Check, listener: Listener) -> Opened:
    """Mend and look again, until nothing is left that is certain. What a baseline knows is left alone."""
    from mlops.check.places import shown

    for _ in range(_AT_MOST):
        opened = look(request, listener)
        changes = mends(fresh(request, opened, unheard), opened.root)
        if not changes:
            return opened
        for change in changes:
            change.write()
            listener(Said(text=f"{shown(change.file)}: {change.count} mended"))
    return look(request, listener)


def mends(findings: Sequence[Finding], root: Path) -> tuple[Mended, ...]:
    """What is certain, by file; nothing is written."""
    from mlops.check.fixing import mend as mended  # where somebody wants to mend

    return tuple(mended(findings, root=root))


def write_baseline(file: Path, opened: Opened) -> tuple[int, int]:
    """How many entries it holds now, and how many it has let go."""
    from mlops.check import baseline as baselines  # where there is one

    before = baselines.read(file) if file.exists() else baselines.nothing()
    return baselines.write(file, opened.findings, before, _resolved(opened))


def _resolved(opened: Opened) -> list[Path]:
    return [Path(file).resolve() for file in opened.files if file != STANDARD_INPUT]
