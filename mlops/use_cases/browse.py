"""What an account has, page by page, for whoever looks around in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mlops.account import answers
from mlops.deploy.executions import browsing
from mlops.deploy.executions.browsing import Browsed, Place, Wanted
from mlops.deploy.executions.details import parameters_of
from mlops.deploy.executions.following import describe, find
from mlops.deploy.pages import items
from mlops.ir import MlopsError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.use_cases.connecting import Connected

_ID = re.compile(r"[a-z0-9]{12}")


@dataclass(frozen=True, slots=True)
class Listed:
    """An execution in a list. ``display_name`` is one that somebody gave it; ``parameters`` are None where nobody asked
    for them."""

    arn: str
    id: str
    pipeline: str
    status: str
    started: datetime
    failure: str | None
    display_name: str | None
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Executions:
    """As :class:`~mlops.deploy.executions.browsing.Browsed` tells them."""

    rows: tuple[Listed, ...]
    following: Place | None
    looked: int
    gave_up: bool


@dataclass(frozen=True, slots=True)
class PipelineListed:
    """``last`` are its newest executions, the newest first; ``schedules`` those of mlops.toml."""

    name: str
    display_name: str | None
    description: str
    created: datetime | None
    modified: datetime | None
    last_run: datetime | None
    last: tuple[Listed, ...]
    schedules: tuple[str, ...] = ()


def executions(
    connected: Connected, wanted: Wanted, after: Place | None = None, most: int = 50, *, parameters: bool = False
) -> Executions:
    found: Browsed = browsing.browsed(connected.account, wanted, after, most)
    rows = [_listed(item) for item in found.summaries]
    if parameters:
        rows = [_with_parameters(connected, row) for row in rows]
    return Executions(tuple(rows), found.following, found.looked, found.gave_up)


def pipeline_names(connected: Connected) -> tuple[str, ...]:
    return tuple(sorted(str(item["PipelineName"]) for item in _summaries(connected)))


def pipelines(
    connected: Connected, words: str = "", skip: int = 0, most: int = 25, runs: int = 10
) -> tuple[Sequence[PipelineListed], int]:
    """Those whose names hold ``words``, which ran last first; and how many there are."""
    asked = words.lower()
    known = [item for item in _summaries(connected) if asked in str(item["PipelineName"]).lower()]
    never = datetime.min
    known.sort(key=lambda item: str(item["PipelineName"]))
    known.sort(key=lambda item: (item.get("LastExecutionTime") or never).replace(tzinfo=None), reverse=True)
    return [_pipeline(connected, item, runs) for item in known[skip : skip + most]], len(known)


def _pipeline(connected: Connected, item: Mapping[str, Any], runs: int) -> PipelineListed:
    name = str(item["PipelineName"])
    environment = connected.environment
    last = executions(connected, Wanted(name), most=runs).rows if item.get("LastExecutionTime") and runs else ()
    return PipelineListed(
        name=name,
        display_name=item.get("PipelineDisplayName"),
        description=hide_text(item.get("PipelineDescription") or ""),
        created=item.get("CreationTime"),
        modified=item.get("LastModifiedTime"),
        last_run=item.get("LastExecutionTime"),
        last=last,
        schedules=tuple(
            schedule.expression for schedule in environment.schedules.values() if schedule.pipeline == name
        ),
    )


def _summaries(connected: Connected) -> list[Mapping[str, Any]]:
    with answers():
        return list(items(connected.account.client("sagemaker"), "list_pipelines", "PipelineSummaries"))


def _listed(item: Mapping[str, Any]) -> Listed:
    arn = str(item["PipelineExecutionArn"])
    id, name = arn.rpartition("/")[2], item.get("PipelineExecutionDisplayName")
    return Listed(
        arn=arn,
        id=id,
        pipeline=str(item["PipelineName"]),
        status=str(item["PipelineExecutionStatus"]),
        started=item["StartTime"],
        failure=item.get("PipelineExecutionFailureReason"),
        display_name=None if name == f"execution-{id}" else name,
    )


def _with_parameters(connected: Connected, row: Listed) -> Listed:

    return replace(row, parameters=hide(parameters_of(connected.account, row.arn)))


def known_execution(connected: Connected, text: str) -> Listed | None:
    """By its id, its whole ARN, or an ARN of something in it; None where there is none."""
    given = text.rpartition("/execution/")[2] if text.startswith("arn:") else text
    try:
        state = describe(connected.account, find(connected.account, given)) if _ID.fullmatch(given) else None
    except MlopsError:
        return None
    if state is None or state.created is None:
        return None
    return Listed(state.arn, state.id, state.pipeline, state.status, state.created, state.failure, None)
