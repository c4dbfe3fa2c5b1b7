"""Policies of model package groups: kept and told. The local account is one account, and keeps nobody from anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.registry import GROUP, POLICY, group_arn, group_body
from mlops.account.local.state import State


def put_model_package_group_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        json.loads(request["ResourcePolicy"])
    except ValueError:
        raise invalid("ResourcePolicy is no JSON.") from None
    return _written(state, request["ModelPackageGroupName"], request["ResourcePolicy"])


def get_model_package_group_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    body = group_body(state, request["ModelPackageGroupName"])
    if body.get(POLICY) is None:
        raise _without(state, body)
    return {POLICY: body[POLICY]}


def delete_model_package_group_policy(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    _written(state, request["ModelPackageGroupName"], None)
    return {}


def _written(state: State, name: str, policy: str | None) -> Mapping[str, Any]:
    with state.store.transaction():
        body = group_body(state, name)
        if policy is None and body.get(POLICY) is None:
            raise _without(state, body)
        resources.replace(state, GROUP, name, {**body, POLICY: policy}, status="Completed")
    return {"ModelPackageGroupArn": group_arn(state, name)}


def _without(state: State, body: Mapping[str, Any]) -> Exception:
    return invalid(f"Cannot find resource policy for: {group_arn(state, body['ModelPackageGroupName'])}")


OPERATIONS = {
    "DeleteModelPackageGroupPolicy": delete_model_package_group_policy,
    "GetModelPackageGroupPolicy": get_model_package_group_policy,
    "PutModelPackageGroupPolicy": put_model_package_group_policy,
}
