"""A pipeline of an account as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

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
    definition, findings = of_reply(found, f"{name} (in the account)")
    return definition and replace(definition, name=name, tags={tag["Key"]: tag["Value"] for tag in tags}), findings


def of_reply(reply: Mapping[str, Any], file: str) -> tuple[Definition | None, Sequence[Finding]]:
    """What DescribePipeline answered, which the AWS CLI prints: the definition is a text in it."""
    definition, findings = read(str(reply["PipelineDefinition"]), file)
    if definition is None:
        return None, findings
    parallelism = (reply.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    shown = reply.get("PipelineDisplayName")
    described = replace(
        definition,
        name=reply.get("PipelineName"),
        description=reply.get("PipelineDescription") or None,
        display_name=shown if shown != reply.get("PipelineName") else None,
        parallelism=parallelism,
    )
    return described, findings
