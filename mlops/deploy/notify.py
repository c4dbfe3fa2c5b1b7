"""Tell people: SNS, a webhook (in Slack's form), a file, a command. A channel that fails is told, and fails nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, Protocol

from mlops.account import Account, answers
from mlops.deploy.bounded import TookTooLong, within
from mlops.deploy.executions.following import ExecutionState
from mlops.deploy.pipelines.plan import Plan
from mlops.deploy.pipelines.plan_report import text as report
from mlops.ir import MlopsError
from mlops.ir.dataclass import dataclass
from mlops.project.environments import Environment

_TIMEOUT_SECONDS = 10
"""Of one step on the way. The whole way of a notice has :data:`LONGEST_SECONDS`: who answers drop by drop never lets a
step take too long."""
LONGEST_SECONDS = 15.0
_REASON_LENGTH = 500
_SUBJECT_LENGTH = 100
"""SNS: Subject."""


@dataclass(frozen=True, slots=True)
class Notice:
    kind: Literal["failed", "succeeded", "approval", "drift"]
    pipeline: str
    environment: str
    text: str
    execution: str | None = None


class _NotSent(Exception):
    """The text says why, without the address: that may be a secret."""


def tell(account: Account, environment: Environment, notice: Notice, root: Path) -> tuple[str, ...]:
    """What went wrong, one sentence for each channel. Nothing is sent where the environment does not ask for it.
    ``root`` is where a relative file lies."""
    wanted = environment.notify
    if wanted is None or notice.kind not in wanted.on:
        return ()
    subject = f"{notice.pipeline} in {notice.environment}: {notice.kind}"
    return send(account, wanted, subject, notice.text, asdict(notice), root)


class Channels(Protocol):
    """By which people are told. ``webhook_env`` names the variable that holds the URL."""

    @property
    def sns(self) -> str | None: ...
    @property
    def webhook_env(self) -> str | None: ...
    @property
    def slack(self) -> bool: ...
    @property
    def file(self) -> str | None: ...
    @property
    def command(self) -> list[str] | None: ...


def send(
    account: Account, wanted: Channels, subject: str, text: str, told: Mapping[str, Any], root: Path
) -> tuple[str, ...]:
    """What went wrong, one sentence for each channel."""
    failures = []
    for name, way in _channels(account, wanted, subject, text, told, root):
        try:
            within(LONGEST_SECONDS, way)
        except (MlopsError, OSError, subprocess.SubprocessError, _NotSent, TookTooLong) as error:
            failures.append(f"the notice could not be sent by {name}: {error}")
        except Exception as error:  # who is told fails nothing; the text may hold the address
            failures.append(f"the notice could not be sent by {name}: {type(error).__name__}")
    return tuple(failures)


def tell_all(account: Account, environment: Environment, notices: Iterable[Notice], root: Path) -> tuple[str, ...]:
    return tuple(failure for notice in notices for failure in tell(account, environment, notice, root))


def notices(account: Account, environment: Environment, state: ExecutionState) -> tuple[Notice, ...]:
    """How an execution ended, and the versions that it registered and that wait for an approval."""
    kind: Literal["failed", "succeeded"] = "succeeded" if state.status == "Succeeded" else "failed"
    reason = f": {state.failure}" if state.failure else ""
    text = f"{state.pipeline} in {environment.name}: execution {state.id} is {state.status}{reason}"
    text += "".join(f"\n{step.name}: {_reason(step.failure)}" for step in state.steps if step.failure)
    found = [Notice(kind, state.pipeline, environment.name, text, state.arn)]
    for step in state.steps:
        package = step.metadata.get("RegisterModel", {}).get("Arn")
        if package is None:
            continue
        with answers():
            told = account.client("sagemaker").describe_model_package(ModelPackageName=package)
        if told.get("ModelApprovalStatus") == "PendingManualApproval":
            name = f"version {told.get('ModelPackageVersion')} of {told.get('ModelPackageGroupName')}"
            text = f"{state.pipeline} in {environment.name}: {name} waits for its approval"
            found.append(Notice("approval", state.pipeline, environment.name, text, state.arn))
    return tuple(found)


def _reason(failure: str) -> str:
    """On one line. It may quote what a script printed, and holds no secret as any failure that we describe."""
    told = " ".join(failure.split())
    return told if len(told) <= _REASON_LENGTH else f"{told[:_REASON_LENGTH]}…"


def drift_notices(plans: Iterable[Plan]) -> tuple[Notice, ...]:
    return tuple(
        Notice("drift", plan.name, plan.environment, report(plan).rstrip("\n"))
        for plan in plans
        if plan.drift is not None
    )


def _channels(
    account: Account, wanted: Channels, subject: str, text: str, told: Mapping[str, Any], root: Path
) -> Iterator[tuple[str, Callable[[], None]]]:
    if wanted.sns is not None:
        topic = wanted.sns
        yield "sns", lambda: _publish(account, topic, subject, told)
    if wanted.webhook_env is not None:
        variable, slack = wanted.webhook_env, wanted.slack
        yield "webhook", lambda: _post(variable, {"text": text} if slack else told)
    if wanted.file is not None:
        file = root / wanted.file
        yield "file", lambda: _append(file, told)
    if wanted.command:
        words = wanted.command
        yield "command", lambda: _run(words, told)


def _publish(account: Account, topic: str, subject: str, told: Mapping[str, Any]) -> None:
    with answers():
        account.client("sns").publish(
            TopicArn=topic, Subject=subject[:_SUBJECT_LENGTH], Message=json.dumps(told, ensure_ascii=False)
        )


def _post(variable: str, told: Mapping[str, Any]) -> None:
    url = os.environ.get(variable, "")
    if not url.startswith(("https://", "http://")):
        raise _NotSent(f"the variable {variable} holds no URL")
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url, json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    try:
        urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        raise _NotSent(f"it answered {error.code}") from None
    except http.client.HTTPException:
        raise _NotSent(f"the address in {variable} is none, or what answers there speaks no HTTP") from None
    except (urllib.error.URLError, ValueError):
        raise _NotSent(f"the address in {variable} does not answer") from None


def _append(file: Path, told: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as target:
        target.write(json.dumps(told, ensure_ascii=False) + "\n")


def _run(words: list[str], told: Mapping[str, Any]) -> None:
    # What it prints is nobody's, and a pipe would be waited for as long as any of its children holds it.
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        process.communicate(json.dumps(told), timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise _NotSent(f"{words[0]} did not end within {_TIMEOUT_SECONDS} s") from None
    if process.returncode != 0:
        raise _NotSent(f"{words[0]} ended with {process.returncode}")
