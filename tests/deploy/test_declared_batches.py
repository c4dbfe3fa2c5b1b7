"""A declared batch: the schedule that it becomes, in an account and in a template, and the job that it makes here."""

from __future__ import annotations

import json

from mlops.account.local import LocalAccount
from mlops.account.local.process.clock.target import Delivery
from mlops.account.local.process.clock.targets import operation
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.use_cases.emit import emit

from .conftest import World
from .test_declared import LOCAL, planned, upserted
from .test_registry import IMAGE

DECLARED = """
from mlops import resources
m = resources.Model("churn", image="{image}", model="s3://acme-ml/m.tar.gz")
resources.Batch("nightly", model=m.model_name, data="s3://acme-ml/in/", to="s3://acme-ml/out/", instance="ml.m5.large",
    when="cron({a} 3 * * ? *)", timezone="Europe/Berlin", tags={{"team": "growth"}})
"""


def test_it_is_planned_made_changed_and_removed(world: World) -> None:
    assert [action.label for action in planned(world, DECLARED, a="0").actions][1:] == ["create the batch nightly"]
    upserted(world, DECLARED, a="0")
    assert not planned(world, DECLARED, a="0").actions
    scheduler = world.account.client("scheduler")
    told = scheduler.get_schedule(Name="nightly", GroupName="mlops-batch-nightly")
    assert told["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert told["ScheduleExpressionTimezone"] == "Europe/Berlin"
    job = json.loads(told["Target"]["Input"])
    (model,) = world.account.client("sagemaker").list_models()["Models"]
    assert (job["ModelName"], job["TransformJobName"]) == (model["ModelName"], "nightly-<aws.scheduler.execution-id>")
    assert [action.label for action in planned(world, DECLARED, a="30").actions] == ["update the batch nightly"]
    upserted(world, DECLARED, a="30")
    assert not planned(world, DECLARED, a="30").actions
    removal = plan_removal(world.account, world.environment, "nightly")
    assert removal.labels == ("batch nightly",)
    destroy(world.account, world.environment, removal)
    assert not planned(world, DECLARED, a="30").drift


@LOCAL
def test_when_its_time_comes_the_job_is_made(world: World) -> None:
    world.account.client("s3").create_bucket(Bucket="acme-ml")
    upserted(world, DECLARED, a="0")
    told = world.account.client("scheduler").get_schedule(Name="nightly", GroupName="mlops-batch-nightly")
    assert isinstance(world.account, LocalAccount)
    text = told["Target"]["Input"].replace("<aws.scheduler.execution-id>", "1")
    operation.deliver(world.account.state, Delivery(told["Target"], text, "t", "nightly", {}))
    sagemaker = world.account.client("sagemaker")
    job = sagemaker.describe_transform_job(TransformJobName="nightly-1")
    assert job["TransformOutput"]["S3OutputPath"] == "s3://acme-ml/out/"
    if job["TransformJobStatus"] == "InProgress":
        sagemaker.stop_transform_job(TransformJobName="nightly-1")


@LOCAL
def test_a_template_names_its_model_and_its_role_may_start_it(world: World) -> None:
    role = "arn:aws:iam::123456789012:role/pipelines"
    environment = f'account = "123456789012"\nregion = "us-east-1"\nrole = "{role}"\nbucket = "acme-ml"\n'
    (world.folder / "mlops.toml").write_text(f"[env.production]\n{environment}")
    (world.folder / "serving.py").write_text(DECLARED.format(image=IMAGE, a="0"))
    found = modules(targets)["cloudformation"]
    text = emit(found, str(world.folder / "serving.py"), "production", unheard, "json").text
    resources = json.loads(text)["Resources"]
    (schedule,) = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::Scheduler::Schedule"]
    (model,) = [name for name, item in resources.items() if item["Type"] == "AWS::SageMaker::Model"]
    before, named, behind = schedule["Target"]["Input"]["Fn::Join"][1]
    assert named == {"Fn::GetAtt": [model, "ModelName"]}
    assert json.loads(f"{before}x{behind}")["ModelName"] == "x" and "Tags" not in schedule
    trusted = [
        item["Principal"]["Service"]
        for item in resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    ]
    assert trusted == ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
    statements = {item["Sid"]: item for item in resources["RolePolicy"]["Properties"]["PolicyDocument"]["Statement"]}
    assert statements["StartBatches"]["Action"] == ["sagemaker:CreateTransformJob"]
    assert "arn:aws:s3:::acme-ml/out/*" in statements["WriteObjects"]["Resource"]
