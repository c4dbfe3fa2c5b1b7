"""Schedules of an environment that never fire any more. What never fires whenever it is asked is no expression
(:mod:`mlops.knowledge.eventbridge`); this depends on the clock, so it is asked by whoever has one."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from mlops.check.codes import SURROUNDINGS
from mlops.ir import Finding, Severity, Where
from mlops.knowledge.eventbridge.schedule_expressions import next_time
from mlops.project.environments import Environment
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import line_of

_CODE = "A020"


def over(environment: Environment, pipelines: Collection[str], root: Path, now: datetime) -> Iterator[Finding]:
    """Of these pipelines, where they are enabled. ``now`` has a zone."""
    for name, schedule in environment.schedules.items():
        here = now.astimezone(_zone(schedule.timezone)).replace(tzinfo=None)
        if schedule.pipeline not in pipelines or not schedule.enabled or next_time(schedule.expression, here):
            continue
        file = root / CONFIGURATION
        text = file.read_text(encoding="utf-8-sig")
        yield Finding(
            _CODE,
            SURROUNDINGS[_CODE][0],
            Severity.WARNING,
            f"{schedule.expression} of [env.{environment.name}.schedules.{name}] is over: {schedule.pipeline} is not "
            "started by it any more",
            help="give another time, or take the table out",
            where=Where(str(file), line_of(text, ("env", environment.name, "schedules", name, "expression"))),
        )


def _zone(name: str | None) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name) if name else UTC
    except zoneinfo.ZoneInfoNotFoundError:  # a machine without the data base of time zones
        return UTC
