"""What a run needs of an account, given by this one. boto3 is not loaded for it: a runner starts in a moment."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.account.local import events, step_records
from mlops.account.local.answering import answer_fitting
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.sagemaker import callbacks, jobs, pipelines, registry, resources
from mlops.account.local.settling import ALIVE
from mlops.account.local.state import State, dump, moment
from mlops.ir import JobKind
from mlops.ir.events import Event
from mlops.ir.execution_events import execution_event, job_event, step_event
from mlops.ir.s3_uri import split_uri
from mlops.run.outcome import SERVICE_FAULT, THROTTLING
from mlops.run.ports import Child, Function, ObjectMissing, RequestRefused, StepRecord, Success

# Which Describe operation tells of what was made or changed: its request's member, and the reply's that fills it.
_DESCRIBED = {
    "CreateModel": ("DescribeModel", "ModelName", None),
    "CreateModelPackage": ("DescribeModelPackage", "ModelPackageName", "ModelPackageArn"),
    "CreateEndpointConfig": ("DescribeEndpointConfig", "EndpointConfigName", None),
    "CreateEndpoint": ("DescribeEndpoint", "EndpointName", None),
    "UpdateEndpoint": ("DescribeEndpoint", "EndpointName", None),
    "CreateInferenceComponent": ("DescribeInferenceComponent", "InferenceComponentName", None),
    "UpdateInferenceComponent": ("DescribeInferenceComponent", "InferenceComponentName", None),
    "CreateAction": ("DescribeAction", "ActionName", None),
    "CreateArtifact": ("DescribeArtifact", "ArtifactArn", "ArtifactArn"),
    "CreateContext": ("DescribeContext", "ContextName", None),
}
# A step may put its inputs into its model, and archives keep modes.
_AS_IN_A_CONTAINER = 0o644


def object_place(uri: str) -> tuple[str, str]:
    """Bucket and key. Raises :class:`ObjectMissing` for what names no object."""
    if not uri.startswith("s3://"):
        raise ObjectMissing(f"{uri} is not an s3:// URI")
    return split_uri(uri)


class LocalObjects:
    def __init__(self, state: State) -> None:
        self._state = state

    def read(self, uri: str) -> bytes:
        try:
            with self._state.objects.open(*object_place(uri)) as (_, file):
                return file.read()
        except KeyError:
            raise ObjectMissing(f"{uri} does not exist") from None

    def size(self, uri: str) -> int:
        found = self._state.objects.find(*object_place(uri))
        if found is None:
            raise ObjectMissing(f"{uri} does not exist")
        return found.size

    def keys(self, uri: str) -> tuple[str, ...]:
        bucket, prefix = object_place(uri)
        return tuple(f"s3://{bucket}/{found.key}" for found in self._state.objects.list(bucket, prefix))

    def fetch(self, uri: str, target: Path) -> None:
        try:
            with self._state.objects.open(*object_place(uri)) as (_, file), target.open("wb") as copy:
                os.fchmod(copy.fileno(), _AS_IN_A_CONTAINER)
                shutil.copyfileobj(file, copy, 1024 * 1024)
        except KeyError:
            raise ObjectMissing(f"{uri} does not exist") from None

    def put(self, content: Iterable[bytes], uri: str) -> None:
        """Makes the bucket too: a definition written for AWS names buckets that this account never heard of."""
        bucket, key = object_place(uri)
        try:
            self._state.objects.ensure_bucket(bucket)
        except ValueError as error:
            raise ObjectMissing(f"{uri}: {error}") from None
        written = self._state.objects.write(content, ("CRC32",))
        self._state.objects.publish(bucket, key, written, {"Checksums": dict(written.checksums)})

    def delete(self, uri: str) -> None:
        self._state.objects.delete(*object_place(uri))


class LocalRegistry:
    """With a ``journal`` what changes of a job is written with the next word of that."""

    def __init__(self, state: State, execution_arn: str, journal: LocalJournal | LocalJobJournal | None = None) -> None:
        self._state = state
        self._execution_arn = execution_arn
        self._journal = journal

    def create(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        _need_valid(operation, request)
        if operation == "CreateModelPackage":
            request = {**request, "MetadataProperties": self._generated_by(request)}
        try:
            # Members that the document gives as null are as good as absent.
            given = {name: value for name, value in request.items() if value is not None}
            if operation == "CreateModelPackage" and given.get("ModelPackageGroupName"):
                registry.ensure_group(self._state, given["ModelPackageGroupName"])
            reply = answer_fitting(self._state, "sagemaker", operation, given)
        except Refusal as refusal:
            raise _refused(refusal) from None
        if operation not in _DESCRIBED:
            return reply
        describe, member, filled_by = _DESCRIBED[operation]
        return self.describe(describe, {member: reply[filled_by] if filled_by else request[member]})

    def identical(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        arn = registry.identical(self._state, request)
        return None if arn is None else self.describe("DescribeModelPackage", {"ModelPackageName": arn})

    def latest_approved(self, group: str) -> Mapping[str, Any] | None:
        try:
            found = registry.latest_approved(self._state, group)
        except Refusal as refusal:
            raise _refused(refusal) from None
        return None if found is None else _plain(found)

    def describe(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return _plain(answer_fitting(self._state, "sagemaker", operation, request))
        except Refusal as refusal:
            raise _refused(refusal) from None

    def record_job(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        if self._journal is None:
            jobs.record(self._state, kind, name, description)
        else:
            self._journal.take_along(kind, name, description)

    def record_child(self, kind: str, name: str, child: Child) -> None:
        execution = self._execution_arn.rpartition("/")[2]
        if self._journal is None:
            jobs.record_child(self._state, execution, kind, name, child)
        else:
            self._journal.take_child_along(kind, name, child)

    def _generated_by(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The service notes which execution made a package."""
        return {"GeneratedBy": self._execution_arn, **(request.get("MetadataProperties") or {})}


class LocalFunctions:
    def __init__(self, state: State) -> None:
        self._state = state

    def find(self, name_or_arn: str) -> Function | None:
        from mlops.account.local.services.lambda_.functions import function_of  # few pipelines call any

        return function_of(self._state, name_or_arn)


def local_secret(state: State, name_or_arn: str) -> str | None:
    """Of the local account's Secrets Manager. An ARN may be of another account, where it ends with other letters; a
    name is taken as it is. None of what is no text, which fits no variable."""
    _, of_an_arn, name = name_or_arn.rpartition(":secret:")
    for asked in (name, *([name[:-7]] if of_an_arn and name[-7:-6] == "-" else [])):
        try:
            found = answer_fitting(state, "secretsmanager", "GetSecretValue", {"SecretId": asked})
        except Refusal:
            continue
        return str(found["SecretString"]) if "SecretString" in found else None
    return None


class LocalCallbacks:
    def __init__(self, state: State, execution_arn: str) -> None:
        self._state = state
        self._execution_arn = execution_arn

    def ask(self, queue: str, arguments: Mapping[str, Any]) -> str:
        try:
            return callbacks.ask(self._state, self._execution_arn, queue, arguments)
        except Refusal as refusal:
            raise _refused(refusal) from None

    def answer(self, token: str) -> Mapping[str, Any] | None:
        return callbacks.answer(self._state, token)

    def stopping(self, token: str) -> None:
        callbacks.tell_stopping(self._state, token)


class LocalCache:
    """Results of one pipeline's earlier executions."""

    def __init__(self, state: State, pipeline: str) -> None:
        self._state = state
        self._pipeline = pipeline

    def content(self, uri: str) -> Mapping[str, str]:
        bucket, prefix = object_place(uri)
        objects = self._state.objects
        # A file may have been changed by hand since it was listed: find() looks at it.
        found = (objects.find(bucket, listed.key) for listed in objects.list(bucket, prefix))
        return {f"s3://{bucket}/{item.key}": item.etag for item in found if item is not None}

    def successes(self, step: str, key: str) -> Iterator[Success]:
        for execution, record in step_records.successes(self._state, self._pipeline, step, key):
            yield Success(pipelines.execution_arn(self._state, self._pipeline, execution), record)


class _Journal:
    """What a run has told and is not written yet."""

    def __init__(self, state: State, execution: str) -> None:
        self._state = state
        self._execution = execution
        self._jobs: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._children: dict[tuple[str, str], Child] = {}
        self._account = state.identity

    @property
    def _is_account_gone(self) -> bool:
        """Somebody removed its folder: nobody can ask this run to stop."""
        return self._state.identity != self._account

    def take_along(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        """A job's description, into the transaction of the next call: what a step and its job tell is never at odds."""
        self._jobs[kind, name] = description

    def take_child_along(self, kind: str, name: str, child: Child) -> None:
        self._children[kind, name] = child

    def write(self) -> None:
        if self._jobs or self._children:
            with self._with_jobs():
                pass

    @contextmanager
    def _with_jobs(self) -> Iterator[sqlite3.Connection]:
        with self._state.store.transaction() as connection:
            for (kind, name), description in self._jobs.items():
                self._tell_findings(kind, name, description)
                self._tell_end(kind, name, description)
                jobs.record(self._state, kind, name, description)
            for (kind, name), child in self._children.items():
                jobs.record_child(self._state, self._execution, kind, name, child)
            yield connection
        self._jobs.clear()
        self._children.clear()

    def _tell_end(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        """Of a job on its own; a step's is told with its step."""

    def _tell_findings(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        """What rules found of a training, once."""
        before = None
        for told in description.get("DebugRuleEvaluationStatuses") or ():
            if told["RuleEvaluationStatus"] != "IssuesFound":
                continue
            before = before or resources.find(self._state, kind, name) or {}
            if not any(
                item["RuleConfigurationName"] == told["RuleConfigurationName"]
                and item["RuleEvaluationStatus"] == "IssuesFound"
                for item in before.get("DebugRuleEvaluationStatuses") or ()
            ):
                detail = {"rule": told["RuleConfigurationName"], "finding": told.get("StatusDetails")}
                ids = {"job": name, **({"execution": self._execution} if self._execution else {})}
                events.tell(self._state, "training.rule-found", description["TrainingJobArn"], ids, detail)


class LocalJournal(_Journal):
    def __init__(self, state: State, execution: str) -> None:
        super().__init__(state, execution)
        self._arn: str | None = None
        self._told: dict[str, tuple[int, str]] = {}

    def steps(self, records: Sequence[StepRecord]) -> None:
        with self._with_jobs():
            for record in records:
                step_records.keep(self._state, self._execution, record)
                # A next try is told with the end of the one before, and again when it begins.
                if self._told.get(record.name) != (record.attempt, record.status):
                    events.append(self._state.store, _step_event(self._known_arn(), record))
                    self._told[record.name] = (record.attempt, record.status)

    def execution(self, status: str, failure: str | None = None) -> None:
        with self._with_jobs() as connection:
            row = self._state.store.one("SELECT status FROM execution WHERE id = ?", self._execution)
            # Somebody may have asked to stop before the run said that it began.
            if row is None or (row["status"], status) == ("Stopping", "Executing"):
                return
            time = datetime.now(UTC)
            connection.execute(
                "UPDATE execution SET status = ?, failure = ?, modified = ? WHERE id = ?",
                (status, failure, moment(time), self._execution),
            )
            if status != row["status"]:
                events.append(self._state.store, execution_event(self._known_arn(), status, time, failure))

    def stop_requested(self) -> bool:
        self.write()
        row = self._state.store.one("SELECT stop_requested FROM execution WHERE id = ?", self._execution)
        # Without a row the pipeline was deleted by force: nobody waits for this run.
        return row is None or bool(row["stop_requested"]) or self._is_account_gone

    def _known_arn(self) -> str:
        if self._arn is None:
            row = self._state.store.one("SELECT pipeline FROM execution WHERE id = ?", self._execution)
            # Without a row the pipeline was deleted by force.
            pipeline = row["pipeline"] if row is not None else ""
            self._arn = pipelines.execution_arn(self._state, pipeline, self._execution)
        return self._arn

    def jobs_to_stop(self) -> frozenset[str]:
        asked = "SELECT name FROM job WHERE execution = ? AND execution != '' AND stop_requested"
        return _names(self._state.store.all(asked, self._execution))


class LocalJobJournal(_Journal):
    """Of a job that somebody created."""

    def __init__(self, state: State, kind: JobKind, name: str) -> None:
        super().__init__(state, "")
        self._kind = kind
        self._name = name
        self._failure: str | None = None

    def steps(self, records: Sequence[StepRecord]) -> None:
        self.write()
        self._failure = next((record.failure for record in reversed(records) if record.failure), self._failure)

    def execution(self, status: str, failure: str | None = None) -> None:
        """A job that failed before it began has told nothing yet."""
        with self._with_jobs():
            body = resources.find(self._state, self._kind.name, self._name)
            if status == "Executing" or body is None or body[self._kind.status_member] not in ALIVE:
                return
            if status == "Stopping":
                return
            ended = "Stopped" if status == "Stopped" else "Failed"
            told = {
                **body,
                self._kind.status_member: ended,
                self._kind.end_member: moment(datetime.now(UTC)),
                **({"SecondaryStatus": ended} if self._kind.stages else {}),
                **({"FailureReason": self._failure or failure} if self._failure or failure else {}),
            }
            self._tell_end(self._kind.name, self._name, told)
            resources.replace(self._state, self._kind.name, self._name, told, ended)

    def _tell_end(self, kind: str, name: str, description: Mapping[str, Any]) -> None:
        status = str(description.get(self._kind.status_member))
        if (kind, name) != (self._kind.name, self._name) or status in ALIVE:
            return
        before = resources.find(self._state, kind, name) or {}
        if before.get(self._kind.status_member) in ALIVE:
            arn, failure = self._state.arn(f"{self._kind.segment}/{name}"), description.get("FailureReason")
            told = job_event(arn, self._kind.member, status, datetime.now(UTC), failure)
            events.append(self._state.store, told)

    def stop_requested(self) -> bool:
        self.write()
        row = self._state.store.one(
            "SELECT stop_requested FROM job WHERE kind = ? AND name = ?", self._kind.name, self._name
        )
        return row is None or bool(row["stop_requested"]) or self._is_account_gone

    def jobs_to_stop(self) -> frozenset[str]:
        asked = "SELECT name FROM job WHERE parent = ? AND parent != '' AND stop_requested"
        return _names(self._state.store.all(asked, self._name))


def _names(rows: Sequence[sqlite3.Row]) -> frozenset[str]:
    return frozenset(row["name"] for row in rows)


def _step_event(arn: str, record: StepRecord) -> Event:
    began = record.started if record.status == "Starting" else None
    return step_event(
        arn,
        record.name,
        record.status,
        record.ended or began or datetime.now(UTC),
        attempt=record.attempt,
        metadata=record.metadata,
        failure=record.failure,
        cached=record.cache_source,
        stub=record.cache.stub if record.cache is not None else None,
        seconds=(record.ended - record.started).total_seconds() if record.started and record.ended else None,
    )


def _refused(refusal: Refusal) -> RequestRefused:
    """What the caller did wrong stays wrong; the rest may pass."""
    if "Throttl" in refusal.code:
        return RequestRefused(refusal.message, THROTTLING)
    return RequestRefused(refusal.message, SERVICE_FAULT if refusal.status >= 500 else None)


def _need_valid(operation: str, request: Mapping[str, Any]) -> None:
    """What botocore would have said of the request; values may come from earlier steps, so no checker has seen them."""
    from mlops.check.shapes import Misfit, shape, walk
    from mlops.ir.values import from_json

    against = shape("sagemaker", f"{operation}Input") or shape("sagemaker", f"{operation}Request")
    if against is None:
        return
    given = {name: value for name, value in request.items() if value is not None}
    wrong = [item for item in walk(from_json(given), against, "") if isinstance(item, Misfit) and not item.doubtful]
    if wrong:
        raise RequestRefused(f"{operation}: " + "; ".join(f"{item.at or '/'}: {item.message}" for item in wrong))


def _plain(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(dump({name: value for name, value in reply.items() if value is not None}))
    return found
