"""What a stack has is told and not changed, whatever an upsert is given, and is ours to change when the stack let go.

moto's stacks really make models, configurations and endpoints; the tags that CloudFormation gives to them are put there
by hand, since moto gives none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlops.deploy.collecting.deciding import decide, unsure
from mlops.deploy.collecting.seeing import see
from mlops.deploy.declared.destroy import plan_removal
from mlops.deploy.endpoints import history, serving
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.shadow_tests import Wish, plan_start
from mlops.deploy.models.registry import version
from mlops.deploy.pipelines.destroy import destroy
from mlops.deploy.pipelines.destroy import plan_removal as plan_pipeline_removal
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import Refusal

from .conftest import World
from .test_calls_judged import approved
from .test_declared import planned
from .test_promote_moto import PLAIN

pytestmark = pytest.mark.parametrize("world", ["moto"], indirect=True)
ROLE = "arn:aws:iam::123456789012:role/pipelines"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ModelName": "theirs", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}},
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": "theirs",
                "ProductionVariants": [
                    {
                        "VariantName": "a",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ],
            },
        },
        "Door": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "churn",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
        # Stands for the pipeline, which moto's stacks do not make.
        "Pipeline": {"Type": "AWS::SNS::Topic"},
    }
}
DECLARED = f"""
from mlops import resources
model = resources.Model("churn", image="{IMAGE}", model="s3://acme-ml/model.tar.gz")
config = resources.EndpointConfig("churn", model=model.model_name, instance="ml.m5.large")
resources.Endpoint("{{a}}", config=config.config_name)
"""


def _stacked(world: World, resource: str, arn: str) -> None:
    stack = world.account.client("cloudformation").describe_stacks(StackName="serving")["Stacks"][0]
    told = {"stack-name": "serving", "stack-id": stack["StackId"], "logical-id": resource}
    tags = [{"Key": f"aws:cloudformation:{key}", "Value": value} for key, value in told.items()]
    world.account.client("sagemaker").add_tags(ResourceArn=arn, Tags=tags)


@pytest.fixture
def door(world: World) -> str:
    """The name of the stack's endpoint, which is moto's own."""
    world.account.client("cloudformation").create_stack(StackName="serving", TemplateBody=json.dumps(TEMPLATE))
    (found,) = world.account.client("sagemaker").list_endpoints()["Endpoints"]
    _stacked(world, "Door", found["EndpointArn"])
    return str(found["EndpointName"])


def test_an_endpoint_of_a_stack_is_its_own(world: World, door: str) -> None:
    found = planned(world, DECLARED, a=door)
    assert any(f"the endpoint {door} is of the stack serving (Door)" in why for why in found.refused)
    assert not any("--force" in drift for drift in found.drift)
    removal = plan_removal(world.account, world.environment, door)
    assert f"endpoint {door}" not in removal.labels
    assert any("of the stack serving" in why for why in removal.stays)
    steering = Steering(world.account, world.environment, door, PLAIN)
    approved(world)
    for change in (
        lambda: serving.delete(world.account, world.environment, door),
        steering.rollback,
        lambda: plan_start(world.account, world.environment, version(world.account, "churn", 1), door, Wish()),
    ):
        with pytest.raises(Refusal, match="of the stack serving"):
            change()


def test_a_cleaning_leaves_an_endpoint_that_a_stack_took_over(world: World, door: str) -> None:
    history.append(world.account, world.environment, door, Entry("created", "churn", 1, "theirs", None, "ada"))
    idle = timedelta(days=1)
    later = datetime.now(UTC) + 3 * idle
    there = see(world.account, world.environment, later, idle)
    assert unsure(there, later, idle) == (f"{door} is left: it is of the stack serving (Door)",)
    assert not [item for item in decide(there, later, older_than=idle, idle=idle) if item.kind == "endpoint"]


def test_what_a_stack_let_go_of_keeps_its_tags_and_is_nobodys(world: World, door: str) -> None:
    sagemaker = world.account.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=door)["EndpointConfigName"]
    rest = {name: item for name, item in TEMPLATE["Resources"].items() if name != "Door"}
    world.account.client("cloudformation").update_stack(
        StackName="serving", TemplateBody=json.dumps({"Resources": rest})
    )
    # moto removes it then; one that is retained stays as it was.
    made = sagemaker.create_endpoint(EndpointName=door, EndpointConfigName=config)
    _stacked(world, "Door", made["EndpointArn"])
    assert not [why for why in planned(world, DECLARED, a=door).refused if "stack" in why]


def test_a_pipeline_that_a_stack_took_over_is_not_changed(world: World, door: str) -> None:
    done = upsert(world.account, world.environment, world.compiled())
    _stacked(world, "Pipeline", done.arn)
    unchanged = plan(world.account, world.environment, world.compiled())
    assert unchanged.refused == () and "the pipeline churn is of the stack serving (Pipeline)" in unchanged.notes
    changed = plan(world.account, world.environment, world.compiled(description="Who stays?"))
    assert any("change it in its template" in why for why in changed.refused)
    removal = plan_pipeline_removal(world.account, world.environment, "churn")
    with pytest.raises(Refusal, match="of the stack serving"):
        destroy(world.account, world.environment, removal, force=True)
