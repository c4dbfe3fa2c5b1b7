"""Types of resources: what each asks fits the service's model, and another one is one more file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mlops.deploy import resources
from mlops.deploy.calls import method
from mlops.deploy.pipelines import plan_report
from mlops.deploy.pipelines.destroy import destroy, plan_removal
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.upsert import upsert
from mlops.deploy.resources import resource_types
from mlops.ir import Refusal
from mlops.ir.discovery import modules
from mlops.ir.resource import Call, ResourceType
from tests.house.toys import RESOURCE

from .conftest import World

TARGET = {
    "Arn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn",
    "RoleArn": "arn:aws:iam::111122223333:role/r",
}
SAMPLES: dict[str, dict[str, Any]] = {
    "schedule": {"ScheduleExpression": "rate(1 day)", "State": "ENABLED", "Target": TARGET, "Description": "daily"},
    "state-machine": {"RoleArn": TARGET["RoleArn"], "Definition": {"StartAt": "Done"}},
    "trigger": {"EventPattern": "{}", "State": "DISABLED", "Target": TARGET},
    "tags": {"team": "growth"},
    "model": {"PrimaryContainer": {"Image": "x"}, "ExecutionRoleArn": TARGET["RoleArn"]},
    "endpoint-config": {"ProductionVariants": [{"VariantName": "a", "ModelName": "m", "InitialInstanceCount": 1}]},
    "endpoint": {"EndpointConfigName": "c", "Tags": [{"Key": "a", "Value": "b"}]},
    "alarm": {
        "Namespace": "a",
        "MetricName": "b",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "monitor": {
        "endpoint": "churn",
        "code": "s3://acme-ml/code",
        "role": TARGET["RoleArn"],
        "instance": "ml.m5.large",
        "schedule": "rate(1 hour)",
        "drift": {"false_alarms": 0.05},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "feedback": {"environment": "local", "alarm": "drift", "notify": True, "Tags": [{"Key": "a", "Value": "b"}]},
    "notebook-instance": {
        "InstanceType": "ml.t3.medium",
        "RoleArn": TARGET["RoleArn"],
        "SubnetId": "subnet-1",
        "LifecycleConfigName": "setup",
        "VolumeSizeInGB": 50,
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "notebook-instance-lifecycle-config": {
        "OnStart": [{"Content": "IyEvYmluL2Jhc2gK"}],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "component-scaling": {
        "MinCapacity": 0,
        "MaxCapacity": 4,
        "Policies": [
            {
                "PolicyName": "wakes",
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": []},
            }
        ],
        "Scheduled": [{"ScheduledActionName": "night", "Schedule": "cron(0 20 * * ? *)"}],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "composite-alarm": {"AlarmRule": "TRUE", "Tags": [{"Key": "a", "Value": "b"}]},
    "stream": {
        "ExtendedS3DestinationConfiguration": {"RoleARN": TARGET["RoleArn"], "BucketARN": "arn:aws:s3:::acme-events"},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "domain": {
        "EngineVersion": "OpenSearch_2.19",
        "ClusterConfig": {"InstanceType": "r6g.large.search", "InstanceCount": 2},
        "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 100},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "model-package-group": {
        "ModelPackageGroupDescription": "Who leaves",
        "ModelPackageGroupPolicy": {"Version": "2012-10-17", "Statement": []},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "key": {"EnableKeyRotation": True, "Policy": {"Statement": []}, "Tags": [{"Key": "a", "Value": "b"}]},
    "role": {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "Policy": {"Version": "2012-10-17", "Statement": []},
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "identity-provider": {"ClientIDList": ["sts.amazonaws.com"], "Tags": [{"Key": "a", "Value": "b"}]},
    "studio-domain": {
        "AuthMode": "IAM",
        "VpcId": "vpc-1",
        "SubnetIds": ["subnet-1"],
        "DefaultUserSettings": {"ExecutionRole": TARGET["RoleArn"]},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "user-profile": {"UserSettings": {"ExecutionRole": TARGET["RoleArn"]}, "Tags": [{"Key": "a", "Value": "b"}]},
    "space": {
        "SpaceSettings": {"AppType": "JupyterLab"},
        "OwnershipSettings": {"OwnerUserProfileName": "ada"},
        "SpaceSharingSettings": {"SharingType": "Private"},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "batch": {
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "State": "ENABLED",
        "RoleArn": TARGET["RoleArn"],
        "Transform": {"ModelName": "m"},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "notebook-restart": {
        "Notebook": "research",
        "ScheduleExpression": "cron(0 3 ? * SUN *)",
        "StartExpression": "cron(15 3 ? * SUN *)",
        "State": "ENABLED",
        "RoleArn": TARGET["RoleArn"],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "approval": {
        "Group": "churn",
        "Starts": "arn:aws:states:eu-west-1:111122223333:stateMachine:churn-promotion",
        "RoleArn": TARGET["RoleArn"],
        "State": "ENABLED",
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "event-rule": {
        "Pattern": {"source": ["acme"]},
        "Stream": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/events",
        "Part": "$.detail",
        "RoleArn": TARGET["RoleArn"],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "log-subscription": {
        "Stream": "arn:aws:firehose:eu-west-1:111122223333:deliverystream/events",
        "Pattern": "ERROR",
        "RoleArn": TARGET["RoleArn"],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "topic-rule": {
        "Sql": "SELECT * FROM 'a/b'",
        "Stream": "events",
        "Separator": ",",
        "RoleArn": TARGET["RoleArn"],
        "State": "DISABLED",
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "bucket": {
        "Region": "eu-west-1",
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": [{"ID": "a", "Status": "Enabled", "Expiration": {"Days": 7}}]},
        "ReplicationConfiguration": {
            "Role": TARGET["RoleArn"],
            "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::other"}}],
        },
        "Policy": {"Version": "2012-10-17", "Statement": []},
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    "pipeline": {"PipelineDefinition": "{}", "RoleArn": TARGET["RoleArn"], "PipelineDescription": "x"},
}
INSIDE: dict[str, dict[str, Any]] = {
    "role": {"PolicyNames": ["p"], "AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
    "trigger": {"Targets": [{"Id": "a"}]},
    "component-scaling": {"MetricAlarms": [{}]},
    "tags": {"team": None},
    "log-subscription": {"tags": {"mlops:resource": "a"}},
}
REPLIES: dict[str, dict[str, Any]] = {
    "component-scaling": {
        "ScalingPolicies": [{"PolicyName": "a"}],
        "ScheduledActions": [{"ScheduledActionName": "b"}],
        "MetricAlarms": [{}],
    },
    "notebook-instance": {"DefaultCodeRepository": "https://git.acme.example/a", "SecurityGroups": ["sg-1"]},
    "stream": {
        "DeliveryStreamDescription": {
            "VersionId": "1",
            "Destinations": [{"DestinationId": "d", "ExtendedS3DestinationDescription": {"Prefix": "a/"}}],
        }
    },
}
"""To ``describe``, for a type whose ``change`` reads it."""
NAME = {"tags": TARGET["Arn"], "user-profile": "research/ada", "topic-rule": "churn_daily", "space": "research/lab"}
SUPPLIED = {"ClientRequestToken"}
"""By botocore, where it is left out."""


def calls(kind: ResourceType) -> Iterator[Call]:
    name = NAME.get(kind.type, "churn-daily")
    sample = SAMPLES[kind.type]
    yield from (*kind.describe(name), *kind.inside(name), *kind.delete(name, INSIDE.get(kind.type, {})))
    yield from (*kind.create(name, sample), *kind.writes(name, sample, exists=True))
    if kind.kept is not None:
        arn = kind.kept.arn.format(partition="aws", region="eu-west-1", account="111122223333", name=name, lower=name)
        yield from (kind.kept.tags(arn, name), kind.kept.tag(arn, name, [{"Key": "a", "Value": "b"}]))
        yield from kind.kept.change(name, sample, REPLIES.get(kind.type, {}))
        if kind.kept.pause is not None:
            pause = kind.kept.pause
            yield from (pause.stop(name), pause.start(name), pause.untag(arn, ["a"]))


@pytest.mark.parametrize("name", sorted(resource_types()))
def test_what_a_type_asks_fits_the_services_model(name: str) -> None:
    kind = resource_types()[name]
    session = botocore.session.get_session()
    asked = list(calls(kind))
    methods = {
        service: session.create_client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        ).meta.method_to_api_mapping
        for service in {call.service or kind.service for call in asked}
    }
    for call in asked:
        service = call.service or kind.service
        operation = session.get_service_model(service).operation_model(call.operation)
        assert methods[service][method(call.operation)] == call.operation
        assert operation.input_shape is not None
        report = ParamValidator().validate(call.request, operation.input_shape)
        missing = {member for member in SUPPLIED if f'"{member}"' in report.generate_report()}
        assert not report.has_errors() or missing, report.generate_report()
        assert call.pages is None or call.pages in (operation.output_shape.members if operation.output_shape else ())


PARAMETER = """
from mlops.ir.resource import Call, Resource, ResourceType, arn_of

DESCRIPTION = "first"


def declared(environment, pipeline):
    if DESCRIPTION is not None:
        yield Resource("parameter", f"{pipeline}-arn", {"Value": arn_of(pipeline), "Description": DESCRIPTION})


def read(reply):
    (found,) = reply["Parameters"]
    return {"Value": reply["Parameter"]["Value"], "Description": found.get("Description", "")}


def put(name, properties, overwrite):
    return (Call("PutParameter", {"Name": name, "Type": "String", "Overwrite": overwrite, **properties}),)


RESOURCE_TYPE = ResourceType(
    type="parameter",
    service="ssm",
    cloudformation="AWS::SSM::Parameter",
    describe=lambda name: (
        Call("GetParameter", {"Name": name}),
        Call("DescribeParameters", {"ParameterFilters": [{"Key": "Name", "Values": [name]}]}, pages="Parameters"),
    ),
    read=read,
    create=lambda name, properties: put(name, properties, False),
    update=lambda name, properties: put(name, properties, True),
    delete=lambda name, inside: (Call("DeleteParameter", {"Name": name}),),
)
"""


@pytest.fixture(params=["group", "parameter"])
def toy(request: pytest.FixtureRequest, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of one more file."""
    kind = request.param
    if (kind == "parameter") == world.environment.is_local:
        pytest.skip("the local account has no Systems Manager, and moto removes no group")
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / f"{kind}.py").write_text({"group": RESOURCE, "parameter": PARAMETER}[kind])
    monkeypatch.setattr(resources, "__path__", [*resources.__path__, str(folder)])
    for cached in (modules, resources._modules, resources.resource_types):
        cached.cache_clear()
    resource_types()
    name = f"{resources.__name__}.{kind}"
    yield sys.modules[name]
    del sys.modules[name]
    delattr(resources, kind)
    for cached in (modules, resources._modules, resources.resource_types):
        cached.cache_clear()


def test_another_type_is_one_file(world: World, toy: Any) -> None:
    kind = toy.RESOURCE_TYPE

    def put(**given: Any) -> str:
        return upsert(world.account, world.environment, world.compiled(), **given).action

    found = plan(world.account, world.environment, world.compiled())
    (change,) = found.companions
    assert (change.type, change.old) == (kind.type, None)
    assert f"  + {kind.type} {change.name}\n" in plan_report.text(found)
    assert put() == "created" and put() == "unchanged"

    toy.DESCRIPTION = "second"
    found = plan(world.account, world.environment, world.compiled())
    assert [item.anew for item in found.companions] == [kind.update is None]
    labels = [action.label for action in found.actions][1:]
    if kind.update is None:
        assert labels == [f"remove the {change.key}", f"create the {change.key}"]
        assert "it is removed, and made anew" in plan_report.text(found)
    else:
        assert labels == [f"update the {change.key}"]
    assert "Description: first -> second" in plan_report.text(found)
    assert put() == "updated" and put() == "unchanged"

    behind(world, kind, change.name)
    with pytest.raises(Refusal, match=f"its {change.key} was changed"):
        put()
    assert put(force=True) == "updated" and put() == "unchanged"

    toy.DESCRIPTION = None
    assert put() == "updated" and put() == "unchanged"
    toy.DESCRIPTION = "third"
    assert put() == "updated"
    removal = plan_removal(world.account, world.environment, "churn")
    assert removal.labels[0] == change.key
    destroy(world.account, world.environment, removal)
    toy.DESCRIPTION = None
    assert plan_removal(world.account, world.environment, "churn").labels == ()


def behind(world: World, kind: ResourceType, name: str) -> None:
    """Somebody else with another tool."""
    if kind.type == "parameter":
        world.account.client("ssm").put_parameter(Name=name, Value="theirs", Type="String", Overwrite=True)
        return
    sagemaker = world.account.client("sagemaker")
    sagemaker.delete_model_package_group(ModelPackageGroupName=name)
    sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="theirs")
