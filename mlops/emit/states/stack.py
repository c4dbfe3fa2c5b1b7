"""A machine as a template of CloudFormation, with the role that it takes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mlops.emit.policies.statements import Need, policy
from mlops.emit.states.needs import machine_trust
from mlops.ir import UsageError
from mlops.ir.surroundings import Surroundings

_DYNAMIC = "{{resolve:"
_NAME_LENGTH = 80


def machine_template(
    machine: Mapping[str, Any], name: str, needs: Iterable[Need], around: Surroundings
) -> Mapping[str, Any]:
    text = json.dumps(machine, indent=2, ensure_ascii=False)
    if _DYNAMIC in text:
        raise UsageError(f"the machine of {name} has {_DYNAMIC!r} in it, which CloudFormation would replace")
    allowed = policy(needs)
    tags = [{"Key": key, "Value": value} for key, value in sorted(around.tags.items())]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{name} as a state machine, in {around.environment}: written by mlops emit states",
        "Resources": {
            "MachineRole": {
                "Type": "AWS::IAM::Role",
                "Metadata": {"NeededBy": {sid: list(steps) for sid, steps in allowed.needed_by.items()}},
                "Properties": {
                    "AssumeRolePolicyDocument": machine_trust(around),
                    "Policies": [{"PolicyName": "machine", "PolicyDocument": allowed.document}],
                    **({"Tags": tags} if tags else {}),
                },
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": name[:_NAME_LENGTH],
                    "StateMachineType": "STANDARD",
                    "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                    "DefinitionString": text,
                    **({"Tags": tags} if tags else {}),
                },
            },
        },
        "Outputs": {"MachineArn": {"Description": "What starts it asks for", "Value": {"Ref": "Machine"}}},
    }
