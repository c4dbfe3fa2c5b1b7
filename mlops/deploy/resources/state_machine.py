"""State machines of Step Functions: what feedback is in an account."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.deploy.feedback import machines_of
from mlops.ir.resource import Call, Resource, ResourceType
from mlops.ir.values import from_json
from mlops.project.environments import Environment


def declared(environment: Environment, pipeline: str) -> Iterator[Resource]:
    """Of ``[env.NAME.feedback]``, each named by its ARN, by which alone Step Functions finds one."""
    for machine in machines_of(environment, pipeline):
        from mlops.emit.states.feedback import feedback_machine  # few declare any

        written = feedback_machine(machine, machine.arn.split(":")[1])
        yield Resource("state-machine", machine.arn, {"RoleArn": machine.role, "Definition": from_json(written)})


def _request(properties: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(properties["Definition"], ensure_ascii=False, sort_keys=True)
    return {"definition": text, "roleArn": properties["RoleArn"]}


def _read(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        written = json.loads(reply["definition"])
    except ValueError:
        written = reply["definition"]
    return {"RoleArn": reply["roleArn"], "Definition": written}


def _called(arn: str) -> str:
    return arn.rpartition(":")[2]


RESOURCE_TYPE = ResourceType(
    type="state-machine",
    service="stepfunctions",
    prefix="states",
    cloudformation="AWS::StepFunctions::StateMachine",
    describe=lambda name: (Call("DescribeStateMachine", {"stateMachineArn": name}),),
    read=_read,
    create=lambda name, properties: (
        Call("CreateStateMachine", {"name": _called(name), "type": "STANDARD", **_request(properties)}),
    ),
    update=lambda name, properties: (Call("UpdateStateMachine", {"stateMachineArn": name, **_request(properties)}),),
    delete=lambda name, inside: (Call("DeleteStateMachine", {"stateMachineArn": name}),),
    permissions=("iam:PassRole",),
    templated=lambda name, properties: {
        "StateMachineName": _called(name),
        "StateMachineType": "STANDARD",
        "RoleArn": properties["RoleArn"],
        "DefinitionString": json.dumps(properties["Definition"], ensure_ascii=False),
    },
)
