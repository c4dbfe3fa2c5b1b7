"""Make an account's pipeline what the source says: create it, update it, or find that there is nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlops.account import Account, answers, confirm_account
from mlops.account.missing import is_missing
from mlops.deploy.assets import upload
from mlops.emit.targets.definition_json import emit_compact
from mlops.ir import AccountError, Checked, ConfigurationError
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did."""

    name: str
    arn: str
    action: Literal["created", "updated", "unchanged"]
    uploaded: tuple[str, ...]


def upsert(
    account: Account, environment: Environment, checked: Checked, *, uploaded: Callable[[str], None] = lambda uri: None
) -> Upserted:
    """``checked`` has no errors. Assets go first, so that a pipeline never points at what is not there."""
    definition = checked.definition
    name = definition.name
    if name is None:
        raise ConfigurationError("a definition that is read from standard input has no name to upsert it by")
    wanted = {
        "PipelineName": name,
        "PipelineDefinition": emit_compact(definition),
        "PipelineDescription": definition.description,
        "RoleArn": environment.role,
        "ParallelismConfiguration": None
        if definition.parallelism is None
        else {"MaxParallelExecutionSteps": definition.parallelism},
    }
    sagemaker = account.client("sagemaker")
    with answers():
        confirm_account(account, environment)
        sent = upload(account, environment, definition.assets, uploaded)
        present = _describe(sagemaker, name)
        if present is None:
            tags = [{"Key": key, "Value": value} for key, value in sorted(definition.tags.items())]
            request = {key: value for key, value in wanted.items() if value is not None}
            reply = sagemaker.create_pipeline(
                **request, **({"Tags": tags} if tags else {}), ClientRequestToken=_token(wanted)
            )
            action: Literal["created", "updated", "unchanged"] = "created"
            arn = str(reply["PipelineArn"])
        else:
            arn = str(present["PipelineArn"])
            retagged = _retag(sagemaker, arn, definition.tags)
            if _equal(present, wanted):
                return Upserted(name, arn, "updated" if retagged else "unchanged", sent)
            # An update leaves out what it does not mention, so a description that is gone is sent as empty.
            request = {key: value for key, value in wanted.items() if value is not None}
            if wanted["PipelineDescription"] is None and present.get("PipelineDescription"):
                request["PipelineDescription"] = ""
            sagemaker.update_pipeline(**request)
            action = "updated"
        _read_back(sagemaker, wanted)
    return Upserted(name, arn, action, sent)


def _describe(sagemaker: Any, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = sagemaker.describe_pipeline(PipelineName=name)
    except Exception as error:
        if is_missing(error):
            return None
        raise
    return found


def _equal(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """The definition counts as a JSON value; an empty description and none are the same."""
    try:
        document = json.loads(present.get("PipelineDefinition", ""))
    except ValueError:
        return False
    return bool(
        document == json.loads(wanted["PipelineDefinition"])
        and present.get("RoleArn") == wanted["RoleArn"]
        and (present.get("PipelineDescription") or None) == wanted["PipelineDescription"]
        and (present.get("ParallelismConfiguration") or None) == wanted["ParallelismConfiguration"]
    )


def _retag(sagemaker: Any, arn: str, tags: Mapping[str, str]) -> bool:
    """Add or change what is declared; tags that others put there stay."""
    if not tags:
        return False
    present = {item["Key"]: item["Value"] for item in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    missing = [{"Key": key, "Value": value} for key, value in sorted(tags.items()) if present.get(key) != value]
    if missing:
        sagemaker.add_tags(ResourceArn=arn, Tags=missing)
    return bool(missing)


def _read_back(sagemaker: Any, wanted: Mapping[str, Any]) -> None:
    stored = _describe(sagemaker, wanted["PipelineName"])
    if stored is None or json.loads(stored["PipelineDefinition"]) != json.loads(wanted["PipelineDefinition"]):
        raise AccountError(
            f"the account took the pipeline {wanted['PipelineName']} but does not hold what was sent",
            hint="somebody may have written at the same time; run it again",
        )


def _token(wanted: Mapping[str, Any]) -> str:
    """The same request has the same token, so that a repeated call makes nothing twice. 64 characters."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
