"""What the clock says of what was opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops.project.environments import LOCAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops.check.sources import Opened


def with_schedules(
    opened: Opened, environment: str, *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> Opened:
    """With a finding for each schedule of ``environment`` that is over; ``select`` and ``ignore`` are codes."""
    names = {checked.definition.name or "" for checked in opened.pipelines}
    if environment == LOCAL or not names:
        return opened
    from mlops.check.selection import listed_codes, read_selection
    from mlops.check.starts import over
    from mlops.project.environments import read_project

    project = read_project(opened.root)
    if environment not in project.environments:  # a definition in JSON is checked without a project
        return opened
    found = over(project.environments[environment], names, opened.root, datetime.now(UTC))
    wanted, unwanted = listed_codes("--select", select), listed_codes("--ignore", ignore)
    told = replace(read_selection(opened.root), select=wanted, ignore=unwanted).chosen(found)
    return replace(opened, findings=(*opened.findings, *told))
