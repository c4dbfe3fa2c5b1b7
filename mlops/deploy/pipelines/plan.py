"""What has to be done so that an account's pipeline is what the source says: a list of actions, made without a write.

Showing a plan, approving it and doing it (:mod:`mlops.deploy.pipelines.apply`) walk the same list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mlops.account import Account, Identity, answers, confirm_identity
from mlops.deploy.pages import items
from mlops.deploy.pipelines import record as records
from mlops.deploy.pipelines.assets import AssetObject, Missing, absent
from mlops.deploy.pipelines.cache_effect import CacheLoss, losses
from mlops.deploy.pipelines.companions import Companion, CompanionChange, Kind, companions, compared
from mlops.deploy.pipelines.definition_diff import MemberChange, changes
from mlops.deploy.pipelines.state import PipelineState, Present, describe, wanted, without_content
from mlops.ir import Asset, Checked
from mlops.ir.hiding import hide, hide_value
from mlops.ir.secrecy import is_secret
from mlops.project.environments import Environment

INLINE_BYTES = 100 * 1024
"""From here on a definition goes through S3, as the official SDK does; the API's own limit is 1,048,576 characters."""
_MANY = 20
"""From so many pipelines on, one listing (a call per hundred) saves the Describe of those that are not there."""
_AT_ONCE = 8
_FOUND = "X840"
"""The finding that a secret stands in the definition."""


@dataclass(frozen=True, slots=True)
class Upload:
    item: AssetObject

    @property
    def label(self) -> str:
        return f"upload {self.item.uri}"


@dataclass(frozen=True, slots=True)
class UploadDefinition:
    """A definition that is too large to be sent inline, at a place named by its content."""

    uri: str
    text: str

    @property
    def label(self) -> str:
        return f"upload the definition to {self.uri}"


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """``wrote`` and ``over`` as in :class:`~mlops.deploy.pipelines.record.Record`; ``replaces`` is the one that the
    plan has seen, None where there was none."""

    state: PipelineState
    wrote: str
    over: str | None
    over_modified: str | None
    replaces: records.Stored | None
    companions: Mapping[str, str]
    tags: Mapping[str, str]
    origin: str

    @property
    def label(self) -> str:
        return "write the record of this upsert"


@dataclass(frozen=True, slots=True)
class CreatePipeline:
    state: PipelineState
    tags: Mapping[str, str]
    definition_uri: str | None
    aliases: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"create the pipeline {self.state.name}"


@dataclass(frozen=True, slots=True)
class UpdatePipeline:
    """``over`` is what is replaced: something else there means that somebody was faster. ``sends_definition`` is False
    where role, description or parallelism alone change."""

    state: PipelineState
    over: PipelineState
    sends_definition: bool
    definition_uri: str | None
    aliases: tuple[str, ...]
    clear_description: bool

    @property
    def label(self) -> str:
        return f"update the pipeline {self.state.name}"


@dataclass(frozen=True, slots=True)
class SetTags:
    arn: str
    tags: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"set the tags {', '.join(sorted(self.tags))}"


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """Of tags that we set and that are declared no more."""

    arn: str
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"remove the tags {', '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class PutCompanion:
    companion: Companion
    exists: bool

    @property
    def label(self) -> str:
        return f"{'update' if self.exists else 'create'} the {self.companion.kind} {self.companion.name}"


@dataclass(frozen=True, slots=True)
class RemoveCompanion:
    kind: Kind
    name: str

    @property
    def label(self) -> str:
        return f"remove the {self.kind} {self.name}"


Action: TypeAlias = (
    Upload
    | UploadDefinition
    | WriteRecord
    | CreatePipeline
    | UpdatePipeline
    | SetTags
    | RemoveTags
    | PutCompanion
    | RemoveCompanion
)


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A member of the pipeline resource, a tag included (``tag team``). A side without it is None."""

    member: str
    old: Any
    new: Any


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
    companions: tuple[CompanionChange, ...] = ()
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

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def verb(self) -> Literal["create", "update", "nothing"]:
        if self.present is None:
            return "create"
        return "update" if self.actions else "nothing"

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


def plan(
    account: Account,
    environment: Environment,
    checked: Checked,
    *,
    suffix: str | None = None,
    aliases: Sequence[str] = (),
    identity: Identity | None = None,
    known: frozenset[str] | None = None,
    missing: Missing | None = None,
) -> Plan:
    """``checked`` has no errors. ``known`` are the pipelines that the account has, where somebody listed them, and
    ``missing`` has what somebody found to be absent of each asset."""
    identity = identity or confirm_identity(account, environment)
    definition = checked.definition
    state = wanted(definition, environment, suffix)
    present = None if known is not None and state.name not in known else describe(account, state.name)
    notes: list[str] = []
    state = _as_the_account_can(state, present, notes)
    same = present is not None and present.state.fingerprint() == state.fingerprint()
    declared = () if suffix else companions(environment, state.name, _arn(environment, state.name, identity, present))
    with answers():
        if missing is None:
            missing = absent(account, definition.assets)
        uploads = tuple(item for asset in definition.assets for item in missing[asset.uri, asset.address])
        try:
            stored = records.read(account, environment, state.name)
        except records.BucketMissing as error:
            stored = None
            notes.append(f"{error.message}; an upsert fails until it is")
        last = stored.record if stored is not None else None
        tags = _tags(account, present, definition.tags, last.tags if last else {})
        companion_changes = compared(account, declared, last.companions if last else {})
    code = environment.uri("assets")
    if stored is not None and stored.fault is not None:
        notes.append(f"the record of the last upsert {stored.fault}")
    origin = f"{definition.name} in {environment.name}" + (f" with the suffix {suffix}" if suffix else "")
    taken = last.origin if last is not None and present is not None else None
    gone = tuple(_key(item) for item in tags if item.new is None)
    missing_aliases = [alias for alias in aliases if present is None or alias not in present.aliases]
    # An alias is of a version, and only a definition makes one.
    sends = present is None or bool(missing_aliases) or present.state.document != state.document
    uri = definition_uri(environment, state.definition) if sends else None
    written = WriteRecord(
        state,
        wrote=state.fingerprint(code),
        over=None if present is None else present.state.fingerprint(code),
        over_modified=None if present is None else present.modified,
        replaces=stored,
        companions={companion.key: companion.fingerprint() for companion in declared},
        # Until one is seen to be gone, it is known to be ours.
        origin=origin,
        tags={**{key: last.tags[key] for key in gone if last}, **_fingerprints(definition.tags)},
    )
    drift, unfinished = _compared(present, state, stored, companion_changes, written, code)
    if present is None and last is not None and unfinished is None:
        notes.append("it was written before and is gone from the account: it is made again")
    actions: list[Action] = [Upload(item) for item in uploads]
    if uri is not None:
        actions.append(UploadDefinition(uri, state.definition))
    quiet = present is not None and not (companion_changes or tags or drift or unfinished) and _says(last, written)
    if not quiet and (not same or missing_aliases or companion_changes or tags):
        actions.append(written)
    if present is None:
        actions.append(CreatePipeline(state, definition.tags, uri, tuple(aliases)))
    elif not same or missing_aliases:
        clear = state.description is None and present.state.description is not None
        actions.append(UpdatePipeline(state, present.state, sends, uri, tuple(aliases), clear))
    if present is not None:
        values = {_key(item): definition.tags[_key(item)] for item in tags if item.new is not None}
        actions.extend([SetTags(present.arn, values)] if values else [])
        actions.extend([RemoveTags(present.arn, gone)] if gone else [])
    for change in companion_changes:
        if change.new is not None:
            actions.append(PutCompanion(change.new, exists=change.old is not None))
        else:
            actions.append(RemoveCompanion(change.kind, change.name))
    old = present.state.document if present is not None else {}
    return Plan(
        environment=environment.name,
        account=identity.account,
        region=account.region,
        caller=identity.arn,
        state=state,
        present=present,
        actions=tuple(actions),
        settings=(
            *_settings(present, state),
            *tags,
            *(SettingChange(f"alias {alias}", None, "this version") for alias in missing_aliases),
        ),
        changes=() if same else tuple(changes(old, state.document)),
        companions=companion_changes,
        losses=losses(old, state.document, checked, always_on=environment.is_local) if present and not same else (),
        uploads=uploads,
        assets_there=sum(asset.objects for asset in definition.assets) - len(uploads),
        drift=drift,
        unfinished=unfinished,
        notes=tuple(notes),
        origin=origin,
        taken=taken if taken not in (None, origin) else None,
        secrets=tuple(_secrets(checked)),
    )


def plan_all(
    account: Account,
    environment: Environment,
    pipelines: Sequence[Checked],
    *,
    suffix: str | None = None,
    aliases: Sequence[str] = (),
) -> tuple[Plan, ...]:
    """In the order of ``pipelines``."""
    identity = confirm_identity(account, environment)
    known: frozenset[str] | None = None
    if len(pipelines) >= _MANY:
        with answers():
            listed = items(account.client("sagemaker"), "list_pipelines", "PipelineSummaries", MaxResults=100)
            known = frozenset(str(item["PipelineName"]) for item in listed)

    # Pipelines share code, which is asked for once.
    assets = {(asset.uri, asset.address): asset for checked in pipelines for asset in checked.definition.assets}
    missing: dict[tuple[str, str], tuple[AssetObject, ...]] = {}

    def asked(asset: Asset) -> Missing:
        with answers():
            return absent(account, [asset])

    def one(checked: Checked) -> Plan:
        return plan(
            account,
            environment,
            checked,
            suffix=suffix,
            aliases=aliases,
            identity=identity,
            known=known,
            missing=missing,
        )

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(asked, assets.values()):
            missing.update(found)
        return tuple(pool.map(one, pipelines))


def _arn(environment: Environment, name: str, identity: Identity, present: Present | None) -> str:
    if present is not None:
        return present.arn
    return f"arn:{environment.role.split(':')[1]}:sagemaker:{environment.region}:{identity.account}:pipeline/{name}"


def _as_the_account_can(state: PipelineState, present: Present | None, notes: list[str]) -> PipelineState:
    """UpdatePipeline has no way to take a limit away; where the source has none, the account's stays."""
    if present is None or state.parallelism is not None or present.state.parallelism is None:
        return state
    notes.append(
        f"the account's limit of {present.state.parallelism} steps at once stays: the API cannot remove it; "
        "give `parallelism` to change it"
    )
    return replace(state, parallelism=present.state.parallelism)


def _says(last: records.Record | None, written: WriteRecord) -> bool:
    """Whether the record that is there says the same: then what is new is code, or an alias."""
    return last is not None and (last.wrote, last.origin, last.companions, last.tags) == (
        written.wrote,
        written.origin,
        written.companions,
        written.tags,
    )


def _settings(present: Present | None, state: PipelineState) -> tuple[SettingChange, ...]:
    if present is None:
        return ()
    pairs = (
        ("role", present.state.role, state.role),
        ("description", present.state.description, state.description),
        ("parallelism", present.state.parallelism, state.parallelism),
    )
    return tuple(SettingChange(member, hide(old), hide(new)) for member, old, new in pairs if old != new)


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


def _key(tag: SettingChange) -> str:
    return tag.member.removeprefix("tag ")


def _tags(
    account: Account, present: Present | None, declared: Mapping[str, str], ours: Mapping[str, str]
) -> tuple[SettingChange, ...]:
    """What is declared and not so yet, and what we set and is declared no more. Tags of others stay, also one that was
    ours and has got another value."""
    if present is None or not (declared or ours):
        return ()
    listed = items(account.client("sagemaker"), "list_tags", "Tags", ResourceArn=present.arn)
    there = {item["Key"]: item["Value"] for item in listed}
    known = _fingerprints(there)
    left = {key: None for key, told in ours.items() if key not in declared and known.get(key) == told}
    return tuple(
        SettingChange(f"tag {key}", hide_value(key, there.get(key)), hide_value(key, value))
        for key, value in sorted({**declared, **left}.items())
        if there.get(key) != value
    )


def _fingerprints(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: hashlib.sha256(value.encode()).hexdigest() for key, value in tags.items()}


def _compared(
    present: Present | None,
    state: PipelineState,
    stored: records.Stored | None,
    companion_changes: Sequence[CompanionChange],
    written: WriteRecord,
    code: str,
) -> tuple[Drift | None, Unfinished | None]:
    """What the account has against what we last wrote, whatever its ``code``; ``written`` is what we would write."""
    there, target = written.over, written.wrote
    moved = tuple(change.key for change in companion_changes if change.drifted)
    if stored is None or stored.record is None:
        if present is None or there == target:
            return None, None
        return Drift(True, present.modified_by, present.modified), None
    last = stored.record
    if there not in (last.wrote, target) and there == last.over and _untouched(present, last.over_modified):
        busy = last.wrote != target and stored.age < records.PATIENCE_SECONDS and not last.is_ours_and_dead
        return None, Unfinished(last.by, last.at, stored.age, busy, last.is_ours_and_dead)
    if present is None or there in (last.wrote, target):
        if moved:
            return Drift(False, None, None, companions=moved), None
        return None, None
    before = PipelineState(
        state.name,
        json.dumps(last.pipeline.get("PipelineDefinition") or {}),
        str(last.pipeline.get("RoleArn", "")),
        last.pipeline.get("PipelineDescription"),
        last.pipeline.get("MaxParallelExecutionSteps"),
    )
    told = tuple(
        change
        for change in changes(before.document, hide(present.state.document))
        if not (change.has_old and change.has_new)
        or without_content(json.dumps(change.old), code) != without_content(json.dumps(change.new), code)
    )
    settings = _settings(
        Present(before, ""), replace(present.state, description=present.state.shown()["PipelineDescription"])
    )
    return Drift(False, present.modified_by, present.modified, settings, told, moved), None


def _untouched(present: Present | None, modified: str | None) -> bool:
    return present is None or modified is None or present.modified == modified


def definition_uri(environment: Environment, definition: str) -> str | None:
    """Where a definition goes that is too large to be sent inline; None for all others."""
    content = definition.encode()
    if len(content) < INLINE_BYTES:
        return None
    return environment.uri("definitions", f"{hashlib.sha256(content).hexdigest()}.json")


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
