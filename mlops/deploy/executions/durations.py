"""How long the steps of a pipeline took, as a rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from mlops.account import Account, answers
from mlops.deploy.executions.following import describe, listed
from mlops.deploy.pages import items

MOST = 10
"""Executions that are looked at, the newest."""


def typical_seconds(account: Account, pipeline: str) -> Mapping[str, float]:
    """The median over the newest executions, by step; cached steps and those that failed tell nothing. Empty where the
    account has no such pipeline."""
    with answers():
        known = items(account.client("sagemaker"), "list_pipelines", "PipelineSummaries", PipelineNamePrefix=pipeline)
        if not any(item["PipelineName"] == pipeline for item in known):
            return {}
    took: dict[str, list[float]] = defaultdict(list)
    for summary in listed(account, pipeline, MOST):
        for step in describe(account, str(summary["PipelineExecutionArn"])).steps:
            if step.status == "Succeeded" and not step.cached and step.seconds is not None:
                took[step.name].append(step.seconds)
    return {name: median(found) for name, found in took.items()}
