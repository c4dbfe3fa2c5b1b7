"""Events of the account as SageMaker puts them on the bus: a row of :data:`KINDS` for each kind that it tells.

Forms are those of the developer guide (automating-sagemaker-with-eventbridge): pipelines and their steps spell members
in camel case and times in ISO 8601, jobs and endpoints have times in milliseconds, and an endpoint's status has
capitals and underscores. A status is what the event says; the rest is what is known of the resource when the bus is
told.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias

from mlops.account.local.refusal import Refusal
from mlops.account.local.services.events import bus
from mlops.account.local.services.sagemaker import endpoints, pipelines, registry, resources
from mlops.account.local.state import State
from mlops.ir.dataclass import dataclass
from mlops.ir.events import Event
from mlops.ir.hiding import hide
from mlops.knowledge.eventbridge.known_events import (
    DEPLOYMENT,
    DETAILS,
    ENDPOINT,
    EXECUTION,
    PACKAGE,
    PROCESSING,
    SAGEMAKER,
    STEP,
    TRAINING,
    TRANSFORM,
    TUNING,
)

_Told: TypeAlias = tuple[str, list[str], Mapping[str, Any]]
"""The detail-type, what it is about, and the detail."""
_JOB_STATUSES = {
    "Executing": "InProgress",
    "Succeeded": "Completed",
}
"""Of a step's, where a job has another word."""
_HAVE_TIMES = ("SecondaryStatusTransitions", "PendingDeploymentSummary", "ProductionVariants", "VariantStatus")
_OF_ITS_END = ("FailureReason", "ExitMessage", "ModelArtifacts", "SecondaryStatus", "SecondaryStatusTransitions")


@dataclass(frozen=True, slots=True)
class _Job:
    """``kind`` is the resource's, ``time`` how its times are told."""

    detail_type: str
    kind: str
    segment: str
    time: Callable[[str], Any]


def service_events(state: State, event: Event) -> Iterator[dict[str, Any]]:
    """What the service would put for it, without what looks like a secret. Each has the same id however often it is
    asked for."""
    for row in KINDS.get(event.kind, ()):
        if (told := row(state, event)) is not None:
            detail_type, arns, detail = told
            known = {member: value for member, value in detail.items() if value is not None}
            once = f"{state.region} {event.about} {event.sequence} {event.time} {detail_type}"
            envelope = bus.envelope(state, SAGEMAKER, detail_type, arns, hide(known), event.time)
            yield {**envelope, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, once))}


def _execution(state: State, event: Event) -> _Told:
    pipeline, execution = _arns(state, event)
    row = state.store.one("SELECT * FROM execution WHERE id = ?", event.ids["execution"])
    body = json.loads(row["body"]) if row is not None else {}
    return (
        EXECUTION,
        [pipeline, execution],
        {
            "pipelineExecutionDisplayName": body.get("PipelineExecutionDisplayName"),
            "pipelineExecutionDescription": body.get("PipelineExecutionDescription"),
            "currentPipelineExecutionStatus": event.detail["status"],
            "previousPipelineExecutionStatus": _before(state, event, "execution"),
            "executionStartTime": _iso(row["created"]) if row is not None else None,
            "executionEndTime": _iso(event.time.isoformat()) if event.kind == "execution.ended" else None,
            "pipelineArn": pipeline,
            "pipelineExecutionArn": execution,
        },
    )


def _step(state: State, event: Event) -> _Told:
    pipeline, execution = _arns(state, event)
    name, attempt = event.ids["step"], event.detail.get("attempt")
    row = state.store.one(
        "SELECT * FROM step WHERE execution = ? AND name = ? AND attempt = ?", event.ids["execution"], name, attempt
    )
    cached = event.detail.get("cached")
    return (
        STEP,
        [pipeline, execution],
        {
            "metadata": _camel(json.loads(row["metadata"])) if row is not None else {},
            "stepStartTime": _iso(row["started"]) if row is not None else None,
            "stepEndTime": _iso(event.time.isoformat()) if event.kind == "step.ended" else None,
            "stepName": name,
            "stepType": row["type"] if row is not None else None,
            "previousStepStatus": _before(state, event, "step"),
            "currentStepStatus": event.detail["status"],
            "failureReason": event.detail.get("failure"),
            "cacheHitResult": {"sourcePipelineExecutionArn": cached} if cached else None,
            "pipelineArn": pipeline,
            "pipelineExecutionArn": execution,
        },
    )


def _job(state: State, event: Event) -> _Told | None:
    """Of a step's job, or one on its own: a step whose result an earlier execution or a stub gave has none."""
    told, name = _JOBS.get(str(event.detail.get("kind"))), event.ids.get("job")
    if told is None or name is None or event.detail.get("cached") or event.detail.get("stub"):
        return None
    body = resources.find(state, told.kind, name) or {}
    status, stands = str(event.detail["status"]), body.get(f"{told.kind}Status")
    status = _JOB_STATUSES.get(status, status)
    if event.kind == "step.ended" and stands in ("Completed", "Failed", "Stopped"):
        status = stands  # a step may fail behind its job
    elif status != stands:
        gone = (*_OF_ITS_END, f"{told.kind.removesuffix('Job')}EndTime")
        body = {member: value for member, value in body.items() if member not in gone}
    arn = state.arn(f"{told.segment}/{name}")
    detail = {
        **{member: value for member, value in body.items() if member in DETAILS[told.detail_type]},
        f"{told.kind}Name": name,
        f"{told.kind}Arn": arn,
        f"{told.kind}Status": status,
        "LastModifiedTime": event.time.isoformat() if "LastModifiedTime" in DETAILS[told.detail_type] else None,
        "Tags": _tags(state, arn),
    }
    return told.detail_type, [arn], _timed(detail, told.time)


def _package(state: State, event: Event) -> _Told:
    described: Mapping[str, Any] = {}
    with suppress(Refusal):  # somebody deleted it
        described = registry.describe_model_package(state, {"ModelPackageName": event.about})
    detail = {member: value for member, value in described.items() if member in DETAILS[PACKAGE]}
    if detail.get("ModelPackageGroupName"):
        detail["ModelPackageName"] = None
    group, _, version = event.ids["model-package"].partition("/")
    detail |= {"ModelPackageArn": event.about, "ModelPackageStatus": "Completed"}
    if version:
        detail |= {"ModelPackageGroupName": group, "ModelPackageVersion": int(version)}
        detail["ModelApprovalStatus"] = event.detail["status"]
    if event.kind != "model-package.registered":
        changed = ["ModelApprovalStatus", *(["ApprovalDescription"] if event.detail.get("reason") else [])]
        detail |= {"UpdatedModelPackageFields": changed, "LastModifiedTime": event.time.isoformat()}
    return PACKAGE, [event.about], _timed(detail, _iso)


def _endpoint(state: State, event: Event) -> _Told | None:
    """Not again while it stays as it is: of a way back each step is an event of the account."""
    if event.kind == "endpoint.rolling-back" and _kind_before(state, event) == event.kind:
        return None
    return ENDPOINT, [event.about], _of_endpoint(state, event, ENDPOINT)


def _deployment(state: State, event: Event) -> _Told:
    return DEPLOYMENT, [event.about], _of_endpoint(state, event, DEPLOYMENT)


def _of_endpoint(state: State, event: Event, detail_type: str) -> Mapping[str, Any]:
    name = event.ids["endpoint"]
    row = state.store.one("SELECT * FROM resource WHERE kind = ? AND name = ?", endpoints.KIND, name)
    stands = row["status"] if row is not None else "Deleting"
    told = endpoints.told(state, {**resources.body_of(row), "Status": stands}) if row is not None else {}
    status = _ENDPOINT_STATUSES.get(event.kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stands).upper()
    detail = {
        **{member: value for member, value in told.items() if member in DETAILS[detail_type]},
        "EndpointName": name,
        "EndpointArn": event.about,
        "EndpointStatus": status,
        "FailureReason": told.get("FailureReason") or event.detail.get("failure"),
        "LastModifiedTime": event.time.isoformat(),
        "Tags": _tags(state, event.about),
    }
    return _timed(detail, _milliseconds)


def _arns(state: State, event: Event) -> tuple[str, str]:
    name = event.ids["pipeline"]
    return pipelines.arn(state, name), pipelines.execution_arn(state, name, event.ids["execution"])


def _before(state: State, event: Event, noun: str) -> str | None:
    """The status that the one before of the same execution, or step of it, told."""
    row = state.store.one(
        "SELECT json_extract(detail, '$.status') AS status FROM event_id "
        "JOIN event ON event.sequence = event_id.sequence "
        "WHERE name = 'execution' AND value = ? AND event_id.sequence < ? AND substr(kind, 1, ?) = ? "
        "AND json_extract(ids, '$.step') IS ? AND json_extract(detail, '$.status') IS NOT NULL "
        "ORDER BY event_id.sequence DESC LIMIT 1",
        event.ids["execution"],
        event.sequence,
        len(noun) + 1,
        f"{noun}.",
        event.ids.get("step"),
    )
    return None if row is None else str(row["status"])


def _kind_before(state: State, event: Event) -> str | None:
    row = state.store.one(
        "SELECT kind FROM event_id JOIN event ON event.sequence = event_id.sequence WHERE name = 'endpoint' "
        "AND value = ? AND event_id.sequence < ? AND about = ? ORDER BY event_id.sequence DESC LIMIT 1",
        event.ids["endpoint"],
        event.sequence,
        event.about,
    )
    return None if row is None else str(row["kind"])


def _tags(state: State, arn: str) -> dict[str, str]:
    return {row["key"]: row["value"] for row in state.store.all("SELECT key, value FROM tag WHERE arn = ?", arn)}


def _timed(detail: Mapping[str, Any], spell: Callable[[str], Any]) -> dict[str, Any]:
    """With the times as the service spells them for that kind, also in what itself has some; a user's own words may end
    like their names."""
    told: dict[str, Any] = {}
    for name, value in detail.items():
        if name.endswith("Time") and isinstance(value, str):
            told[name] = spell(value)
        elif name in _HAVE_TIMES and isinstance(value, Mapping):
            told[name] = _timed(value, spell)
        elif name in _HAVE_TIMES and isinstance(value, list):
            told[name] = [_timed(item, spell) for item in value]
        elif value is not None:
            told[name] = value
    return told


def _iso(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%dT%H:%M:%SZ}"


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _as_text(text: str) -> str:
    return str(_milliseconds(text))


def _camel(value: Any) -> Any:
    """
    >>> _camel({"ProcessingJob": {"Arn": "a"}})
    {'processingJob': {'arn': 'a'}}
    """
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value


_JOBS: Mapping[str, _Job] = {
    "TrainingJob": _Job(TRAINING, "TrainingJob", "training-job", _as_text),
    "ProcessingJob": _Job(PROCESSING, "ProcessingJob", "processing-job", _milliseconds),
    "TransformJob": _Job(TRANSFORM, "TransformJob", "transform-job", _iso),
    "TuningJob": _Job(TUNING, "HyperParameterTuningJob", "hyper-parameter-tuning-job", _as_text),
}
"""By the member of a step's Metadata."""
_ENDPOINT_STATUSES: Mapping[str, str] = {
    "endpoint.creating": "CREATING",
    "endpoint.updating": "UPDATING",
    "endpoint.shifting": "UPDATING",
    "endpoint.rolling-back": "ROLLING_BACK",
    "endpoint.in-service": "IN_SERVICE",
    "endpoint.failed": "FAILED",
    "endpoint.deleting": "DELETING",
}
"""Of the others the endpoint itself says it."""

KINDS: Mapping[str, tuple[Callable[[State, Event], _Told | None], ...]] = {
    "execution.started": (_execution,),
    "execution.retried": (_execution,),
    "execution.stopping": (_execution,),
    "execution.ended": (_execution,),
    "step.starting": (_step,),
    "step.executing": (_step, _job),
    "step.stopping": (_step, _job),
    "step.ended": (_step, _job),
    "job.started": (_job,),
    "job.stopping": (_job,),
    "job.ended": (_job,),
    "model-package.registered": (_package,),
    "model-package.approved": (_package,),
    "model-package.rejected": (_package,),
    "model-package.reopened": (_package,),
    "endpoint.creating": (_endpoint,),
    "endpoint.updating": (_endpoint,),
    "endpoint.shifting": (_deployment,),
    "endpoint.rolling-back": (_endpoint, _deployment),
    "endpoint.in-service": (_endpoint,),
    "endpoint.update-failed": (_endpoint,),
    "endpoint.revived": (_endpoint,),
    "endpoint.failed": (_endpoint,),
    "endpoint.deleting": (_endpoint,),
}
