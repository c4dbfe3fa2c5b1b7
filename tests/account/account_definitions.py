"""Definitions that pass the checker, as text."""

from __future__ import annotations

import json
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/pipelines"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

PARAMETERS = [
    {"Name": "Text", "Type": "String", "DefaultValue": "one"},
    {"Name": "Choice", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 5},
    {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Switch", "Type": "Boolean", "DefaultValue": True},
]


def fail(message: Any = "as planned", *, parameters: list[dict[str, Any]] | None = None) -> str:
    """The quickest pipeline that can run: one Fail step."""
    return document([{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": message}}], parameters)


def processing(name: str, code: str, *, then: list[str] | None = None) -> dict[str, Any]:
    """A Processing step that runs ``code``, a shell command."""
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
            },
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", code]},
            "RoleArn": ROLE,
        },
        **({"DependsOn": then} if then else {}),
    }


def document(steps: list[dict[str, Any]], parameters: list[dict[str, Any]] | None = None) -> str:
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": steps})
