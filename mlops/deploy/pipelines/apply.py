"""The one module that writes a plan into an account: its actions, in their order, each told when it is done.

Every action can be done again: what a run that was cut off has left is found by the next one, which plans anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, assert_never

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy import calls, removed
from mlops.deploy.fencing import LEASE_SECONDS, alive, new_token
from mlops.deploy.pipelines import record as records
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
    Write,
    WriteRecord,
)
from mlops.deploy.pipelines.contention import judge
from mlops.deploy.pipelines.deciding import Plan
from mlops.deploy.pipelines.record import Beaten, Record
from mlops.deploy.pipelines.state import PipelineState, definition_uri, describe, differing
from mlops.deploy.pipelines.upload import Progress, ensure_bucket, send, upload
from mlops.deploy.resources import resource_types
from mlops.deploy.resources.pipeline import RESOURCE_TYPE as PIPELINE
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.tag_lists import listed
from mlops.ir import AccountError, MlopsError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import resolved
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

_UPLOADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done. ``uploaded`` are the URIs of asset objects, ``sent`` all bytes that went to S3 for them."""

    name: str
    arn: str
    action: Literal["created", "updated", "unchanged"]
    uploaded: tuple[str, ...]
    sent: int


@dataclass(frozen=True, slots=True)
class Listener:
    """Hears of each action when it is done, and of an upload while it goes on."""

    done: Callable[[Action], None] = lambda action: None
    progress: Progress = lambda uri, sent, size: None


def apply(
    account: Account,
    environment: Environment,
    plan: Plan,
    *,
    force: bool = False,
    listener: Listener | None = None,
    sent: Collection[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Applied:
    """``sent`` are URIs of objects that were sent since the plan was made, for other pipelines. Raises Refusal before
    any write where the account has drifted or another upsert is under way, unless ``force``, and for a secret that
    would be written to this machine's disk. The account was confirmed when the plan was made. An error tells what was
    done and what was not."""
    if environment.is_local:
        _refuse_secrets(plan)
    _permit(plan, force=force)
    hears = listener or Listener()
    writer = _Writer(account, environment, plan, hears, clock, force=force)
    done: list[Action] = []
    writes: list[Write] = [action for action in plan.actions if not isinstance(action, Upload)]
    records_it = any(isinstance(action, WriteRecord) for action in writes)
    try:
        uploads = [
            action
            for action in plan.actions
            if isinstance(action, Upload) and (action.item.uri not in sent or action.item.in_place)
        ]
        writer.upload(uploads, done)
        with alive(writer.token) if records_it else contextlib.nullcontext():
            for action in writes:
                with answers():
                    writer.do(action)
                done.append(action)
                hears.done(action)
    except MlopsError as error:
        _tell_progress(error, plan.actions, done, writer.unconfirmed)
        raise
    except KeyboardInterrupt as error:
        for line in _progress(plan.actions, done, writer.unconfirmed):
            error.add_note(f"{plan.name}: {line}")
        raise
    verb: Literal["created", "updated", "unchanged"] = "created" if plan.present is None else "updated"
    return Applied(
        plan.name,
        writer.arn or "",
        verb if writes else "unchanged",
        tuple(action.item.uri for action in done if isinstance(action, Upload)),
        writer.sent,
    )


def _refuse_secrets(plan: Plan) -> None:
    """The local account keeps definitions in plain files, which are backed up, copied and looked at."""
    if plan.secrets and plan.actions:
        raise Refusal(
            f"{plan.name} would put a secret into .mlops/ in plain text: {plan.secrets[0]}; nothing was written",
            hint='give it by reference, `secret("NAME")`; where it is none, allow it: `# mlops: allow X840 REASON`, or '
            "`ignore` in [check]",
        )


def _permit(plan: Plan, *, force: bool) -> None:
    if plan.refused:
        raise Refusal(
            f"{plan.name}: {'; '.join(plan.refused)}; nothing was written",
            hint="create the bucket or correct its name; let role, bucket and account come from the environment",
        )
    if force:
        return
    if plan.unfinished is not None and plan.unfinished.busy:
        raise Refusal(
            f"{plan.name}: an upsert of other content by {plan.unfinished.by} began {plan.unfinished.seconds:.0f} s "
            "ago and has not written its pipeline yet; nothing was written",
            hint=f"wait until it has ended ({LEASE_SECONDS / 60:.0f} minutes at most), or use --force where "
            "it was killed",
        )
    if plan.taken is not None and plan.actions:
        raise Refusal(
            f"{plan.name} is in the account as {plan.taken}, and this is {plan.origin}; nothing was written",
            hint="--suffix gives it a name of its own; --force takes the name over",
        )
    if plan.drift is None:
        return
    by = f" by {plan.drift.by}" if plan.drift.by else ""
    at = f" at {plan.drift.at}" if plan.drift.at else ""
    if plan.drift.foreign:
        raise Refusal(
            f"{plan.name} is in the account and was not written by mlops from this bucket (last changed{by}{at}); "
            "nothing was written",
            hint="see `mlops plan`; --force takes it over, --suffix gives yours a name of its own",
        )
    what = "its " + ", ".join(plan.drift.companions) if plan.drift.companions and not plan.drift.at else plan.name
    raise Refusal(
        f"{plan.name}: {what} was changed{by}{at} since the last upsert; nothing was written",
        hint="see `mlops plan` for what was changed; put it into the source, or overwrite it with --force",
    )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """Our record, the one before it, the ETag of ours, and when it was written, by the clock of this process."""

    record: Record
    before: Record | None
    etag: str
    at: float


class _Writer:
    def __init__(
        self,
        account: Account,
        environment: Environment,
        plan: Plan,
        listener: Listener,
        clock: Callable[[], float],
        *,
        force: bool,
    ) -> None:
        self._account = account
        self._environment = environment
        self._plan = plan
        self._listener = listener
        self._force = force
        self._clock = clock
        self.token = new_token()
        self._recorded: _Recorded | None = None
        self.arn = plan.present.arn if plan.present is not None else None
        self.sent = 0
        self.unconfirmed: Action | None = None
        """What the account has taken and what was not looked at since."""

    def upload(self, actions: Sequence[Upload], done: list[Action]) -> None:
        """Several at once; those that were sent are in ``done`` also where one fails."""

        def one(action: Upload) -> tuple[Upload, int]:
            with answers():
                return action, upload(self._account, self._environment, action.item, self._listener.progress)

        if not actions:
            return
        if self._environment.is_local:
            for bucket in sorted({split_uri(action.item.uri)[0] for action in actions} - {self._environment.bucket}):
                with answers():
                    ensure_bucket(self._account.client("s3"), bucket)
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
            running = [pool.submit(one, action) for action in actions]
            failure: Exception | None = None
            for future in running:
                try:
                    action, sent = future.result()
                except Exception as error:
                    failure = failure or error
                    for other in running:
                        other.cancel()
                    continue
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                self.sent += sent
                done.append(action)
                self._listener.done(action)
            if failure is not None:
                raise failure

    def do(self, action: Write) -> None:
        match action:
            case UploadDefinition():
                self._send_definition(action.uri, action.text)
            case WriteRecord():
                self._record(action)
            case CreatePipeline():
                self._create(action)
            case UpdatePipeline():
                self._update(action)
            case SetTags():
                calls.make(self._account, TAGS, TAGS.create(action.arn, action.tags))
            case RemoveTags():
                calls.make(self._account, TAGS, TAGS.delete(action.arn, dict.fromkeys(action.names)))
            case PutResource():
                self._put(action)
            case RemoveResource():
                removed.note(
                    self._account,
                    self._environment,
                    action.type,
                    action.name,
                    why=f"{self._plan.name} does not declare it any more",
                    by=self._plan.caller,
                )
                calls.remove(self._account, resource_types()[action.type], action.name)
            case _:
                assert_never(action)

    def _put(self, action: PutResource) -> None:
        whole = resolved(action.resource, {self._plan.name: self.arn} if self.arn is not None else {})
        kind = resource_types()[whole.type]
        try:
            calls.put(self._account, kind, whole, exists=action.exists)
        except Exception:
            # An answer that was lost, or somebody else who brought the same: then nothing is left to do.
            if calls.see(self._account, kind, whole.name) != whole.plain:
                raise

    def _send_definition(self, uri: str, definition: str) -> None:
        content = definition.encode()
        send(self._account, self._environment, uri, io.BytesIO(content), len(content), self._listener.progress)

    def _record(self, action: WriteRecord) -> None:
        record = Record(
            wrote=action.wrote,
            over=action.over,
            over_modified=action.over_modified,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            by=self._plan.caller,
            writer=self.token,
            pipeline=action.state.shown(),
            companions=action.companions,
            tags=action.tags,
            origin=action.origin,
        )
        before = action.replaces
        name = action.state.name
        try:
            etag = records.write(self._account, self._environment, name, record, before.etag if before else None)
        except Beaten:
            theirs = records.read(self._account, self._environment, name)
            if theirs is None or theirs.record is None or not theirs.record.says_as(record):
                raise
            # Somebody else brings the same at this moment: of each write the first one does, whosever it is.
            return
        self._recorded = _Recorded(record, before.record if before is not None else None, etag, self._clock())

    def _renew(self) -> None:
        """Before the pipeline is written: who took long may have been taken for dead, and another record may lie there.
        Raises Beaten then; else the lease begins anew."""
        ours = self._recorded
        if ours is None or self._clock() - ours.at < LEASE_SECONDS / 2:
            return
        etag = records.write(self._account, self._environment, self._plan.name, ours.record, ours.etag)
        self._recorded = replace(ours, etag=etag, at=self._clock())

    def _create(self, action: CreatePipeline) -> None:
        self._renew()
        request = _properties(action.state, action.definition_uri)
        if action.tags:
            request["Tags"] = listed(action.tags)
        if action.aliases:
            request["PipelineVersionAliases"] = list(action.aliases)
        # The same call that botocore repeats has the same token; another upsert, after a destroy say, another.
        told = json.dumps([action.state.name, request, self.token], sort_keys=True)
        request["ClientRequestToken"] = hashlib.sha256(told.encode()).hexdigest()
        try:
            reply = self._written(action.state.name, request, exists=False)
            self.arn = str(reply["PipelineArn"])
            self.unconfirmed = action
        except Exception:
            # An answer that was lost: then what is there is what was sent. Else somebody was faster.
            there = describe(self._account, action.state.name)
            if there is None:
                raise
            if there.state.fingerprint() != action.state.fingerprint():
                raise Refusal(
                    f"somebody else made a pipeline {action.state.name} meanwhile; theirs was left as it is",
                    hint="see `mlops plan`",
                ) from None
            self.arn = there.arn
        self._read_back(action.state)
        self.unconfirmed = None

    def _update(self, action: UpdatePipeline) -> None:
        self._renew()
        there = describe(self._account, action.state.name)
        if there is not None and not action.aliases and there.state.fingerprint() == action.state.fingerprint():
            return  # somebody else brought the same since the plan was made
        if there is None or there.state.fingerprint() != action.over.fingerprint():
            self._put_record_back()
            raise Beaten(
                f"somebody else {'changed' if there else 'removed'} {action.state.name} since the plan was made; "
                "theirs was left as it is",
                hint="see `mlops plan`",
            )
        request = _properties(action.state, action.definition_uri)
        if not action.sends_definition:
            del request["PipelineDefinition"]
        if action.clear_description:
            # An update leaves out what it does not mention.
            request["PipelineDescription"] = ""
        if action.over.display_name is not None:
            request.setdefault("PipelineDisplayName", action.state.name)
        if action.aliases:
            request["PipelineVersionAliases"] = list(action.aliases)
        version = self._written(action.state.name, request, exists=True).get("PipelineVersionId")
        self.unconfirmed = action
        if version is not None or self._force:
            self._read_back(action.state, version)
        if not self._force:
            try:
                judge(self._account, action.state, action.over, version, partial(self._put_back, action.over))
            except Beaten:
                self.unconfirmed = None
                raise
        self.unconfirmed = None

    def _put_back(self, over: PipelineState, definition: str) -> None:
        """What an update of ours has overwritten: of somebody who was faster, with the settings that both have seen."""
        uri = definition_uri(self._environment, definition)
        if uri is not None:
            self._send_definition(uri, definition)
        request = _properties(replace(over, definition=definition), uri)
        request.setdefault("PipelineDescription", "")
        request.setdefault("PipelineDisplayName", over.name)
        self._written(over.name, request, exists=True)
        self._put_record_back()

    def _written(self, name: str, properties: Mapping[str, Any], *, exists: bool) -> Mapping[str, Any]:
        return calls.make(self._account, PIPELINE, PIPELINE.writes(name, properties, exists=exists))

    def _put_record_back(self) -> None:
        """What we recorded did not come about."""
        ours = self._recorded
        if ours is None or ours.before is None:
            return
        with contextlib.suppress(Beaten):
            records.write(self._account, self._environment, self._plan.name, ours.before, ours.etag)

    def _read_back(self, state: PipelineState, version: int | None = None) -> None:
        stored = describe(self._account, state.name, version)
        if stored is None or stored.state.fingerprint() != state.fingerprint():
            told = "it is gone" if stored is None else ", ".join(differing(stored.state, state))
            raise AccountError(
                f"the account took the pipeline {state.name} but does not hold what was sent: {told}",
                hint="somebody may have written at the same time; see `mlops plan`",
            )


def _properties(state: PipelineState, definition_uri: str | None) -> dict[str, Any]:
    request: dict[str, Any] = {"RoleArn": state.role}
    if definition_uri is None:
        request["PipelineDefinition"] = state.definition
    else:
        bucket, key = split_uri(definition_uri)
        request["PipelineDefinitionS3Location"] = {"Bucket": bucket, "ObjectKey": key}
    if state.description is not None:
        request["PipelineDescription"] = state.description
    if state.display_name is not None:
        request["PipelineDisplayName"] = state.display_name
    if state.parallelism is not None:
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": state.parallelism}
    return request


def _tell_progress(
    error: MlopsError, actions: Sequence[Action], done: Sequence[Action], unconfirmed: Action | None
) -> None:
    if not actions:
        return
    error.message = "\n  ".join([error.message, *_progress(actions, done, unconfirmed)])
    if error.hint is None or isinstance(error, Refused):
        again = "run it again: it goes on where this ended"
        error.hint = f"{error.hint}; then {again}" if error.hint else again


def _progress(actions: Sequence[Action], done: Sequence[Action], unconfirmed: Action | None) -> list[str]:
    finished = {action.label for action in (*done, *([unconfirmed] if unconfirmed is not None else []))}
    left = [action.label for action in actions if action.label not in finished]
    told = [f"done: {_short([action.label for action in done])}"]
    if unconfirmed is not None:
        told.append(f"taken by the account, and not read back: {unconfirmed.label}")
    return [*told, f"not done: {_short(left)}"]


def _short(labels: Sequence[str]) -> str:
    shown = list(labels[:5])
    return "; ".join([*shown, *([f"and {len(labels) - 5} more"] if len(labels) > 5 else [])]) or "nothing"
