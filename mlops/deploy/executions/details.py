"""What an account tells of an execution beyond the state of its steps: parameters, definition, jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.executions.following import ExecutionState
from mlops.deploy.pages import items
from mlops.ir import AccountError, Definition, Finding
from mlops.ir.reader import read


def parameters_of(account: Account, arn: str) -> dict[str, str]:
    """Every parameter's value as text, defaults included."""
    sagemaker = account.client("sagemaker")
    with answers():
        listed = items(
            sagemaker, "list_pipeline_parameters_for_execution", "PipelineParameters", PipelineExecutionArn=arn
        )
        return {str(item["Name"]): str(item["Value"]) for item in listed}


def parameters_of_each(account: Account, arns: Sequence[str]) -> list[Mapping[str, str]]:
    """The same of many, in one look where that can be had."""
    if account.here is None:
        return [parameters_of(account, arn) for arn in arns]
    ids = [arn.rpartition("/")[2] for arn in arns]
    found = account.here.parameters(ids)
    return [found.get(id, {}) for id in ids]


def definition_text(account: Account, arn: str) -> str:
    """The definition that the execution ran, as JSON."""
    with answers():
        reply = account.client("sagemaker").describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    return str(reply["PipelineDefinition"])


def definition_of_execution(account: Account, arn: str) -> tuple[Definition, Sequence[Finding]]:
    """The same, read, with what the reader found. Raises AccountError where it cannot be read."""
    definition, findings = read(definition_text(account, arn))
    if definition is None:
        said = findings[0].message
        raise AccountError(f"the definition of execution {arn.rpartition('/')[2]} cannot be read: {said}")
    return definition, findings


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
