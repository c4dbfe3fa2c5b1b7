"""Scheduled actions of targets: kept, and never done here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.application_autoscaling.targets import missing, name_of, need_target, page
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.sagemaker.scaled import ACTION
from mlops.account.local.state import ACCOUNT_ID, State


def put_scheduled_action(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    with state.store.transaction():
        target = need_target(state, request)
        name = f"{target} {request['ScheduledActionName']}"
        before = resources.find(state, ACTION, name)
        body = {**(before or {}), **{member: value for member, value in request.items() if value is not None}}
        if not body.get("Schedule") or not body.get("ScalableTargetAction"):
            raise invalid("A scheduled action needs a Schedule and a ScalableTargetAction.")
        if before is None:
            body["ScheduledActionARN"] = _arn(state, request)
            resources.insert(state, ACTION, name, body, taken=invalid(f"{name} is there already."))
        else:
            resources.replace(state, ACTION, name, body)
    return {}


def describe_scheduled_actions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    of = [request["ResourceId"]] if request.get("ResourceId") else None
    found, token = page(state, ACTION, request, of, request.get("ScheduledActionNames"))
    return {"ScheduledActions": found, "NextToken": token}


def delete_scheduled_action(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    name = f"{name_of(request)} {request['ScheduledActionName']}"
    with state.store.transaction():
        found = resources.find(state, ACTION, name)
        if found is None:
            told = f", scheduled action name: {request['ScheduledActionName']}"
            raise missing("scheduled action found", request, told)
        resources.remove(state, ACTION, name, found["ScheduledActionARN"])
    return {}


def _arn(state: State, request: Mapping[str, Any]) -> str:
    resource = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
    return (
        f"arn:aws:autoscaling:{state.region}:{ACCOUNT_ID}:scheduledAction:{uuid.uuid4()}:{resource}:"
        f"scheduledActionName/{request['ScheduledActionName']}"
    )


OPERATIONS = {
    "DeleteScheduledAction": delete_scheduled_action,
    "DescribeScheduledActions": describe_scheduled_actions,
    "PutScheduledAction": put_scheduled_action,
}
