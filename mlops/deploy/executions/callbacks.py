"""Callback steps of an execution: what they want to hear, and telling it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops.account.answers import answers
from mlops.deploy.executions.details import definition_of_execution

if TYPE_CHECKING:
    from mlops.account import Account
    from mlops.deploy.executions.following import StepState


def asked(account: Account, arn: str, step: str) -> Mapping[str, str]:
    """The types of the outputs that the step declares, by name."""
    definition, _ = definition_of_execution(account, arn)
    found = definition.step(step)
    listed: Any = found.members.get("OutputParameters") if found is not None else None
    return {str(item["OutputName"]): str(item.get("OutputType") or "String") for item in listed or ()}


def answer(account: Account, step: StepState, outputs: Mapping[str, str], failure: str | None) -> None:
    """Once: whoever comes second is refused by the account."""
    token = str(step.metadata[step.kind]["CallbackToken"])
    sagemaker, once = account.client("sagemaker"), uuid.uuid4().hex
    with answers():
        if failure is not None:
            sagemaker.send_pipeline_execution_step_failure(
                CallbackToken=token, FailureReason=failure, ClientRequestToken=once
            )
            return
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=token,
            OutputParameters=[{"Name": name, "Value": value} for name, value in outputs.items()],
            ClientRequestToken=once,
        )
