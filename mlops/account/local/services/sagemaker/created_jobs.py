"""Jobs on their own, which somebody creates: create, stop, delete. The work itself is done by the runner's process, as
that of an execution is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from mlops.account.local import datasets as local_datasets
from mlops.account.local import events, mounts, ownership
from mlops.account.local.refusal import Refusal, invalid
from mlops.account.local.services.sagemaker import jobs, resources
from mlops.account.local.settling import ALIVE
from mlops.account.local.state import State, dump, moment
from mlops.check import step_types
from mlops.check.job_kinds import kinds_here
from mlops.ir import JobKind, StepType
from mlops.ir.execution_events import job_event
from mlops.ir.local_files import how_to_put
from mlops.ir.members import get
from mlops.ir.s3_uri import split_uri
from mlops.knowledge import datasets
from mlops.knowledge.this_machine import of_step
from mlops.run.beneath import remove
from mlops.run.job import STAGES

LOG = ("job", "1", "log.txt")
"""Below the job's folder: where :mod:`mlops.run.execute` puts that of the first attempt of the step ``job``."""

_Answer: TypeAlias = Callable[[State, Mapping[str, Any]], Mapping[str, Any]]
_WAIT_SECONDS = 2.0
"""The process of one that was deleted ends a moment after its last word."""
_DELETED = ("TrainingJob", "ProcessingJob", "HyperParameterTuningJob")
_TRAINS = ("TrainingJob", "HyperParameterTuningJob")
_RESULTS = (("OutputDataConfig", "S3OutputPath"), ("TransformOutput", "S3OutputPath"))
_NOUNS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def type_of(kind: JobKind) -> StepType | None:
    """The type of step that is such a job and no more: its arguments are the request, its properties what is told."""
    asked, told = f"Create{kind.name}Request", f"Describe{kind.name}Response"
    found = (item for item in step_types().values() if (item.request, item.response) == (asked, told) and item.action)
    return next(found, None)


def create(kind: JobKind, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name, arn = request[kind.name_member], state.arn(f"{kind.segment}/{request[kind.name_member]}")
    _need_possible(kind, request)
    _need_model(kind, state, request)
    mounts.refresh(state)
    _need_data(kind, state, request)
    _need_datasets(state, request)
    noun = _NOUNS.sub(" ", kind.name.removesuffix("Job"))
    taken = Refusal(
        "ResourceInUse",
        f"{noun} Job names must be unique within an AWS account and region, and a job with this name already exists "
        f"({arn})",
    )
    if resources.find(state, kind.name, name) is not None:
        raise taken
    folder = state.job_folder(kind.segment, name)
    descriptor = ownership.take(folder, _WAIT_SECONDS)
    if descriptor is None:
        raise taken
    given = {member: value for member, value in request.items() if member != "Tags" and value is not None}
    started = False
    try:
        with state.store.transaction():
            resources.insert(state, kind.name, name, _first_told(kind, arn, given), taken=taken, status="InProgress")
            state.store.write(
                "INSERT OR REPLACE INTO job (kind, name, execution, parent, log, body) VALUES (?, ?, '', '', ?, ?)",
                kind.name,
                name,
                str(folder.joinpath(*LOG)),
                dump(given),
            )
            resources.tag(state, arn, request)
            events.append(state.store, job_event(arn, kind.member, "InProgress", datetime.now(UTC), by=state.user))
        remove(folder / LOG[0])  # of a job of that name that was deleted
        started = True
    finally:
        if not started:
            os.close(descriptor)
    ownership.hand_over(descriptor, state.folder, state.region, "job", f"{kind.segment}/{name}", folder)
    return {kind.arn_member: arn}


def _need_possible(kind: JobKind, request: Mapping[str, Any]) -> None:
    found = type_of(kind)
    if found is None:
        raise invalid(f"Jobs of this kind cannot be created in the local account: {kind.name}.")
    for obstacle in of_step(found.type, found.action, request):
        raise invalid(f"This job cannot run in the local account: {obstacle.message}")


def _need_model(kind: JobKind, state: State, request: Mapping[str, Any]) -> None:
    """Of a transform job."""
    model = request.get("ModelName") if kind.name == "TransformJob" else None
    if model is not None and resources.find(state, "Model", model) is None:
        raise invalid(f'Could not find model "{state.arn(f"model/{model}")}".')


def _need_data(kind: JobKind, state: State, request: Mapping[str, Any]) -> None:
    """The service looks for the data of training before it makes the job, and fails a job in the end that cannot write
    its results: that is told before, too."""
    definitions = [request, request.get("TrainingJobDefinition"), *(request.get("TrainingJobDefinitions") or ())]
    for definition in filter(None, definitions):
        for channel in definition.get("InputDataConfig") or () if kind.name in _TRAINS else ():
            uri = str(get(channel, "DataSource", "S3DataSource", "S3Uri") or "")
            bucket, key = split_uri(uri)
            if uri.startswith("s3://") and not state.objects.list(bucket, key, limit=1):
                raise invalid(
                    f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
                    f"bucket exists in the selected region ({state.region}), that objects exist under that S3 prefix; "
                    f"{how_to_put(uri)}."
                )
        for at in _RESULTS:
            target = get(definition, *at)
            bucket = split_uri(target)[0] if isinstance(target, str) else ""
            if bucket and state.store.one("SELECT 1 FROM bucket WHERE name = ?", bucket) is None:
                raise invalid(
                    f"{'.'.join(at)}: there is no bucket {bucket}; create it before, e.g. aws s3 mb s3://{bucket}"
                )


def _need_datasets(state: State, request: Mapping[str, Any]) -> None:
    """Something that stands for what a processing job asks of Athena and Redshift."""
    for item in request.get("ProcessingInputs") or ():
        found = datasets.asked(item.get("DatasetDefinition"))
        if found is None or found.database is None or item.get("AppManaged"):
            continue
        stands = local_datasets.stands(state, found.database)
        told = datasets.missing_here() if stands else datasets.not_declared(found)
        if told is not None:
            raise invalid(f"This job cannot run in the local account: input {item['InputName']}: {told}")


def _first_told(kind: JobKind, arn: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Until the run tells of it."""
    body: dict[str, Any] = {**request, kind.arn_member: arn, kind.status_member: "InProgress"}
    if kind.stages:
        began = moment(datetime.now(UTC))
        body |= {
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [
                {"Status": "Starting", "StartTime": began, "StatusMessage": STAGES["Starting"]}
            ],
        }
    return body


def stop(kind: JobKind, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = request[kind.name_member]
    jobs.found(kind, state, name)
    with state.store.transaction() as connection:
        body = jobs.found(kind, state, name)
        status = str(body[kind.status_member])
        if status == "Stopping":
            return {}
        if status not in ALIVE:
            noun = kind.segment.replace("-", " ")
            raise invalid(f"The request was rejected because the {noun} is in status {status}.")
        if not connection.execute(
            "UPDATE job SET stop_requested = 1 WHERE kind = ? AND name = ?", (kind.name, name)
        ).rowcount:
            step = state.store.one("SELECT execution FROM step WHERE job = ?", f"{kind.name}/{name}")
            connection.execute(
                "INSERT INTO job (kind, name, execution, parent, stop_requested, body) VALUES (?, ?, ?, '', 1, '{}')",
                (kind.name, name, step["execution"] if step is not None else ""),
            )
        changed = {**body, kind.status_member: "Stopping", **({"SecondaryStatus": "Stopping"} if kind.stages else {})}
        resources.replace(state, kind.name, name, changed, "Stopping")
        if is_on_its_own(state, kind, name):
            arn = str(body[kind.arn_member])
            events.append(state.store, job_event(arn, kind.member, "Stopping", datetime.now(UTC), by=state.user))
    return {}


def delete(kind: JobKind, state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a tuning job only what is told of it: its training jobs stay."""
    name = request[kind.name_member]
    body = jobs.found(kind, state, name)
    if body[kind.status_member] in ALIVE:
        raise Refusal("ResourceInUse", f"The job {name} is in status {body[kind.status_member]}; stop it first.")
    with state.store.transaction() as connection:
        resources.remove(state, kind.name, name, str(body[kind.arn_member]))
        connection.execute("DELETE FROM job WHERE kind = ? AND name = ? AND parent = ''", (kind.name, name))
    return {}


def is_on_its_own(state: State, kind: JobKind, name: str) -> bool:
    """Neither a step's nor another job's."""
    return requested(state, kind, name) is not None


def requested(state: State, kind: JobKind, name: str) -> str | None:
    """The request that made it, as JSON; None of one that nobody created, and of one that is gone."""
    row = state.store.one(
        "SELECT body FROM job WHERE kind = ? AND name = ? AND execution = '' AND parent = ''", kind.name, name
    )
    return None if row is None else str(row["body"])


class _Operations(Mapping[str, _Answer]):
    """Made when they are asked for, as those of :mod:`~mlops.account.local.services.sagemaker.jobs`."""

    _NAME = re.compile(r"(Create|Stop|Delete)(\w+Job)")
    _ANSWERS: Mapping[str, Callable[[JobKind, State, Mapping[str, Any]], Mapping[str, Any]]] = {
        "Create": create,
        "Stop": stop,
        "Delete": delete,
    }

    def __getitem__(self, operation: str) -> _Answer:
        asked = self._NAME.fullmatch(operation)
        if asked and operation in self:
            return partial(self._ANSWERS[asked[1]], next(kind for kind in _created() if kind.name == asked[2]))
        raise KeyError(operation)

    def __contains__(self, operation: object) -> bool:
        return isinstance(operation, str) and self._NAME.fullmatch(operation) is not None and operation in [*self]

    def __iter__(self) -> Iterator[str]:
        for kind in _created():
            yield from (f"Create{kind.name}", f"Stop{kind.name}")
            if kind.name in _DELETED:
                yield f"Delete{kind.name}"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _created() -> list[JobKind]:
    return [kind for kind in kinds_here() if type_of(kind) is not None]


OPERATIONS = _Operations()
