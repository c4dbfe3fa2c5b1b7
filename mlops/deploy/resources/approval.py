"""Approvals that start a promotion, declared beside pipelines: each is a rule of EventBridge for versions of a group
that become approved, with one target. Any change of an approved version is told again, and promoting what serves is
nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.deploy.event_rules import rule_type

_TARGET_ID = "promotion"
_VERSION = "version"
_GIVEN = {"ModelPackageArn": f"<{_VERSION}>"}
"""What a promotion's state machine takes."""


def _pattern(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [properties["Group"]], "ModelApprovalStatus": ["Approved"]},
    }


def _target(properties: Mapping[str, Any]) -> dict[str, Any]:
    machine = ":states:" in str(properties["Starts"])
    body = properties.get("Body") or (_GIVEN if machine else None)
    told = {"Id": _TARGET_ID, "Arn": properties["Starts"], "RoleArn": properties["RoleArn"]}
    if body is None:
        return told
    # A variable of EventBridge's stands in JSON without quotes.
    template = json.dumps(body, sort_keys=True).replace(f'"<{_VERSION}>"', f"<{_VERSION}>")
    paths = {_VERSION: "$.detail.ModelPackageArn"}
    return {**told, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


RESOURCE_TYPE = rule_type(
    "approval",
    _pattern,
    _target,
    not_here=lambda properties: "state machines, CodePipeline or API destinations",
)
