"""Start a pipeline and follow it, in any account."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mlops.account import Account, RunOptions, answers, confirm_account
from mlops.account.missing import unless_missing
from mlops.check.job_kinds import behind, by_member, by_name
from mlops.deploy.executions.happening import Happening
from mlops.deploy.pages import items
from mlops.deploy.pipelines.state import describe as describe_state
from mlops.deploy.pipelines.state import judge_name
from mlops.ir import AccountError, Definition, Event, JobKind, Listener, Refusal, UsageError, unheard
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.ir.execution_events import execution_event, step_event
from mlops.ir.function_arn import log_group
from mlops.ir.hiding import hide, hide_text
from mlops.ir.placeholders import placeholders
from mlops.ir.reader import read
from mlops.ir.secrecy import is_secret
from mlops.project.environments import Environment

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
_PAGE = 100
"""The most that the API gives at once."""
LAST = "last"
_ID = re.compile(r"[a-z0-9]{12}")
"""As the service gives them (PipelineExecutionArn)."""


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of an execution as the account tells it; a secret that its failure quotes is hidden. ``kind`` is the
    member of its Metadata, e.g. TrainingJob; ``cached`` the ARN of the execution whose result it took over."""

    name: str
    status: str
    kind: str
    started: datetime | None = None
    ended: datetime | None = None
    failure: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cached: str | None = None
    attempt: int = 1
    execution: str = ""
    """The ARN of its own."""
    stub: str | None = None
    """What stood for it, in an account whose executions run here."""

    def __post_init__(self) -> None:
        if self.failure:
            object.__setattr__(self, "failure", hide_text(self.failure))

    @property
    def seconds(self) -> float | None:
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()

    @property
    def job(self) -> str | None:
        """The name of the job behind the step."""
        found = behind(self.metadata)
        return found[1] if found is not None else None

    @property
    def job_kind(self) -> JobKind | None:
        found = behind(self.metadata)
        return found[0] if found is not None else by_member(self.kind)

    @property
    def log_group(self) -> str | None:
        """Where the log streams of its job or its function are, in CloudWatch Logs."""
        if self.function is not None:
            return log_group(self.function)
        kind = self.job_kind
        if kind is not None and kind.starts is not None:  # which are named after it
            kind = by_name(kind.starts)
        return kind.log_group if kind is not None else None

    @property
    def function(self) -> str | None:
        """The ARN of the function that a Lambda step called."""
        arn = self.metadata.get("Lambda", {}).get("Arn")
        return str(arn) if arn else None

    def log_streams(self, account: Account) -> str | None:
        """What the names of its log streams begin with; None where it has none, or nobody can tell which they are: the
        service names those of a function by nothing that a step knows."""
        if self.job is not None:
            mark = "-" if self.job_kind is not None and self.job_kind.starts is not None else "/"
            return f"{self.job}{mark}" if self.log_group is not None else None
        if self.function is None or account.here is None:
            return None
        from mlops.run.work import job_name  # a look at an execution does without

        return job_name(self.execution.rpartition("/")[2], self.name, self.attempt)


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """An execution and its steps, in the order of their starts; a secret that its failure quotes is hidden."""

    arn: str
    pipeline: str
    status: str
    failure: str | None
    steps: tuple[StepState, ...]
    created: datetime | None = None
    mlflow: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.failure:
            object.__setattr__(self, "failure", hide_text(self.failure))

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Version:
    """Of a pipeline, by an alias or its number; the newest without."""

    alias: str | None = None
    number: int | None = None

    @property
    def is_newest(self) -> bool:
        return self.alias is None and self.number is None

    @property
    def request(self) -> dict[str, Any]:
        members = {"PipelineVersionAlias": self.alias, "PipelineVersionId": self.number}
        return {member: value for member, value in members.items() if value is not None}


NEWEST = Version()


def start(
    account: Account,
    environment: Environment,
    pipeline: str,
    parameters: Mapping[str, str],
    selective: Mapping[str, Any] | None = None,
    version: Version = NEWEST,
    options: RunOptions | None = None,
    token: str | None = None,
    described: Mapping[str, str] | None = None,
) -> str:
    """The new execution's ARN. The account judges the parameters. ``selective`` is a SelectiveExecutionConfig;
    ``token`` makes of several starts one, ``described`` is its display name and description; ``options`` are for an
    account whose executions run on this machine. Raises Refusal for a secret that would be written to this machine's
    disk."""
    if environment.is_local:
        _refuse_secrets(parameters)
    with answers():
        number = confirm_account(account, environment)
        _refuse_placeholders(environment, number, parameters)
        request = {
            "PipelineName": pipeline,
            "PipelineParameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
            "ClientRequestToken": token or uuid.uuid4().hex,
            **(described or {}),
            **({"SelectiveExecutionConfig": selective} if selective else {}),
            **version.request,
        }
        here = account.here
        if options is not None and options != RunOptions() and here is not None:
            reply = here.start(request, options)
        else:
            reply = account.client("sagemaker").start_pipeline_execution(**request)
    return str(reply["PipelineExecutionArn"])


def _refuse_placeholders(environment: Environment, number: str, parameters: Mapping[str, str]) -> None:
    if environment.is_local:
        return
    for name, value in parameters.items():
        for text in placeholders(value, account=number, bucket=environment.bucket):
            raise Refusal(
                f"the parameter {name} names {text}, which is of the local account and nothing in {number}; "
                "nothing was started",
                hint=f"give what lies in {environment.name}",
            )


def _refuse_secrets(parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        if is_secret(name, value):
            raise Refusal(
                f"the value of {name} looks like a secret, which would be put into .mlops/ in plain text; nothing was "
                "started",
                hint='let the step read it: environment={"NAME": secret("…")}',
            )


def _unknown(sagemaker: Any, pipeline: str) -> UsageError:
    known = [str(item["PipelineName"]) for item in items(sagemaker, "list_pipelines", "PipelineSummaries")]
    return UsageError(
        f"there is no pipeline {pipeline!r}{instead(pipeline, sorted(known))}",
        hint="`mlops upsert` puts one there",
    )


def definition_of(account: Account, pipeline: str, version: Version = NEWEST) -> Definition:
    """The definition that a start would run. Raises UsageError for a pipeline that the account does not have."""
    if not pipeline.startswith("arn:"):
        judge_name(pipeline)
    sagemaker = account.client("sagemaker")
    with answers():
        found = unless_missing(lambda: sagemaker.describe_pipeline(PipelineName=pipeline, **version.request))
        if found is None:
            if not version.is_newest and describe_state(account, pipeline) is not None:
                told = f"alias {version.alias!r}" if version.alias else f"number {version.number}"
                raise UsageError(f"{pipeline} has no version with the {told}")
            raise _unknown(sagemaker, pipeline)
    definition, findings = read(str(found["PipelineDefinition"]))
    if definition is None:
        raise AccountError(f"the account's definition of {pipeline} cannot be read: {findings[0].message}")
    return definition


def stop(account: Account, arn: str) -> None:
    with answers():
        account.client("sagemaker").stop_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=uuid.uuid4().hex
        )


def need_running(account: Account, arn: str) -> None:
    """Raises Refusal where it has ended."""
    state = describe(account, arn)
    if state.ended:
        raise Refusal(f"execution {state.id} of {state.pipeline} is {state.status}; there is nothing to stop")


def request_stop(account: Account, environment: Environment, arn: str) -> None:
    """Raises Refusal where it has ended."""
    need_running(account, arn)
    with answers():
        confirm_account(account, environment)
    stop(account, arn)


def need_retriable(account: Account, environment: Environment, arn: str) -> ExecutionState:
    """What it is now. Raises Refusal where there is nothing to go on with."""
    state = describe(account, arn)
    if not state.ended:
        raise Refusal(
            f"execution {state.id} of {state.pipeline} still runs ({state.status})",
            hint=f"`mlops executions stop {state.id}{environment.option}` stops it",
        )
    if state.status == "Succeeded":
        raise Refusal(
            f"execution {state.id} of {state.pipeline} succeeded; there is nothing to retry",
            hint="start a new one to run it again",
        )
    fail = next((step.name for step in state.steps if step.kind == "Fail" and step.status == "Failed"), None)
    if fail is not None:
        raise Refusal(
            f"execution {state.id} of {state.pipeline} was ended by its Fail step {fail}, and cannot be gone on with",
            hint="start a new one to run it again",
        )
    return state


def retry(account: Account, environment: Environment, arn: str) -> None:
    """Go on where it failed or was stopped; steps that succeeded are not repeated. Raises Refusal where there is
    nothing to go on with."""
    need_retriable(account, environment, arn)
    with answers():
        confirm_account(account, environment)
        account.client("sagemaker").retry_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=uuid.uuid4().hex
        )


def describe(account: Account, arn: str) -> ExecutionState:
    sagemaker = account.client("sagemaker")
    with answers():
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        stubs = account.here.stubbed(arn.rpartition("/")[2]) if account.here is not None else {}
        steps = tuple(_steps(sagemaker, arn, stubs))
    return ExecutionState(
        arn=arn,
        pipeline=str(found.get("PipelineArn", arn)).rpartition(":pipeline/")[2].partition("/")[0],
        status=str(found["PipelineExecutionStatus"]),
        failure=found.get("FailureReason"),
        steps=steps,
        created=found.get("CreationTime"),
        mlflow=found.get("MLflowConfig"),
    )


def follow(
    account: Account,
    arn: str,
    listener: Listener = unheard,
    *,
    interval: float = 0.2,
    looked: Callable[[ExecutionState], None] = lambda state: None,
    before: ExecutionState | None = None,
) -> ExecutionState:
    """Until the execution has ended. ``listener`` hears of what it and its steps do, ``looked`` behind that, at each
    look, of all that is known. ``before`` is what need not be told: how a try ended that is gone on with."""
    happening = Happening(account, arn, _as_events(before) if before is not None else ())
    while True:
        state = describe(account, arn)
        for event in happening.since(_as_events(state), ended=state.ended):
            listener(event)
        looked(state)
        if state.ended:
            return state
        account.rest(arn, interval)


def _as_events(state: ExecutionState) -> Iterator[Event]:
    now = datetime.now(UTC)
    for step in state.steps:
        yield step_event(
            state.arn,
            step.name,
            step.status,
            step.ended or now,
            attempt=step.attempt,
            metadata=step.metadata,
            failure=step.failure,
            cached=step.cached,
            stub=step.stub,
            seconds=step.seconds,
        )
    yield execution_event(state.arn, state.status, now, state.failure)


def listed(account: Account, pipeline: str | None, most: int | None = None) -> tuple[Mapping[str, Any], ...]:
    """Execution summaries without secrets, newest first, at most ``most``; of all pipelines where none is named."""
    return tuple(hide(item) for item in _summaries(account, pipeline, most))


def _summaries(account: Account, pipeline: str | None, most: int | None) -> list[dict[str, Any]]:
    """As the account tells them."""
    sagemaker = account.client("sagemaker")
    found: list[dict[str, Any]] = []
    with answers():
        for name, last in _ran(sagemaker, pipeline):
            if most is not None and len(found) >= most and last is not None and last < found[most - 1]["StartTime"]:
                break  # nor has any after it a newer one
            newest = unless_missing(partial(_newest, sagemaker, name, most))
            if newest is None:
                raise _unknown(sagemaker, name)
            found.extend({**item, "PipelineName": name} for item in newest)
            found.sort(key=lambda item: item["StartTime"], reverse=True)
    return found[:most]


def _ran(sagemaker: Any, pipeline: str | None) -> list[tuple[str, Any]]:
    """Names with the time of the last start, the newest first; None for one that was named."""
    if pipeline is not None:
        return [(pipeline, None)]
    known = items(sagemaker, "list_pipelines", "PipelineSummaries")
    ran = [(str(item["PipelineName"]), item["LastExecutionTime"]) for item in known if item.get("LastExecutionTime")]
    return sorted(ran, key=lambda item: item[1], reverse=True)


def _newest(sagemaker: Any, pipeline: str, most: int | None) -> list[Mapping[str, Any]]:
    """Whole pages until there are enough."""
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline,
        SortBy="CreationTime",
        SortOrder="Descending",
        **({"PaginationConfig": {"PageSize": min(most, _PAGE)}} if most else {}),
    )
    found: list[Mapping[str, Any]] = []
    for page in pages:
        found.extend(page["PipelineExecutionSummaries"])
        if most is not None and len(found) >= most:
            break
    return found


def find(account: Account, given: str | None, pipeline: str | None = None) -> str:
    """The ARN of an execution by its ARN, id, or the beginning of its id; the newest where nothing or `last` is
    given."""
    if given == LAST:
        given = None
    if given and given.startswith("arn:"):
        return given
    if given and _ID.fullmatch(given) and (known := _by_id(account, given, pipeline)):
        return known
    # A list can be asked for no beginning: all are looked through.
    found = (str(item["PipelineExecutionArn"]) for item in _summaries(account, pipeline, None if given else 1))
    matching = [arn for arn in found if not given or arn.rpartition("/")[2].startswith(given)]
    if not matching:
        raise UsageError(
            f"there is no execution {given}" if given else "there is no execution yet",
            hint="`mlops executions list` shows them",
        )
    if given and len(matching) > 1:
        raise UsageError(f"{given} begins the ids of {len(matching)} executions", hint="give more of it")
    return matching[0]


def _by_id(account: Account, given: str, pipeline: str | None) -> str | None:
    """Its ARN, by asking each pipeline that ran for it."""
    sagemaker = account.client("sagemaker")
    with answers():
        for item in items(sagemaker, "list_pipelines", "PipelineSummaries"):
            if pipeline in (None, item["PipelineName"]) and item.get("LastExecutionTime"):
                arn = f"{item['PipelineArn']}/execution/{given}"
                if unless_missing(partial(sagemaker.describe_pipeline_execution, PipelineExecutionArn=arn)):
                    return arn
    return None


def log_tail(account: Account, step: StepState, count: int) -> tuple[str, ...]:
    """The last lines of the step's job, of its first host, or its function; none where it has printed nothing yet."""
    group, streams_begin = step.log_group, step.log_streams(account)
    if group is None or streams_begin is None:
        return ()
    client = account.client("logs")
    with answers():
        place = {"logGroupName": group, "logStreamNamePrefix": streams_begin}
        streams = unless_missing(lambda: client.describe_log_streams(**place, limit=1))
        names = [str(stream["logStreamName"]) for stream in streams["logStreams"]] if streams is not None else []
        if not names:
            return ()
        asked = {"logGroupName": group, "logStreamName": names[0], "limit": count, "startFromHead": False}
        reply = unless_missing(lambda: client.get_log_events(**asked))
    if reply is None:
        return ()
    return tuple(str(event["message"]).rstrip("\n") for event in reply["events"])


def log_lines(account: Account, step: StepState) -> Iterator[str]:
    """What the step's job or function printed. Another step printed nothing."""
    group, streams_begin = step.log_group, step.log_streams(account)
    if group is None or streams_begin is None:
        return
    request: dict[str, Any] = {"logGroupName": group, "logStreamNamePrefix": streams_begin}
    client = account.client("logs")
    with answers():
        while True:
            reply = unless_missing(lambda: client.filter_log_events(**request))
            if reply is None:  # no stream yet
                return
            for event in reply["events"]:
                yield str(event["message"]).rstrip("\n")
            if not reply.get("nextToken"):
                return
            request["nextToken"] = reply["nextToken"]


def _steps(sagemaker: Any, arn: str, stubs: Mapping[str, str]) -> Iterator[StepState]:
    for item in items(
        sagemaker,
        "list_pipeline_execution_steps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
    ):
        metadata = item.get("Metadata") or {}
        yield StepState(
            name=str(item["StepName"]),
            status=str(item["StepStatus"]),
            kind=next(iter(metadata), ""),
            started=item.get("StartTime"),
            ended=item.get("EndTime"),
            failure=item.get("FailureReason"),
            metadata=metadata,
            cached=(item.get("CacheHitResult") or {}).get("SourcePipelineExecutionArn"),
            attempt=int(item.get("AttemptCount") or 1),
            execution=arn,
            stub=stubs.get(str(item["StepName"])),
        )
