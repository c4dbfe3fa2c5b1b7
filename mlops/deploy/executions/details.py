"""What an account tells of an execution beyond the state of its steps: parameters, definition, jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import ExecutionState
from mlops.deploy.pages import items


def parameters_of(account: Account, arn: str) -> dict[str, str]:
    """Every parameter's value as text, defaults included."""
    sagemaker = account.client("sagemaker")
    with answers():
        listed = items(
            sagemaker, "list_pipeline_parameters_for_execution", "PipelineParameters", PipelineExecutionArn=arn
        )
        return {str(item["Name"]): str(item["Value"]) for item in listed}


def definition_text(account: Account, arn: str) -> str:
    """The definition that the execution ran, as JSON."""
    with answers():
        reply = account.client("sagemaker").describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    return str(reply["PipelineDefinition"])


def jobs_of(account: Account, state: ExecutionState) -> dict[str, Mapping[str, Any]]:
    """What Describe<kind>Job tells, by step; a step without a job, or whose job is gone, is left out."""
    sagemaker = account.client("sagemaker")
    found: dict[str, Mapping[str, Any]] = {}
    for step in state.steps:
        kind = step.job_kind
        if kind is None or step.job is None:
            continue
        with answers():
            told = unless_missing(partial(getattr(sagemaker, kind.describe_method), **{kind.name_member: step.job}))
        if told is not None:
            found[step.name] = told
    return found
