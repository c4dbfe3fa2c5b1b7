"""What has to be done so that an account's pipeline is what the source says: decided from what was seen and what is
wanted, without an account."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from mlops.deploy.pipelines.actions import (
    Action,
    CreatePipeline,
    PutResource,
    RemoveResource,
    RemoveTags,
    SetTags,
    UpdatePipeline,
    Upload,
    UploadDefinition,
    WriteRecord,
)
from mlops.deploy.pipelines.assets import AssetObject
from mlops.deploy.pipelines.cache_effect import CacheLoss, losses
from mlops.deploy.pipelines.definition_diff import MemberChange, changes
from mlops.deploy.pipelines.differences import (
    ResourceChange,
    SettingChange,
    fingerprints,
    resource_changes,
    setting_changes,
    tag_changes,
)
from mlops.deploy.pipelines.drift import Drift, Unfinished, compared
from mlops.deploy.pipelines.record import Record
from mlops.deploy.pipelines.seeing import Seen
from mlops.deploy.pipelines.state import PipelineState, Present, definition_uri, wanted
from mlops.deploy.resources import declared, resource_types
from mlops.ir import Checked
from mlops.ir.dataclass import dataclass
from mlops.ir.placeholders import placeholders
from mlops.ir.resource import Resource, resolved
from mlops.ir.secrecy import is_secret
from mlops.project.environments import Environment

_FOUND = "X840"
"""The finding that a secret stands in the definition."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the source says for one environment. ``resources`` belong to the pipeline; ``origin`` says which source it
    is, in words."""

    environment: Environment
    checked: Checked
    state: PipelineState
    resources: tuple[Resource, ...]
    aliases: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is told of one pipeline, and the ``actions`` that make it so, in order."""

    environment: str
    account: str
    region: str
    caller: str
    state: PipelineState
    present: Present | None
    actions: tuple[Action, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    changes: tuple[MemberChange, ...] = ()
    companions: tuple[ResourceChange, ...] = ()
    losses: tuple[CacheLoss, ...] = ()
    uploads: tuple[AssetObject, ...] = ()
    assets_there: int = 0
    drift: Drift | None = None
    unfinished: Unfinished | None = None
    notes: tuple[str, ...] = ()
    origin: str = ""
    taken: str | None = None
    """The source that has the name already, where it is another one than ``origin``: another environment of the same
    bucket, or another name and suffix that come to the same."""
    secrets: tuple[str, ...] = ()
    """Where one stands, in words."""
    obstacles: tuple[str, ...] = ()
    """Why it cannot be done at all, in words."""

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def verb(self) -> Literal["create", "update", "nothing"]:
        if self.present is None:
            return "create"
        return "update" if self.actions else "nothing"

    @property
    def refused(self) -> tuple[str, ...]:
        """Why an upsert of it would be refused, whatever it is given; where nothing is to be done nothing is."""
        return self.obstacles if self.actions else ()

    @property
    def steps(self) -> dict[str, str]:
        """Names of steps that differ, with added, removed or changed."""
        found: dict[str, str] = {}
        for change in self.changes:
            if change.step is not None:
                whole = "added" if not change.has_old else "removed"
                found.setdefault(change.step, whole if not change.at else "changed")
        return found

    @property
    def basis(self) -> str:
        """Of what the account had: a saved plan is good as long as it is the same."""
        present = self.present
        told = [
            self.account,
            self.region,
            None if present is None else [present.state.fingerprint(), present.modified, present.aliases],
            [[item.member, item.old] for item in self.settings],
            [[item.name, item.old] for item in self.companions],
        ]
        return _digest(told)

    @property
    def goal(self) -> str:
        """Of what is to be: a saved plan is good as long as the source says the same."""
        new = [[item.member, item.new] for item in self.settings]
        started = [[item.key, item.new and item.new.fingerprint()] for item in self.companions]
        return _digest([self.state.name, self.state.fingerprint(), new, started])


def want(
    environment: Environment, checked: Checked, *, suffix: str | None = None, aliases: Sequence[str] = ()
) -> Wanted:
    """Raises UsageError where the definition has no name, or none that a pipeline can have. A suffix makes a pipeline
    of one's own, which nothing starts by itself."""
    definition = checked.definition
    state = wanted(definition, environment, suffix)
    origin = f"{definition.name} in {environment.name}" + (f" with the suffix {suffix}" if suffix else "")
    return Wanted(
        environment, checked, state, () if suffix else declared(environment, state.name), tuple(aliases), origin
    )


def decide(seen: Seen, wanted: Wanted) -> Plan:
    present, last, definition = seen.present, seen.last, wanted.checked.definition
    state = _as_the_account_can(wanted.state, present)
    same = present is not None and present.state.fingerprint() == state.fingerprint()
    arns = {state.name: _arn(wanted.environment, state.name, seen)}
    resources = tuple(resolved(resource, arns) for resource in wanted.resources)
    tags = tag_changes(seen.tags, definition.tags, last.tags if last else {}) if present is not None else ()
    moved = resource_changes(seen.resources, resources, last.companions if last else {})
    missing_aliases = [alias for alias in wanted.aliases if present is None or alias not in present.aliases]
    written = _record(seen, wanted, state, resources, tags, moved)
    drift, unfinished = compared(present, state, seen.stored, moved, written, wanted.environment.uri("assets"))
    quiet = present is not None and not (moved or tags or drift or unfinished) and _says(last, written)
    records = not quiet and (not same or missing_aliases or moved or tags)
    old = present.state.document if present is not None else {}
    taken = last.origin if last is not None and present is not None else None
    actions = (
        *(Upload(item) for item in seen.uploads),
        *_pipeline(wanted, state, present, written if records else None, changed=not same or bool(missing_aliases)),
        *_tags(present, definition.tags, tags),
        *_resources(moved, wanted.resources),
    )
    stack = seen.owner
    return Plan(
        environment=wanted.environment.name,
        account=seen.identity.account,
        region=seen.region,
        caller=seen.identity.arn,
        state=state,
        present=present,
        actions=actions,
        settings=(
            *setting_changes(present.state if present else None, state),
            *tags,
            *(SettingChange(f"alias {alias}", None, "this version") for alias in missing_aliases),
        ),
        changes=() if same else tuple(changes(old, state.document)),
        companions=moved,
        losses=losses(old, state.document, wanted.checked, always_on=wanted.environment.is_local)
        if present and not same
        else (),
        uploads=seen.uploads,
        assets_there=sum(asset.objects for asset in definition.assets) - len(seen.uploads),
        drift=drift,
        unfinished=unfinished,
        notes=(
            *_notes(seen, wanted, gone=present is None and last is not None and unfinished is None),
            *([stack.owns(f"the pipeline {state.name}")] if stack is not None and not actions else ()),
        ),
        obstacles=(
            *_obstacles(seen, wanted.environment, state, resources),
            *([stack.refuses(f"the pipeline {state.name}")] if stack is not None and actions else ()),
        ),
        origin=wanted.origin,
        taken=taken if taken not in (None, wanted.origin) else None,
        secrets=tuple(_secrets(wanted.checked)),
    )


def _pipeline(
    wanted: Wanted, state: PipelineState, present: Present | None, record: WriteRecord | None, *, changed: bool
) -> Iterator[Action]:
    """The record comes before what it is of, and after the definition that it would name."""
    missing_aliases = present is None or any(alias not in present.aliases for alias in wanted.aliases)
    # An alias is of a version, and only a definition makes one.
    sends = present is None or missing_aliases or present.state.document != state.document
    uri = definition_uri(wanted.environment, state.definition) if sends else None
    if uri is not None:
        yield UploadDefinition(uri, state.definition)
    if record is not None:
        yield record
    if present is None:
        yield CreatePipeline(state, wanted.checked.definition.tags, uri, wanted.aliases)
    elif changed:
        clear = state.description is None and present.state.description is not None
        yield UpdatePipeline(state, present.state, sends, uri, wanted.aliases, clear)


def _tags(present: Present | None, declared: Mapping[str, str], moved: Sequence[SettingChange]) -> Iterator[Action]:
    """Those of a new pipeline are made with it."""
    if present is None:
        return
    values = {item.tag: declared[item.tag] for item in moved if item.new is not None}
    if values:
        yield SetTags(present.arn, values)
    gone = tuple(item.tag for item in moved if item.new is None)
    if gone:
        yield RemoveTags(present.arn, gone)


def _resources(moved: Sequence[ResourceChange], declared: Sequence[Resource]) -> Iterator[Action]:
    by_key = {resource.key: resource for resource in declared}
    for change in moved:
        if change.new is None or change.anew:
            yield RemoveResource(change.type, change.name)
        if change.new is not None:
            yield PutResource(by_key[change.key], exists=change.old is not None and not change.anew)


def _record(
    seen: Seen,
    wanted: Wanted,
    state: PipelineState,
    resources: Sequence[Resource],
    tags: Sequence[SettingChange],
    moved: Sequence[ResourceChange],
) -> WriteRecord:
    """Of what is declared no more it keeps what was written: until one is seen to be gone, it is known to be ours."""
    present, last, code = seen.present, seen.last, wanted.environment.uri("assets")
    kept = {item.key for item in moved if item.new is None}
    earlier = last.companions if last else {}
    unknown = {key for key in earlier if key.partition(" ")[0] not in resource_types()}
    return WriteRecord(
        state,
        wrote=state.fingerprint(code),
        over=None if present is None else present.state.fingerprint(code),
        over_modified=None if present is None else present.modified,
        replaces=seen.stored,
        companions={
            **{key: earlier[key] for key in sorted(kept | unknown)},
            **{resource.key: resource.fingerprint() for resource in resources},
        },
        origin=wanted.origin,
        tags={
            **{item.tag: last.tags[item.tag] for item in tags if last and item.new is None},
            **fingerprints(wanted.checked.definition.tags),
        },
    )


def _says(last: Record | None, written: WriteRecord) -> bool:
    """Whether the record that is there says the same: then what is new is code, or an alias."""
    return last is not None and (last.wrote, last.origin, last.companions, last.tags) == (
        written.wrote,
        written.origin,
        written.companions,
        written.tags,
    )


def _arn(environment: Environment, name: str, seen: Seen) -> str:
    """Of one that is not there yet: what it will have."""
    if seen.present is not None:
        return seen.present.arn
    partition = environment.role.split(":")[1]
    return f"arn:{partition}:sagemaker:{environment.region}:{seen.identity.account}:pipeline/{name}"


def _as_the_account_can(state: PipelineState, present: Present | None) -> PipelineState:
    """UpdatePipeline has no way to take a limit away; where the source has none, the account's stays."""
    if present is None or state.parallelism is not None:
        return state
    return replace(state, parallelism=present.state.parallelism)


def _notes(seen: Seen, wanted: Wanted, *, gone: bool) -> Iterator[str]:
    if seen.present is not None and wanted.state.parallelism is None and seen.present.state.parallelism is not None:
        yield (
            f"the account's limit of {seen.present.state.parallelism} steps at once stays: the API cannot remove it; "
            "give `parallelism` to change it"
        )
    if seen.bucket_missing is not None:
        yield f"{seen.bucket_missing}; an upsert fails until it is"
    if seen.stored is not None and seen.stored.fault is not None:
        yield f"the record of the last upsert {seen.stored.fault}"
    for key in seen.last.companions if seen.last else ():
        if key.partition(" ")[0] not in resource_types():
            yield f"the {key} belongs to it, of a type that this mlops does not know; it stays as it is"
    if gone:
        yield "it was written before and is gone from the account: it is made again"


def _obstacles(
    seen: Seen, environment: Environment, state: PipelineState, resources: Sequence[Resource]
) -> Iterator[str]:
    if environment.is_local:
        return
    for bucket in seen.absent_buckets:
        yield f"the bucket {bucket}, which code or data would go to, is not there; it is not made by the way"
    account, bucket = seen.identity.account, environment.bucket
    told = {"the definition": state.document, "its role": state.role}
    told |= {f"the {resource.type} {resource.name}": resource.plain for resource in resources}
    for what, value in told.items():
        for text in dict.fromkeys(placeholders(value, account=account, bucket=bucket)):
            yield f"{what} names {text}, which is of the local account and nothing in {account}"


def _secrets(checked: Checked) -> Iterator[str]:
    """What an author allowed is not among the findings; tags and description are no part of the document."""
    for finding in checked.findings:
        if finding.code == _FOUND:
            file, line = finding.where.file, finding.where.line
            yield f"{Path(file).name}:{line}: {finding.message}" if file and line else finding.message
    for key, value in checked.definition.tags.items():
        if is_secret(key, value):
            yield f"the value of the tag {key!r} looks like a secret"
    if is_secret("", checked.definition.description or ""):
        yield "the description looks like a secret"


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
