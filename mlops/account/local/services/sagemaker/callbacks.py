"""Callback steps: their tokens, what was asked, and what somebody answered."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal, conflict, invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sqs.queues import send
from mlops.account.local.settling import RUNNING
from mlops.account.local.state import State

KIND = "Callback"
_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 10  # botocore: CallbackToken


def ask(state: State, arn: str, queue: str, arguments: Mapping[str, Any]) -> str:
    """The token by which the step is answered; the message lies in the queue then."""
    token = "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_LENGTH))
    with state.store.transaction():
        body = {"Execution": arn, "Queue": queue, "Arguments": dict(arguments)}
        resources.insert(state, KIND, token, body, taken=conflict("That token is in use."), status="Waiting")
        _tell(state, token, body, "Executing")
    return token


def tell_stopping(state: State, token: str) -> None:
    """Once more to the queue, as the service does when an execution is stopped."""
    body = resources.find(state, KIND, token)
    if body is not None:
        _tell(state, token, body, "Stopping")


def answer(state: State, token: str) -> Mapping[str, Any] | None:
    """``{"Outputs": {name: text}}`` or ``{"Failure": reason}``; None while nobody has answered."""
    body = resources.find(state, KIND, token)
    found: Mapping[str, Any] | None = body.get("Answer") if body is not None else None
    return found


def send_success(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    outputs = {item["Name"]: item["Value"] for item in request.get("OutputParameters") or ()}
    if len(outputs) != len(request.get("OutputParameters") or ()):
        raise invalid("OutputParameters have a name twice.")
    return _answered(state, "SendPipelineExecutionStepSuccess", request, {"Outputs": outputs})


def send_failure(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    failure = {"Failure": request.get("FailureReason") or "no reason was given"}
    return _answered(state, "SendPipelineExecutionStepFailure", request, failure)


def _answered(state: State, operation: str, request: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    token = request["CallbackToken"]

    def act() -> Mapping[str, Any]:
        body = resources.find(state, KIND, token)
        if body is None:
            raise Refusal("ResourceNotFound", f"The callback token {token} does not exist.")
        if "Answer" in body:
            raise conflict(f"The callback token {token} was answered before.")
        execution = state.store.one("SELECT status FROM execution WHERE id = ?", body["Execution"].rpartition("/")[2])
        if execution is None or execution["status"] not in RUNNING:
            raise conflict(f"The execution {body['Execution']} does not wait for it any more.")
        resources.replace(state, KIND, token, {**body, "Answer": given}, "Answered")
        return {"PipelineExecutionArn": body["Execution"]}

    with state.store.transaction():
        return resources.once(state, operation, request.get("ClientRequestToken"), request, act)


def _tell(state: State, token: str, body: Mapping[str, Any], status: str) -> None:
    message = {
        "token": token,
        "pipelineExecutionArn": body["Execution"],
        "arguments": body["Arguments"],
        "status": status,
    }
    send(state, body["Queue"], json.dumps(message))


OPERATIONS = {
    "SendPipelineExecutionStepSuccess": send_success,
    "SendPipelineExecutionStepFailure": send_failure,
}
