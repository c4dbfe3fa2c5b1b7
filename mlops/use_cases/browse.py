"""What an account has, page by page, for whoever looks around in it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mlops.account import answers
from mlops.deploy.executions import browsing
from mlops.deploy.executions.browsing import Browsed, Place, Wanted
from mlops.deploy.executions.details import parameters_of_each
from mlops.deploy.executions.following import ExecutionState, describe, find
from mlops.deploy.models import registry
from mlops.deploy.models.registry import Version
from mlops.deploy.pages import items
from mlops.deploy.shifting.cloudwatch import every_alarm
from mlops.ir import Event, MlopsError
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide, hide_text
from mlops.use_cases.connecting import Connected
from mlops.use_cases.models import Listed as Registered
from mlops.use_cases.models import places_of

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

    pipelines: tuple[str, ...]
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
    each: Sequence[Mapping[str, str] | None] = [None] * len(found.summaries)
    if parameters:
        each = parameters_of_each(connected.account, [item["PipelineExecutionArn"] for item in found.summaries])
    rows = (_listed(item, values) for item, values in zip(found.summaries, each, strict=True))
    return Executions(found.pipelines, tuple(rows), found.following, found.looked, found.gave_up)


def succeeded_before(connected: Connected, state: ExecutionState) -> Listed | None:
    """The newest of the same pipeline that has succeeded and began before it; None where none did of late."""
    wanted = Wanted(state.pipeline, frozenset({"Succeeded"}), until=state.created)
    return next(iter(executions(connected, wanted, most=1).rows), None)


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


@dataclass(frozen=True, slots=True)
class GroupListed:
    """A model package group; ``newest`` is its newest version."""

    name: str
    description: str
    created: datetime | None
    newest: Version | None


def groups(
    connected: Connected, words: str = "", skip: int = 0, most: int = 25, *, newest: bool = True
) -> tuple[Sequence[GroupListed], int]:
    """Model package groups whose names hold ``words``, by name; and how many there are."""
    with answers():
        sagemaker = connected.account.client("sagemaker")
        found = items(sagemaker, "list_model_package_groups", "ModelPackageGroupSummaryList")
        known = [item for item in found if words.lower() in str(item["ModelPackageGroupName"]).lower()]
    known.sort(key=lambda item: str(item["ModelPackageGroupName"]))
    return [_group(connected, item, newest) for item in known[skip : skip + most]], len(known)


def _group(connected: Connected, item: Mapping[str, Any], newest: bool) -> GroupListed:
    name = str(item["ModelPackageGroupName"])
    found = registry.page(connected.account, name, None, 1)[0] if newest else ()
    about = hide_text(item.get("ModelPackageGroupDescription") or "")
    return GroupListed(name, about, item.get("CreationTime"), found[0] if found else None)


def versions(
    connected: Connected, group: str, after: str | None = None, most: int = 50
) -> tuple[Sequence[Registered], str | None]:
    """Of a model package group, newest first; and behind which place they go on. Raises UsageError where there is no
    such group."""
    found, following = registry.page(connected.account, group, after, most)
    serves = places_of(connected.account) if found else {}
    return [Registered(item, None if serves is None else serves.get(item.arn, ())) for item in found], following


def known_version(connected: Connected, group: str, number: int) -> Version | None:
    """None where there is none."""
    try:
        return registry.version(connected.account, group, number)
    except MlopsError:
        return None


def _summaries(connected: Connected) -> list[Mapping[str, Any]]:
    with answers():
        return list(items(connected.account.client("sagemaker"), "list_pipelines", "PipelineSummaries"))


def _listed(item: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> Listed:
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
        parameters=hide(parameters) if parameters else parameters,
    )


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


@dataclass(frozen=True, slots=True)
class AlarmListed:
    """``why`` is what the account says of its state."""

    name: str
    state: str
    since: datetime | None
    why: str
    arn: str


def alarms(connected: Connected, words: str = "") -> Sequence[AlarmListed]:
    """All whose names hold ``words``, those that are red first."""
    found: list[AlarmListed] = []
    with answers():
        for item in every_alarm(connected.account.client("cloudwatch")):
            if words.lower() in str(item["AlarmName"]).lower():
                why = hide_text(str(item.get("StateReason") or ""))
                since = item.get("StateTransitionedTimestamp") or item.get("StateUpdatedTimestamp")
                found.append(AlarmListed(item["AlarmName"], item["StateValue"], since, why, item["AlarmArn"]))
    return sorted(found, key=lambda item: (item.state != "ALARM", item.name))


@dataclass(frozen=True, slots=True)
class Happened:
    """A part of what happened, the newest first. ``earlier`` and ``later`` are the places from which the parts beside
    it are read, None where there is none."""

    events: Sequence[Event]
    earlier: int | None
    later: int | None


def happened(
    connected: Connected,
    behind: int | None = None,
    *,
    kinds: Sequence[str] = (),
    ids: Mapping[str, str] | None = None,
    most: int = 100,
) -> Happened | None:
    """The newest where no place is given, else those behind it; None where the account keeps no events."""
    kept = connected.account.events
    if kept is None:
        return None
    newest = kept.newest()

    def read(after: int) -> Sequence[Event]:
        return kept.read(after, kinds=kinds, ids=ids, limit=most)

    found = _last(read, newest, most) if behind is None else read(behind)
    last = found[-1].sequence if found else None
    more = last is not None and last < newest and len(found) == most
    first = (found[0].sequence or 0) - 1 if found else min(behind or 0, newest)
    before = _last(read, first, most) if first > 0 else ()
    return Happened(found[::-1], (before[0].sequence or 0) - 1 if before else None, last if more else None)


def _last(read: Callable[[int], Sequence[Event]], until: int, most: int) -> Sequence[Event]:
    """The ``most`` that are nearest to a number, and not behind it. An account tells what is behind a place alone: that
    is looked for farther and farther back."""
    back = most
    while True:
        after = max(until - back, 0)
        page = [event for event in read(after) if (event.sequence or 0) <= until]
        if len(page) == most or after == 0:
            break
        back *= 4
    found = deque(page, maxlen=most)
    while len(page) == most:
        page = [event for event in read(page[-1].sequence or until) if (event.sequence or 0) <= until]
        found.extend(page)
    return tuple(found)
