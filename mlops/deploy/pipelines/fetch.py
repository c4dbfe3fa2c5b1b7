"""A pipeline of an account as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.pages import items
from mlops.ir import Definition, Finding, UsageError
from mlops.ir.reader import read


def fetch(account: Account, name: str) -> tuple[Definition | None, Sequence[Finding]]:
    """What DescribePipeline and ListTags say, and what the reader finds in it. Raises UsageError where there is none of
    that name."""
    sagemaker = account.client("sagemaker")
    with answers():
        found = unless_missing(lambda: sagemaker.describe_pipeline(PipelineName=name))
        if found is None:
            raise UsageError(f"the account has no pipeline {name!r}")
        tags = list(items(sagemaker, "list_tags", "Tags", ResourceArn=found["PipelineArn"]))
    definition, findings = read(found["PipelineDefinition"], f"{name} (in the account)")
    if definition is None:
        return None, findings
    parallelism = found.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return (
        replace(
            definition,
            name=name,
            description=found.get("PipelineDescription") or None,
            tags={tag["Key"]: tag["Value"] for tag in tags},
            parallelism=parallelism,
        ),
        findings,
    )
