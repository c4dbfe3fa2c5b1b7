"""What the account has against what we last wrote: somebody else's change, or an upsert that was cut off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from mlops.deploy.fencing import LEASE_SECONDS
from mlops.deploy.pipelines.actions import WriteRecord
from mlops.deploy.pipelines.definition_diff import MemberChange, changes
from mlops.deploy.pipelines.differences import ResourceChange, SettingChange, setting_changes
from mlops.deploy.pipelines.record import Record, Stored
from mlops.deploy.pipelines.state import PipelineState, Present, without_content
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide


@dataclass(frozen=True, slots=True)
class Drift:
    """The account differs from what we last wrote. ``foreign``: we never wrote this pipeline. ``changes`` go from what
    we wrote to what is there; ``by`` and ``at`` as far as the account tells."""

    foreign: bool
    by: str | None
    at: str | None
    settings: tuple[SettingChange, ...] = ()
    changes: tuple[MemberChange, ...] = ()
    companions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upsert that wrote its record and not yet its pipeline. ``busy``: it may still be under way, with other
    content. ``dead``: it was one of this machine's, and its process is gone."""

    by: str
    at: str
    seconds: float
    busy: bool
    dead: bool = False


def compared(
    present: Present | None,
    state: PipelineState,
    stored: Stored | None,
    resources: Sequence[ResourceChange],
    written: WriteRecord,
    code: str,
) -> tuple[Drift | None, Unfinished | None]:
    """Whatever its ``code``; ``written`` is what we would write."""
    there, target = written.over, written.wrote
    moved = tuple(change.key for change in resources if change.drifted)
    if stored is None or stored.record is None:
        if present is None or there == target:
            return None, None
        return Drift(True, present.modified_by, present.modified), None
    last = stored.record
    if there not in (last.wrote, target) and there == last.over and _untouched(present, last.over_modified):
        busy = last.wrote != target and stored.age < LEASE_SECONDS and not stored.dead
        return None, Unfinished(last.by, last.at, stored.age, busy, stored.dead)
    if present is None or there in (last.wrote, target):
        return (Drift(False, None, None, companions=moved), None) if moved else (None, None)
    return _changed(present, _recorded(state.name, last), moved, code), None


def _changed(present: Present, before: PipelineState, moved: tuple[str, ...], code: str) -> Drift:
    told = tuple(
        change
        for change in changes(before.document, hide(present.state.document))
        if not (change.has_old and change.has_new)
        or without_content(json.dumps(change.old), code) != without_content(json.dumps(change.new), code)
    )
    shown = replace(present.state, description=present.state.shown()["PipelineDescription"])
    return Drift(False, present.modified_by, present.modified, setting_changes(before, shown), told, moved)


def _recorded(name: str, last: Record) -> PipelineState:
    return PipelineState(
        name,
        json.dumps(last.pipeline.get("PipelineDefinition") or {}),
        str(last.pipeline.get("RoleArn", "")),
        last.pipeline.get("PipelineDescription"),
        last.pipeline.get("MaxParallelExecutionSteps"),
        last.pipeline.get("PipelineDisplayName"),
    )


def _untouched(present: Present | None, modified: str | None) -> bool:
    return present is None or modified is None or present.modified == modified
