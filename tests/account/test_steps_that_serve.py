"""EndpointConfig and Endpoint steps: what they make serves, is updated by the next execution, and a fault is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from account_definitions import ROLE
from endpoint_parts import World, variant

from mlops.account.local import LocalAccount

UNLOADABLE = "def model_fn(folder):\n    raise ValueError('the weights are of another model')\n"
SERVING = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Model", "Type": "String", "DefaultValue": "one"}],
    "Steps": [
        {
            "Name": "Config",
            "Type": "EndpointConfig",
            "Arguments": {"ProductionVariants": [{**variant("A", "", 1), "ModelName": {"Get": "Parameters.Model"}}]},
        },
        {
            "Name": "Serve",
            "Type": "Endpoint",
            "Arguments": {
                "EndpointName": "door",
                "EndpointConfigName": {"Get": "Steps.Config.EndpointConfigName"},
                "Tags": [{"Key": "team", "Value": "risk"}],
            },
        },
    ],
}


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    for name, code in (("one", None), ("two", None), ("bad", UNLOADABLE)):
        found.model(name, code)
    definition = json.dumps(SERVING)
    found.sagemaker.create_pipeline(PipelineName="serving", PipelineDefinition=definition, RoleArn=ROLE)
    yield found
    found.close()


def run(world: World, model: str) -> dict[str, dict[str, Any]]:
    """Steps by name, when the execution is over."""
    given = [{"Name": "Model", "Value": model}]
    reply = world.sagemaker.start_pipeline_execution(PipelineName="serving", PipelineParameters=given)
    arn = reply["PipelineExecutionArn"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = world.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if found["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            break
        time.sleep(0.05)
    steps = world.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return {step["StepName"]: step for step in steps}


@pytest.mark.proof("deep")
def test_an_endpoint_is_made_then_updated_and_a_fault_is_told(world: World) -> None:
    first = run(world, "one")
    assert {name: step["StepStatus"] for name, step in first.items()} == {"Config": "Succeeded", "Serve": "Succeeded"}
    assert first["Config"]["Metadata"]["EndpointConfig"]["Arn"].endswith(":endpoint-config/" + world_config(world))
    arn = first["Serve"]["Metadata"]["Endpoint"]["Arn"]
    assert arn.endswith(":endpoint/door")
    assert world.ask() == "A one: hello"
    assert world.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
    assert run(world, "two")["Serve"]["StepStatus"] == "Succeeded"
    assert world.ask() == "A two: hello"
    failed = run(world, "bad")["Serve"]
    assert failed["StepStatus"] == "Failed"
    assert (
        "endpoint door is" in failed["FailureReason"] and "the weights are of another model" in failed["FailureReason"]
    )
    assert world.ask() == "A two: hello"
    missing = run(world, "none")
    assert missing["Config"]["StepStatus"] == "Failed" and "none" in missing["Config"]["FailureReason"]
    assert "Serve" not in missing


def world_config(world: World) -> str:
    return str(world.sagemaker.describe_endpoint(EndpointName="door")["EndpointConfigName"])
