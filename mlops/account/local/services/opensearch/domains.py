"""Domains: none. What is declared is for AWS; events are searched here without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State


def describe_domain(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refusal("ResourceNotFoundException", f"Domain not found: {request['DomainName']}", 409)


def list_domain_names(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"DomainNames": []}


OPERATIONS = {"DescribeDomain": describe_domain, "ListDomainNames": list_domain_names}
