"""Whose a resource is that is made from elsewhere: a stack of CloudFormation has it, or a state of Terraform says so.
What changes it there is not known to its template, or its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy import calls
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.stack_owner import owner
from mlops.deploy.terraform_state import State, read
from mlops.ir import Refusal
from mlops.project.environments import Environment


class Owner(Protocol):
    def owns(self, what: str) -> str: ...

    def refuses(self, what: str) -> str:
        """With how to go on."""
        ...


def state_of(environment: Environment) -> State | None:
    """What Terraform made there, as far as the environment says. Raises UsageError for what is no state."""
    file = environment.terraform_state
    return None if file is None else read(Path(file))


def owner_of(account: Account, environment: Environment, kind: str, name: str, tags: Mapping[str, str]) -> Owner | None:
    return owner(account, tags) or by_state(state_of(environment), environment, account, kind, name)


def by_state(state: State | None, environment: Environment, account: Account, kind: str, name: str) -> Owner | None:
    return None if state is None else state.owner(kind, name, environment.account_id, account.region)


def owner_of_endpoint(account: Account, environment: Environment, endpoint: str) -> Owner | None:
    if account.here is not None and environment.terraform_state is None:
        return None  # it has no stacks
    sagemaker = account.client("sagemaker")
    found = unless_missing(lambda: sagemaker.describe_endpoint(EndpointName=endpoint))
    if found is None:
        return None
    tags = calls.see(account, TAGS, str(found["EndpointArn"])) or {}
    return owner_of(account, environment, "endpoint", endpoint, tags)


def need_no_other(account: Account, environment: Environment, endpoint: str) -> None:
    """Raises Refusal for an endpoint that is made from elsewhere."""
    its = owner_of_endpoint(account, environment, endpoint)
    if its is not None:
        raise Refusal(f"{its.refuses(f'the endpoint {endpoint}')}; nothing was changed")
