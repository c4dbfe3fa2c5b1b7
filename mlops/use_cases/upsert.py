"""Make the pipelines of targets, or of a saved plan, what the source says, in an account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.deploy.pipelines import apply as applying
from mlops.deploy.pipelines import saved_plan
from mlops.deploy.pipelines.actions import Action
from mlops.deploy.pipelines.apply import Applied
from mlops.deploy.pipelines.plan import Plan
from mlops.deploy.pipelines.saved_plan import SavedPlan
from mlops.ir import AccountError, Listener, MlopsError, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import LOCAL
from mlops.use_cases.approval import GIVEN, NOBODY, Consent, Shared, need_consent
from mlops.use_cases.commits import note_commit
from mlops.use_cases.news import Failed, News, Said
from mlops.use_cases.plan import Planned, Wanted, plan

if TYPE_CHECKING:
    from mlops.deploy.declared.apply import Applied as ResourcesApplied
    from mlops.deploy.declared.plan import Plan as ResourcePlan

_GIVEN_UP_AFTER = 5
"""Pipelines in a row that the account refused: it is not about them, the credentials have expired, say."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Upsert:
    """``saved`` is a plan in a file, which has targets and options of its own, so that ``wanted`` has none;
    ``saved_for`` is the environment that it has to be for, any without. ``force`` overwrites what somebody else
    changed or made."""

    wanted: Wanted
    saved: Path | None = None
    saved_for: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Upserted:
    """``failure`` sums up what could not be done, where something of several could not."""

    environment: str
    done: tuple[Applied, ...]
    failure: MlopsError | None = None
    resources: tuple[ResourcesApplied, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WasPlanned(News):
    """What will be done, before it is."""

    kind: str = "pipeline.planned"
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesWerePlanned(News):
    """The same of what a file declares beside pipelines."""

    kind: str = "resources.planned"
    plan: ResourcePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcesWereUpserted(News):
    kind: str = "resources.upserted"
    environment: str
    applied: ResourcesApplied


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending(News):
    """``there`` of ``size`` bytes of an object are in the bucket. Told from several threads."""

    kind: str = "upload.progressed"
    there: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WasDone(News):
    kind: str = "action.done"
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class WasUpserted(News):
    kind: str = "pipeline.upserted"
    environment: str
    applied: Applied


def upsert(request: Upsert, listener: Listener, consent: Consent = NOBODY) -> Upserted:
    """Where the environment wants an approval, it is asked for after the plans were told and before anything is
    written; not for a saved plan, which somebody looked at.

    Raises Refusal where account or source have moved since a plan was saved, and what one pipeline alone fails with.
    Ctrl-C leaves what was done; the next upsert goes on."""
    if request.saved is not None and replace(request.wanted, environment=LOCAL) != Wanted(()):
        raise UsageError("a saved plan has its own TARGETs and options", hint="give --plan FILE alone")
    saved = saved_plan.read(request.saved) if request.saved is not None else None
    wanted = request.wanted if saved is None else _wanted(saved, request)
    if not wanted.targets:
        raise UsageError("there is nothing to upsert", hint="give a TARGET, or --plan FILE")
    planned = plan(wanted, listener, doing="upsert")
    if saved is not None:
        chosen = {promise.pipeline for promise in saved.promises}
        if not chosen:
            listener(Said(text="the saved plan has no pipeline: nothing to do"))
        planned = planned.only(chosen)
        saved_plan.hold(saved, (*planned.plans, *planned.resources))
    for one in planned.plans:
        if one.actions:
            listener(WasPlanned(about=one.name, plan=one))
    for declared in planned.resources:
        if declared.actions:
            listener(ResourcesWerePlanned(about=declared.name, plan=declared))
    changed = [one.name for one in planned.plans if one.actions]
    changed += [one.name for one in planned.resources if one.actions]
    if changed:
        doing = f"upsert {', '.join(changed[:_NAMED])}{', ...' if len(changed) > _NAMED else ''}"
        hint = "apply a saved plan that somebody looked at"
        given = consent if saved is None else GIVEN
        need_consent(planned.connected, doing, given, hint=hint, shared=_shared(planned))
    upserted = _apply_all(planned, listener, force=request.force)
    # What serves may be made of what a pipeline's upsert brings; where that failed, it waits.
    if not planned.resources or upserted.failure is not None:
        return upserted
    return replace(upserted, resources=tuple(_resources(planned, listener, upserted, force=request.force)))


def _shared(planned: Planned) -> Shared | None:
    changes = (change for declared in planned.resources if declared.actions for change in declared.changes)
    endpoints = [change.name for change in changes if change.type == "endpoint" and change.action != "nothing"]
    if not endpoints:
        return None
    from mlops.use_cases.sharing import shared  # few files declare any

    return shared(planned.connected, endpoints)


def _resources(planned: Planned, listener: Listener, upserted: Upserted, *, force: bool) -> Iterator[ResourcesApplied]:
    from mlops.deploy.declared.apply import Listener as Hears  # few files declare any
    from mlops.use_cases.declared_resources import apply_resources

    hears = Hears(
        done=lambda action: listener(Said(text=f"done: {action.label}")),
        say=lambda text: listener(Said(text=text)),
        progress=lambda uri, there, size: listener(Sending(about=uri, there=there, size=size)),
    )
    if planned.connected.environment.is_local:
        from mlops.use_cases.local_functions import placed

        placed(planned.connected, listener)
    sent = [uri for applied in upserted.done for uri in applied.uploaded]
    for one in planned.resources:
        applied = apply_resources(one, planned.connected, force=force, listener=hears, sent=sent)
        sent.extend(applied.uploaded)
        listener(ResourcesWereUpserted(about=one.name, environment=upserted.environment, applied=applied))
        yield applied


def _wanted(saved: SavedPlan, request: Upsert) -> Wanted:
    if request.saved_for not in (None, saved.environment):
        raise UsageError(
            f"the plan was saved for {saved.environment}, not for {request.saved_for}; nothing was written"
        )
    return Wanted(saved.targets, saved.environment, saved.suffix, saved.aliases)


def _apply_all(planned: Planned, listener: Listener, *, force: bool) -> Upserted:
    connected = planned.connected
    hears = applying.Listener(
        lambda action: listener(WasDone(action=action)),
        lambda uri, there, size: listener(Sending(about=uri, there=there, size=size)),
    )
    done: list[Applied] = []
    failed: list[tuple[str, MlopsError]] = []
    sent: set[str] = set()
    left: Sequence[Plan] = [one for one in planned.plans if one.actions]
    in_a_row = 0
    try:
        for number, one in enumerate(planned.plans, 1):
            left = [other for other in planned.plans[number:] if other.actions]
            try:
                applied = applying.apply(
                    connected.account, connected.environment, one, force=force, listener=hears, sent=sent
                )
            except MlopsError as error:
                if len(planned.plans) == 1:
                    raise
                # The others are another matter, and each is whole by itself.
                failed.append((one.name, error))
                listener(Failed(about=one.name, error=error))
                in_a_row = in_a_row + 1 if isinstance(error, AccountError) else 0
                if in_a_row == _GIVEN_UP_AFTER:
                    break
                continue
            in_a_row = 0
            done.append(applied)
            if one.actions:
                note_commit(connected, one.state.definition, listener)
            sent.update(applied.uploaded)
            listener(WasUpserted(about=one.name, environment=connected.environment.name, applied=applied))
    except KeyboardInterrupt as stop:
        stop.add_note(
            f"{len(done)} pipelines are done, {len(left)} were not begun; run it again: it goes on where this ended"
        )
        raise
    failure = _summed_up(failed, len(planned.plans), len(left)) if failed else None
    return Upserted(connected.environment.name, tuple(done), failure)


def _summed_up(failed: Sequence[tuple[str, MlopsError]], all_of_them: int, not_begun: int) -> MlopsError:
    """The first one, with what is to be said of them all."""
    first = failed[0][1]
    others = f"{not_begun} were not begun, " if not_begun else ""
    first.message = f"{len(failed)} of {all_of_them} pipelines failed: {', '.join(name for name, _ in failed)}"
    first.hint = f"{others}the others are done; run it again"
    return first
