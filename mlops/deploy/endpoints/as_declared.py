"""What a promotion keeps of an endpoint that a file declares, beside its configuration: whose that is, and what is said
of the model besides which version it is. The file and the promotion then speak of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy import calls
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.endpoints.promotion import Seen, Wanted, model_name
from mlops.deploy.models.registry import Version
from mlops.deploy.resources.model import RESOURCE_TYPE as MODEL
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.tag_lists import listed

_VERSION = "ModelPackageName"


def as_declared(account: Account, wanted: Wanted, version: Version, seen: Seen) -> tuple[Wanted, Seen]:
    """The same for an endpoint that no file declares."""
    found = _wanted(account, wanted, version, seen.endpoint)
    if found.model == wanted.model:
        return found, seen
    sagemaker = account.client("sagemaker")
    there = unless_missing(lambda: sagemaker.describe_model(ModelName=found.model)) is not None
    return found, replace(seen, has_model=there)


def _wanted(account: Account, wanted: Wanted, version: Version, there: Endpoint | None) -> Wanted:
    if there is None or there.serving is None or wanted.copies:
        return wanted  # what comes from another account is no version of this registry
    sagemaker = account.client("sagemaker")
    config = unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=there.config)) or {}
    tags = _tags(account, config.get("EndpointConfigArn"))
    if RESOURCE not in tags:
        return wanted
    told = {**wanted.members, "Tags": listed(tags)}
    if wanted.target.count is None and wanted.target.instance is None:
        wanted = replace(wanted, members=told)
    name = there.serving.variants[0].request.get("ModelName")
    model = unless_missing(lambda: sagemaker.describe_model(ModelName=name)) if name else None
    request = _request(MODEL.read(model), version) if model is not None else None
    if model is None or request is None:
        return wanted
    own = _tags(account, model.get("ModelArn"))
    same = request == MODEL.read(model)
    return replace(
        wanted,
        model=str(name) if same else model_name(version, request),
        model_request={**request, **({"Tags": listed(own)} if own else {})},
    )


def _request(model: Mapping[str, Any], version: Version) -> dict[str, Any] | None:
    """The model that serves, of another version; None where it is made of something else."""
    container = model.get("PrimaryContainer")
    if not isinstance(container, Mapping) or _VERSION not in container:
        return None
    kept = {member: value for member, value in container.items() if member in (_VERSION, "Environment")}
    return {**model, "PrimaryContainer": {**kept, _VERSION: version.arn}}


def _tags(account: Account, arn: str | None) -> Mapping[str, str]:
    return {} if arn is None else calls.see(account, TAGS, arn) or {}
